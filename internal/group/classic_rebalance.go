package group

import (
	"time"

	"github.com/ottla/ottla/internal/kafka"
)

// rebalance begins a rebalance, or helps on the one that is under way.
func (c *Coordinator) rebalance(out *outcome, now time.Time, g *classicGroup, causes ...Cause) {
	if g.in(stable, completingRebalance, empty) {
		c.prepare(out, now, g, causes...)
		return
	}
	c.noteRebalance(now, g, causes...)
	c.completeIfAllJoined(out, now, g)
}

// noteRebalance keeps what began a rebalance, or took part in it.
func (c *Coordinator) noteRebalance(now time.Time, g *classicGroup, causes ...Cause) {
	for _, cause := range causes {
		cause.Rebalance, cause.Epoch = true, g.generation
		c.note(now, g.id, cause)
	}
}

// prepare begins the join phase: members learn from their heartbeats that they must join again. The first rebalance of a
// group waits for group.initial.rebalance.delay.ms, so that consumers which start together are in one generation.
func (c *Coordinator) prepare(out *outcome, now time.Time, g *classicGroup, causes ...Cause) {
	c.noteRebalance(now, g, causes...)
	if g.state == completingRebalance {
		c.distribute(out, now, g, nil, kafka.RebalanceInProgress)
	}
	c.endSync(g)
	first := g.state == empty
	g.become(preparingRebalance, now)
	c.options.Logger.Info("group rebalances", "group", g.id, "generation", g.generation, "members", len(g.members), "reason", reasons(causes))
	switch {
	case first:
		delay := c.options.Settings().InitialRebalanceDelay
		c.awaitFirst(g, now, delay, max(g.rebalanceTimeout()-delay, 0))
	case g.complete():
		c.complete(out, now, g)
	default:
		c.awaitJoins(g, now)
	}
}

// awaitFirst ends the first join phase of a group after delay, or later if somebody joined meanwhile and time is left.
func (c *Coordinator) awaitFirst(g *classicGroup, now time.Time, delay, left time.Duration) {
	g.extended = false
	g.join.ring = func(out *outcome, now time.Time) {
		if g.extended && left > 0 {
			c.awaitFirst(g, now, min(c.options.Settings().InitialRebalanceDelay, left), max(left-delay, 0))
			return
		}
		c.complete(out, now, g)
	}
	c.alarms.set(&g.join, now.Add(delay))
}

// awaitJoins ends the join phase after the members' rebalance timeout.
func (c *Coordinator) awaitJoins(g *classicGroup, now time.Time) {
	g.join.ring = func(out *outcome, now time.Time) { c.complete(out, now, g) }
	c.alarms.set(&g.join, now.Add(g.rebalanceTimeout()))
}

// completeIfAllJoined ends the join phase early, unless it is a group's first.
func (c *Coordinator) completeIfAllJoined(out *outcome, now time.Time, g *classicGroup) {
	if g.previous != empty {
		c.completeIfAllThere(out, now, g)
	}
}

// completeIfAllThere ends the join phase early, also a group's first: those who would be waited for are gone. A group
// whose log cannot be written waits for the time of its next attempt.
func (c *Coordinator) completeIfAllThere(out *outcome, now time.Time, g *classicGroup) {
	switch {
	case g.state != preparingRebalance || !g.complete():
	case len(g.members) > 0 && now.Before(g.held):
		c.alarms.set(&g.join, g.held)
	default:
		c.complete(out, now, g)
	}
}

// Bounds of the pause after an assignment could not be stored. Members wait in their joins meanwhile.
const (
	minHold = 500 * time.Millisecond
	maxHold = 10 * time.Second
)

// hold has the next generation begin later, each time twice as late: as long as the log cannot be written, a full disk for
// example, members would otherwise join and sync as fast as they can.
func (g *classicGroup) hold(now time.Time) {
	pause := min(minHold<<min(g.failures, 10), maxHold)
	g.failures++
	g.held = now.Add(min(pause, g.rebalanceTimeout()))
}

// complete ends the join phase: dynamic members that have not joined are out, the others get the next generation. If
// only static members are left and none of them has joined, they get more time.
func (c *Coordinator) complete(out *outcome, now time.Time, g *classicGroup) {
	c.alarms.cancel(&g.join)
	for _, m := range g.ordered() {
		if m.joining == nil && !m.static() {
			c.options.Logger.Info("member did not join the rebalance in time", "group", g.id, "member", m.id, "timeout", m.rebalanceTimeout.String())
			c.noteRebalance(now, g, Cause{Kind: RebalanceExpired, Member: m.who(), Setting: settingPollInterval, Limit: m.rebalanceTimeout.Milliseconds()})
			c.remove(out, g, m.id)
		}
	}
	if len(g.members) > 0 && !g.elect() {
		c.awaitJoins(g, now)
		return
	}
	g.generation++
	c.settled(now, g.id, g.generation)
	g.protocol = g.choose()
	g.subscription = g.subscribe()
	if len(g.members) == 0 {
		g.become(empty, now)
		out.write(groupRecord(g, nil))
		return
	}
	g.become(completingRebalance, now)
	c.options.Logger.Info("group has a new generation", "group", g.id, "generation", g.generation, "members", len(g.members), "protocol", g.protocol)
	for _, m := range g.ordered() {
		if m.joining != nil {
			g.answerJoin(out, m, g.welcome(m))
		}
		c.watch(g, m, now, m.sessionTimeout)
		m.fresh = false
		g.pendingSync[m.id] = true
	}
	g.sync.ring = func(out *outcome, now time.Time) { c.expireSync(out, now, g) }
	c.alarms.set(&g.sync, now.Add(g.rebalanceTimeout()))
}

// endSync ends the sync phase.
func (c *Coordinator) endSync(g *classicGroup) {
	clear(g.pendingSync)
	g.assigning = false
	c.alarms.cancel(&g.sync)
}

// remove takes a member, or somebody who was only given an id, out of the group. Its requests that wait are answered.
func (c *Coordinator) remove(out *outcome, g *classicGroup, id string) {
	c.unexpect(g, id)
	delete(g.pendingSync, id)
	m := g.members[id]
	if m == nil {
		return
	}
	g.turnAway(out, m, "", kafka.UnknownMemberID)
	c.alarms.cancel(&m.session)
	g.leave(m)
	if g.leader == id {
		g.leader = g.oldest()
	}
}
