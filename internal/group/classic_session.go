package group

import (
	"maps"
	"slices"
	"time"
)

// watch gives a member until now+timeout to be heard of.
func (c *Coordinator) watch(g *classicGroup, m *classicMember, now time.Time, timeout time.Duration) {
	if m.session.ring == nil {
		m.session.ring = func(out *outcome, now time.Time) { c.expireSession(out, now, g, m) }
	}
	c.alarms.set(&m.session, now.Add(timeout))
}

// expireSession removes a member that was silent for its session timeout, unless it waits for an answer, and has the
// others share what it had.
func (c *Coordinator) expireSession(out *outcome, now time.Time, g *classicGroup, m *classicMember) {
	if m.patient() {
		c.watch(g, m, now, m.sessionTimeout)
		return
	}
	c.options.Logger.Info("member's session timed out", "group", g.id, "member", m.id, "client", m.clientID, "host", m.clientHost, "timeout", m.sessionTimeout.String())
	expired := Cause{Kind: SessionExpired, Member: m.who(), Setting: settingSessionTimeout, Limit: m.sessionTimeout.Milliseconds()}
	c.remove(out, g, m.id)
	if g.in(stable, completingRebalance) {
		c.prepare(out, now, g, expired)
		return
	}
	c.noteRebalance(now, g, expired)
	c.completeIfAllThere(out, now, g)
}

// expireSync removes members that got their generation but never came for their assignment.
func (c *Coordinator) expireSync(out *outcome, now time.Time, g *classicGroup) {
	if !g.in(completingRebalance, stable) || len(g.pendingSync) == 0 {
		return
	}
	var causes []Cause
	for _, id := range slices.Sorted(maps.Keys(g.pendingSync)) {
		causes = append(causes, Cause{Kind: SyncExpired, Member: g.members[id].who(), Setting: settingPollInterval, Limit: g.rebalanceTimeout().Milliseconds()})
		c.remove(out, g, id)
	}
	c.prepare(out, now, g, causes...)
}
