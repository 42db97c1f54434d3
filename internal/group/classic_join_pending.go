package group

import (
	"time"

	"github.com/ottla/ottla/internal/kafka"
)

// expect gives a newcomer a member id to come back with (KIP-394). For a session's time rebalances wait for it, too.
func (c *Coordinator) expect(out *outcome, now time.Time, g *classicGroup, rq *Join, id string) {
	giveUp := func(out *outcome, now time.Time) {
		if c.unexpect(g, id) {
			c.completeIfAllThere(out, now, g)
		}
	}
	who, timeout := whoIs(rq.Client, id, nil), rq.SessionTimeout
	a := &alarm{ring: func(out *outcome, now time.Time) {
		c.note(now, g.id, Cause{Kind: JoinAbandoned, Member: who, Epoch: g.generation, Setting: settingSessionTimeout, Limit: timeout.Milliseconds()})
		giveUp(out, now)
	}}
	g.pendingJoin[id] = a
	c.alarms.set(a, now.Add(rq.SessionTimeout))
	reply(out, rq.Reply, joinFailure(id, kafka.MemberIDRequired), failJoin(id))
	out.then(func(err error) {
		if err != nil { // then the newcomer got that error instead of the id
			c.later(g, giveUp)
		}
	})
}

// unexpect ends the wait for a newcomer, if there is one, and reports whether there was.
func (c *Coordinator) unexpect(g *classicGroup, id string) bool {
	a := g.pendingJoin[id]
	if a == nil {
		return false
	}
	c.alarms.cancel(a)
	delete(g.pendingJoin, id)
	return true
}
