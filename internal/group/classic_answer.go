package group

import (
	"time"

	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/wire"
)

// answerJoin answers a member's join, if one waits. An error of the log reaches the member under the given id.
func (g *classicGroup) answerJoin(out *outcome, m *classicMember, response *wire.JoinGroupResponse) {
	if answer := g.unpark(m); answer != nil {
		reply(out, answer, response, failJoin(response.MemberID))
	}
}

// answerSync answers a member's sync, if one waits, and reports whether it did.
func (m *classicMember) answerSync(out *outcome, response *wire.SyncGroupResponse) bool {
	if m.syncing == nil {
		return false
	}
	reply(out, m.syncing, response, syncFailure)
	m.syncing = nil
	return true
}

// turnAway answers whatever waits for a member that loses its place, under the id that its client is to go on with.
func (g *classicGroup) turnAway(out *outcome, m *classicMember, id string, reason error) {
	g.answerJoin(out, m, joinFailure(id, reason))
	m.answerSync(out, syncFailure(reason))
}

// later has a further step of the same group run, once the outcome of this one is known. By then this coordinator may be
// stopped, and another one in its place: that one knows nothing of g.
func (c *Coordinator) later(g *classicGroup, op func(out *outcome, now time.Time)) {
	c.options.Again(func(current *Coordinator, now time.Time) statemachine.Output {
		var out outcome
		if current == c && c.classic(g.id) == g {
			op(&out, now)
		}
		return out.Output
	})
}
