package group

import (
	"time"

	"github.com/ottla/ottla/internal/wire"
)

// streamsLeave is the last heartbeat of a member.
func (c *Coordinator) streamsLeave(out *outcome, now time.Time, rq StreamsHeartbeat) (*wire.StreamsGroupHeartbeatResponse, error) {
	g, err := c.streamsToAsk(rq.GroupID)
	if err != nil {
		return nil, err
	}
	if rq.ShutdownApplication && g.shutdown == "" && len(g.members) > 0 {
		g.shutdown = rq.MemberID
	}
	m := g.members[rq.MemberID]
	if m == nil {
		return nil, g.errUnknownMember(rq.MemberID)
	}
	c.expelThread(out, now, g, m, Cause{Kind: MemberLeft})
	return &wire.StreamsGroupHeartbeatResponse{
		MemberID: rq.MemberID, MemberEpoch: rq.MemberEpoch, Status: []wire.StreamsGroupHeartbeatResponseStatus{},
	}, nil
}

// streamsToAsk finds a streams group that has to be there.
func (c *Coordinator) streamsToAsk(id string) (*streamsGroup, error) {
	if c.groups[id] == nil {
		return nil, errNoGroup(id)
	}
	g := c.streams(id)
	if g == nil {
		return nil, errNotStreams(id)
	}
	return g, nil
}

// expelThread removes a member, which begins a new epoch.
func (c *Coordinator) expelThread(out *outcome, now time.Time, g *streamsGroup, m *streamsMember, cause Cause) {
	g.writeRemoval(out, m.id)
	out.write(g.epochRecord(g.epoch+1, g.hash, g.validated, g.configs))
	cause.Member, cause.Rebalance, cause.Epoch, cause.Next = m.who(c, g.id), true, g.epoch, g.epoch+1
	c.tell(now, g.id, g.epoch, cause)
}

// awaitThread gives a member its session timeout to be heard of.
func (c *Coordinator) awaitThread(now time.Time, groupID, id string) {
	timeout := c.options.Streams(groupID).SessionTimeout
	ring := c.ringing(groupID, id, func(clock *memberClock) *alarm { return &clock.session }, func(out *outcome, now time.Time) {
		if g := c.streams(groupID); g != nil && g.members[id] != nil {
			c.expelThread(out, now, g, g.members[id], Cause{Kind: SessionExpired, Setting: settingStreamsSession, Limit: timeout.Milliseconds()})
			return
		}
		c.stopClock(groupID, id)
	})
	c.ringAt(&c.clock(groupID, id).session, now.Add(timeout), ring)
}
