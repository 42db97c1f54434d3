package group

import "github.com/ottla/ottla/internal/causes"

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
	return whoIs(causes.Client{ID: m.clientID, Host: m.clientHost, Software: m.software, SoftwareVersion: m.softwareVersion}, m.id, m.instanceID)
}
