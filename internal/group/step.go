package group

import (
	"time"

	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/wire"
)

const (
	// maxStepRecords and maxStepBytes bound what housekeeping (expiry, deleted topics) writes in one step: a batch
	// over max.message.bytes would be refused for ever, and requests wait while a step runs.
	maxStepRecords = 1000
	maxStepBytes   = 256 << 10
)

// outcome is the Output of a step while it is made.
type outcome struct {
	statemachine.Output
	bytes int // of Records
}

func (o *outcome) write(r statemachine.Record) {
	o.Records = append(o.Records, r)
	o.bytes += len(r.Key) + len(r.Value)
}

// then has f called once everything that the step wrote and saw is committed, or has failed.
func (o *outcome) then(f func(err error)) { o.Then = append(o.Then, f) }

// full reports whether housekeeping should leave the rest to a further step.
func (o *outcome) full() bool { return len(o.Records) >= maxStepRecords || o.bytes >= maxStepBytes }

// reply answers with ok once the step is committed, or with what failed makes of the error.
func reply[R any](out *outcome, to func(R), ok R, failed func(error) R) {
	out.then(func(err error) {
		if err != nil {
			ok = failed(err)
		}
		to(ok)
	})
}

// answerJoin answers a member's join, if one waits. An error of the log reaches the member under the given id.
func (g *group) answerJoin(out *outcome, m *member, response *wire.JoinGroupResponse) {
	if answer := g.unpark(m); answer != nil {
		reply(out, answer, response, failJoin(response.MemberID))
	}
}

// answerSync answers a member's sync, if one waits, and reports whether it did.
func (m *member) answerSync(out *outcome, response *wire.SyncGroupResponse) bool {
	if m.syncing == nil {
		return false
	}
	reply(out, m.syncing, response, syncFailure)
	m.syncing = nil
	return true
}

// turnAway answers whatever waits for a member that loses its place, under the id that its client is to go on with.
func (g *group) turnAway(out *outcome, m *member, id string, reason error) {
	g.answerJoin(out, m, joinFailure(id, reason))
	m.answerSync(out, syncFailure(reason))
}

// later has a further step of the same group run, once the outcome of this one is known. By then this coordinator may be
// stopped, and another one in its place: that one knows nothing of g.
func (c *Coordinator) later(g *group, op func(out *outcome, now time.Time)) {
	c.options.Again(func(current *Coordinator, now time.Time) statemachine.Output {
		var out outcome
		if current == c && c.groups[g.id] == g {
			op(&out, now)
		}
		return out.Output
	})
}
