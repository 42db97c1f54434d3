package group

// check checks what holds between any two steps.
func (m *model) check() {
	m.t.Helper()
	if !m.held {
		m.committed = m.log.End()
	}
	alarms := 0
	for _, clock := range m.machine.clocks {
		alarms += count(clock.session) + count(clock.rebalance) + count(clock.join) + count(clock.sync)
	}
	for id, shared := range m.machine.groups {
		g, ok := shared.kind.(*classicGroup)
		if !ok {
			continue
		}
		alarms += m.checkGroup(g)
		if before, known := m.seen[g]; g.id != id || known && g.generation < before {
			m.t.Errorf("%s: generation %d after %d", id, g.generation, m.seen[g])
		}
		m.seen[g] = g.generation
	}
	if m.machine.live && alarms != len(m.machine.alarms.heap) {
		m.t.Errorf("%d alarms are on, groups account for %d", len(m.machine.alarms.heap), alarms)
	}
}

// checkGroup returns the number of the group's alarms.
func (m *model) checkGroup(g *classicGroup) (alarms int) {
	bad := func(what string) { m.t.Errorf("%s in %s: %s", g.id, g.state, what) }
	waiting, static, supporters := 0, 0, map[string]int{}
	for id, member := range g.members {
		if member.joining != nil {
			waiting++
		}
		for _, p := range member.protocols {
			supporters[p.name]++
		}
		if member.static() {
			static++
			if g.statics[*member.instanceID] != id {
				bad("static member " + id + " is not known by its instance id")
			}
		}
		switch {
		case member.id != id, g.pendingJoin[id] != nil:
			bad("member " + id + " has another id, or none yet")
		case member.joining != nil && g.state != preparingRebalance:
			bad("a join waits")
		case member.syncing != nil && g.state != completingRebalance:
			bad("a sync waits")
		case member.assignment == nil && g.state == stable:
			bad("no assignment for " + id)
		case m.machine.live && member.session.slot == 0:
			bad("nobody watches " + id)
		}
		if member.session.slot > 0 {
			alarms++
		}
	}
	switch {
	case waiting != g.waiting || static != len(g.statics):
		bad("miscounted")
	case (g.members[g.leader] != nil) != (len(g.members) > 0):
		bad("leader " + g.leader)
	case g.state == empty && len(g.members) > 0, g.in(completingRebalance, stable) && len(g.members) == 0:
		bad("wrong state for its members")
	case g.in(completingRebalance, stable) && !g.unanimous(g.protocol):
		bad("not all support " + g.protocol)
	case (g.join.slot > 0) != (g.state == preparingRebalance):
		bad("end of the join phase")
	case (g.sync.slot > 0) != (len(g.pendingSync) > 0), len(g.pendingSync) > 0 && !g.in(completingRebalance, stable):
		bad("end of the sync phase")
	case g.assigning && g.state != completingRebalance:
		bad("assigning")
	}
	for name, n := range supporters {
		if g.supporters[name] != n {
			bad("miscounted supporters of " + name)
		}
	}
	for id := range g.pendingSync {
		if g.members[id] == nil {
			bad("waits for the sync of " + id)
		}
	}
	return alarms + len(g.pendingJoin) + count(g.join) + count(g.sync)
}

func count(a alarm) int {
	if a.slot > 0 {
		return 1
	}
	return 0
}
