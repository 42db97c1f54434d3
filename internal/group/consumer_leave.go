package group

import (
	"maps"
	"slices"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/wire"
)

// consumerLeave is the last heartbeat of a member: it is out, or away for a while if it is a static one that says so.
func (c *Coordinator) consumerLeave(out *outcome, now time.Time, rq ConsumerHeartbeat) (*wire.ConsumerGroupHeartbeatResponse, error) {
	g, err := c.consumerToAsk(rq.GroupID)
	if err != nil {
		return nil, err
	}
	m, err := g.find(rq.MemberID, rq.InstanceID)
	if err != nil {
		return nil, err
	}
	response := &wire.ConsumerGroupHeartbeatResponse{MemberID: &rq.MemberID, MemberEpoch: rq.MemberEpoch}
	if rq.InstanceID == nil || rq.MemberEpoch != leavingForAWhile {
		c.fence(out, now, g, []*consumerMember{m}, []Cause{{Kind: MemberLeft, Member: whoIs(rq.Client, m.id, m.instanceID)}})
		return response, nil
	}
	away := *m
	away.epoch, away.revoking, away.assigned = leavingForAWhile, nil, m.assigned.partitions().at(0)
	out.write(g.currentRecord(&away))
	c.tell(now, g.id, g.epoch, Cause{Kind: MemberLeft, Member: whoIs(rq.Client, m.id, m.instanceID), Reason: "for a while: it is a static member"})
	return response, nil
}

// consumerToAsk finds a consumer group that has to be there.
func (c *Coordinator) consumerToAsk(id string) (*consumerGroup, error) {
	g := c.consumer(id)
	switch {
	case c.groups[id] == nil:
		return nil, errNoGroup(id)
	case g == nil:
		return nil, kafka.Errorf(kafka.GroupIDNotFound, "Group %s is not a consumer group.", id)
	}
	return g, nil
}

// find is the member that a request comes from. A static member whose instance id belongs to another by now is fenced.
func (g *consumerGroup) find(id string, instanceID *string) (*consumerMember, error) {
	if instanceID == nil {
		if m := g.members[id]; m != nil {
			return m, nil
		}
		return nil, g.errUnknownMember(id)
	}
	m := g.members[g.statics[*instanceID]]
	if m == nil {
		return nil, kafka.Errorf(kafka.UnknownMemberID, "Instance id %s is unknown.", *instanceID)
	}
	return m, m.checkInstance(id)
}

// expel removes one member that did not do something in time.
func (c *Coordinator) expel(out *outcome, now time.Time, g *consumerGroup, m *consumerMember, cause Cause) {
	cause.Member = m.who(c, g.id)
	c.fence(out, now, g, []*consumerMember{m}, []Cause{cause})
}

// fence removes members, which begins a new epoch. If only members of the classic protocol are left, the group becomes a
// classic one, as far as group.consumer.migration.policy allows it.
func (c *Coordinator) fence(out *outcome, now time.Time, g *consumerGroup, gone []*consumerMember, causes []Cause) {
	if len(gone) == 0 {
		return
	}
	left := maps.Clone(g.members)
	for _, m := range gone {
		delete(left, m.id)
	}
	if c.mayDowngrade(left) {
		c.downgrade(out, now, g, left, true, causes)
		return
	}
	regexes, names, matched := maps.Clone(g.regexMembers), maps.Clone(g.subscribers), maps.Clone(g.matched)
	for _, m := range gone {
		g.writeRemoval(out, m.id)
		for _, topic := range m.topics {
			add(names, topic, -1)
		}
		if m.regex != "" {
			add(regexes, m.regex, -1)
		}
	}
	for _, regex := range slices.Sorted(maps.Keys(g.regexMembers)) {
		if regexes[regex] == 0 {
			out.write(g.regexTombstone(regex))
			for _, topic := range g.regexes[regex].topics {
				add(matched, topic, -1)
			}
		}
	}
	out.write(g.epochRecord(g.epoch+1, g.hashes.sum(c.look(), unionOf(names, matched))))
	for _, cause := range causes {
		cause.Rebalance, cause.Epoch, cause.Next = true, g.epoch, g.epoch+1
		c.tell(now, g.id, g.epoch, cause)
	}
}

// awaitMember gives a member its session timeout to be heard of.
func (c *Coordinator) awaitMember(now time.Time, groupID string, m *consumerMember) {
	timeout := c.sessionTimeout(groupID, m)
	id, setting := m.id, settingConsumerSession
	if m.classic != nil {
		setting = settingSessionTimeout
	}
	ring := c.ringing(groupID, id, func(clock *memberClock) *alarm { return &clock.session }, func(out *outcome, now time.Time) {
		if c.expelNamed(out, now, groupID, id, Cause{Kind: SessionExpired, Setting: setting, Limit: timeout.Milliseconds()}) {
			return
		}
		c.stopClock(groupID, id)
	})
	c.ringAt(&c.clock(groupID, id).session, now.Add(timeout), ring)
}

// expelNamed removes a member if it is there, and reports whether it was.
func (c *Coordinator) expelNamed(out *outcome, now time.Time, groupID, id string, cause Cause) bool {
	g := c.consumer(groupID)
	if g == nil || g.members[id] == nil {
		return false
	}
	c.expel(out, now, g, g.members[id], cause)
	return true
}
