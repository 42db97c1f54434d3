package machines

import (
	"os"
	"testing"

	"github.com/ottla/ottla/test/harness"
)

// Machines are the nodes of a cluster with their cables and disks.
type Machines struct {
	*harness.Cluster
	Cables *Cables
	Small  *Disk // of the last node; nil where small disks cannot be made, and SmallMissing says why

	SmallMissing error

	t testing.TB
}

// Start starts a cluster of so many nodes, which are reached through cables alone. props are as in harness.Start.
func Start(t testing.TB, nodes int, props ...string) *Machines {
	t.Helper()
	m := &Machines{t: t}
	var places []harness.Place
	m.Cables, places = newCables(t, nodes)
	if m.Small, m.SmallMissing = newDisk(t, smallDisk); m.Small != nil {
		places[nodes-1].Dir, places[nodes-1].Within = m.Small.inside, m.Small.within()
	}
	m.Cluster = harness.StartClusterAt(t, places, props...)
	if m.Small != nil {
		m.Nodes[nodes-1].Dir = m.Small.outside // where this process sees it
	}
	return m
}

// kill ends the processes of nodes at the same moment, as a failure of their power does.
func (m *Machines) kill(nodes ...int) {
	m.t.Helper()
	for _, n := range nodes {
		m.Cables.unplug(n)
	}
	// All get the signal before the end of one is waited for.
	for _, n := range nodes {
		if p, err := os.FindProcess(m.Nodes[n].PID); err == nil {
			p.Kill()
		}
	}
	for _, n := range nodes {
		m.Nodes[n].Kill9()
	}
}

// start starts the processes of nodes, and waits until they answer.
func (m *Machines) start(nodes ...int) {
	m.t.Helper()
	var all []*harness.Broker
	for _, n := range nodes {
		m.Cables.plug(m.t, n)
		all = append(all, m.Nodes[n])
	}
	m.Restart(all...)
}

// roll restarts a node as an operator does. Its listeners are reached until it closes them itself.
func (m *Machines) roll(n int) {
	m.t.Helper()
	m.Nodes[n].Stop()
	m.Restart(m.Nodes[n])
}
