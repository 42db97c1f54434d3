package group

// report implements reporter.
func (g *classicGroup) report(_ *Coordinator, r *Report) {
	r.Since, r.Epoch, r.Protocol = g.since, g.generation, g.protocol
	for _, m := range g.ordered() {
		r.Members = append(r.Members, ReportedMember{
			Who: m.who(), SessionTimeout: m.sessionTimeout.Milliseconds(), RebalanceTimeout: m.rebalanceTimeout.Milliseconds(),
			Awaited: g.state == preparingRebalance && m.joining == nil || g.pendingSync[m.id],
		})
	}
	for _, a := range []*alarm{&g.join, &g.sync} {
		if a.slot > 0 {
			r.Until = a.due
		}
	}
}

// who is a member as causes tell it.
func (m *classicMember) who() Who {
	return Who{
		MemberID: m.id, InstanceID: textOf(m.instanceID), ClientID: m.clientID, Host: m.clientHost,
		Software: m.software, SoftwareVersion: m.softwareVersion,
	}
}
