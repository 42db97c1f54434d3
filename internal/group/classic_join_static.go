package group

import "time"

// replaceStatic lets a static member that has restarted, and so forgot its member id, take the place of its former self
// (KIP-345). The old id is fenced from now on. In a stable group whose protocol stays the same nobody else notices: the
// member gets the assignment that it had.
func (c *Coordinator) replaceStatic(out *outcome, now time.Time, g *classicGroup, rq *Join, newID string) {
	m := g.members[g.statics[*rq.InstanceID]]
	before := *m
	leader := g.leader
	g.succeed(out, m, newID)
	g.update(out, m, rq)
	c.watch(g, m, now, m.sessionTimeout)
	replaced := Cause{Kind: StaticReplaced, Member: before.who(), Reason: newID}
	if g.state == stable && g.choose() == g.protocol {
		replaced.Epoch = g.generation
		c.note(now, g.id, replaced)
		c.keepStatic(out, g, m, rq, &before, leader)
		return
	}
	c.rebalance(out, now, g, replaced)
}

// succeed gives a static member a new id. Requests that wait under the old one are fenced.
func (g *classicGroup) succeed(out *outcome, m *classicMember, newID string) {
	oldID := m.id
	g.turnAway(out, m, oldID, errFenced(*m.instanceID, newID))
	if g.pendingSync[oldID] {
		delete(g.pendingSync, oldID)
		g.pendingSync[newID] = true
	}
	if g.leader == oldID {
		g.leader = newID
	}
	g.rename(m, newID)
	m.fresh = false
}

// keepStatic persists the new member id and then tells the member its old assignment's generation. If that fails, the
// old id is back in force.
func (c *Coordinator) keepStatic(out *outcome, g *classicGroup, m *classicMember, rq *Join, before *classicMember, leader string) {
	out.write(groupRecord(g, g.assignments()))
	newID := m.id
	response := g.welcome(m)
	if rq.SkipAssignment {
		response.SkipAssignment = g.leader == newID
	} else {
		// A client of those versions that finds itself leader assigns anew, which nobody asked for.
		response.Leader, response.Members = leader, nil
	}
	answer := g.unpark(m)
	out.then(func(err error) {
		if err == nil {
			answer(response)
			return
		}
		answer(joinFailure("", err))
		c.later(g, func(out *outcome, now time.Time) {
			if g.members[newID] != m || g.state != stable {
				return // whatever has happened since goes on with the new id
			}
			g.succeed(out, m, before.id)
			g.support(m, before.protocols)
			m.rebalanceTimeout, m.sessionTimeout = before.rebalanceTimeout, before.sessionTimeout
			c.watch(g, m, now, m.sessionTimeout)
		})
	})
}
