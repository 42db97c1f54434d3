package group

import (
	"time"

	"github.com/ottla/ottla/internal/causes"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/wire"
)

// Sync gives a member its assignment, once the leader has sent all of them. Nothing of rq is used after Sync has
// returned.
func (c *Coordinator) Sync(now time.Time, from causes.Client, rq *wire.SyncGroupRequest, answer func(*wire.SyncGroupResponse)) statemachine.Output {
	var out outcome
	c.begin(&out, now)
	if g := c.consumer(rq.GroupID); g != nil {
		response, err := c.syncConsumer(now, g, rq)
		if err != nil {
			c.noteFenced(now, rq.GroupID, whoIs(from, rq.MemberID, rq.GroupInstanceID), rq.GenerationID, err)
			response = syncFailure(err)
		}
		reply(&out, answer, response, syncFailure)
		return out.Output
	}
	g, m, err := c.checkSync(rq)
	if err != nil {
		c.noteFenced(now, rq.GroupID, whoIs(from, rq.MemberID, rq.GroupInstanceID), rq.GenerationID, err)
		reply(&out, answer, syncFailure(err), syncFailure)
		return out.Output
	}
	delete(g.pendingSync, m.id)
	if len(g.pendingSync) == 0 {
		c.alarms.cancel(&g.sync)
	}
	if g.state == stable {
		reply(&out, answer, g.assigned(m), syncFailure)
		return out.Output
	}
	m.answerSync(&out, syncFailure(kafka.RebalanceInProgress)) // its client has given up on that one
	m.syncing = answer
	if m.id == g.leader && !g.assigning {
		c.assign(&out, g, rq)
	}
	return out.Output
}

func (c *Coordinator) checkSync(rq *wire.SyncGroupRequest) (*classicGroup, *classicMember, error) {
	if rq.GroupID == "" {
		return nil, nil, kafka.InvalidGroupID
	}
	g := c.classic(rq.GroupID)
	if g == nil || g.state == empty {
		return nil, nil, errNoMember(rq.GroupID, rq.MemberID)
	}
	m, err := g.member(rq.MemberID, rq.GroupInstanceID)
	if err != nil {
		return nil, nil, err
	}
	if err := g.checkGeneration(rq.GenerationID); err != nil {
		return nil, nil, err
	}
	differs := func(given *string, own string) bool { return given != nil && own != "" && *given != own }
	if differs(rq.ProtocolType, g.protocolType) || differs(rq.ProtocolName, g.protocol) {
		return nil, nil, kafka.InconsistentGroupProtocol
	}
	if g.state == preparingRebalance {
		return nil, nil, kafka.RebalanceInProgress
	}
	return g, m, nil
}

// assign takes the leader's assignments; members without one get an empty one. They are handed out when they are
// committed, if the group is then still where it was. Until then the leader's further syncs only wait: what members get
// is what the log says last.
func (c *Coordinator) assign(out *outcome, g *classicGroup, rq *wire.SyncGroupRequest) {
	assignments := make(map[string][]byte, len(g.members))
	for id := range g.members {
		assignments[id] = []byte{}
	}
	for _, a := range rq.Assignments {
		if _, ok := assignments[a.MemberID]; ok {
			assignments[a.MemberID] = append([]byte{}, a.Assignment...)
		}
	}
	g.assigning = true
	generation := g.generation
	out.write(groupRecord(g, assignments))
	out.then(func(err error) {
		c.later(g, func(out *outcome, now time.Time) {
			if g.state != completingRebalance || g.generation != generation {
				return
			}
			g.assigning = false
			if err != nil {
				c.distribute(out, now, g, nil, kafka.CodeOf(err))
				g.hold(now)
				c.prepare(out, now, g, Cause{Kind: AssignmentFailed, Reason: err.Error()})
				return
			}
			g.failures = 0
			c.distribute(out, now, g, assignments, kafka.None)
			g.become(stable, now)
		})
	})
}

// distribute gives every member its assignment, or the same error, and answers those that wait for it. Their sessions
// begin anew.
func (c *Coordinator) distribute(out *outcome, now time.Time, g *classicGroup, assignments map[string][]byte, code kafka.ErrorCode) {
	for _, m := range g.ordered() {
		m.assignment = assignments[m.id]
		response := syncFailure(code)
		if code == kafka.None {
			response = g.assigned(m)
		}
		if m.answerSync(out, response) {
			c.watch(g, m, now, m.sessionTimeout)
		}
	}
}

func (g *classicGroup) assigned(m *classicMember) *wire.SyncGroupResponse {
	return &wire.SyncGroupResponse{ProtocolType: textOrNil(g.protocolType), ProtocolName: textOrNil(g.protocol), Assignment: m.assignment}
}

func syncFailure(err error) *wire.SyncGroupResponse {
	return &wire.SyncGroupResponse{ErrorCode: int16(kafka.CodeOf(err)), Assignment: []byte{}}
}
