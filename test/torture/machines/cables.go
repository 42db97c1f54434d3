package machines

import (
	"sync"
	"testing"
	"time"

	"github.com/ottla/ottla/test/harness"
)

// Clients are at the other end of a cable that does not go to a node.
const Clients = -1

// A pair is the direction of a cable: from one node, or the clients, to another.
type pair struct{ from, to int }

// Cables connect the nodes of a cluster with each other, and with their clients.
type Cables struct {
	fronts [][]*front // by node

	mu struct {
		sync.Mutex
		states  map[pair]state
		changed chan struct{} // closed with every change
	}
}

// A state is how a cable is in one direction.
type state struct {
	cut   bool
	delay time.Duration // of every byte
	rate  int           // bytes per second; 0: without a bound
}

// newCables returns whole cables in front of so many nodes, with where those are to listen.
func newCables(t testing.TB, nodes int) (*Cables, []harness.Place) {
	t.Helper()
	c := &Cables{}
	c.mu.states, c.mu.changed = map[pair]state{}, make(chan struct{})
	var places []harness.Place
	for n := range nodes {
		endpoint := func(forClients bool) harness.Endpoint {
			f := &front{cables: c, node: n, forClients: forClients, at: harness.Endpoint{Front: harness.FreeAddr(t), Behind: harness.FreeAddr(t)}}
			c.fronts[n] = append(c.fronts[n], f)
			return f.at
		}
		c.fronts = append(c.fronts, nil)
		places = append(places, harness.Place{Clients: endpoint(true), Brokers: endpoint(false), Controllers: endpoint(false)})
	}
	for n := range nodes {
		c.plug(t, n)
	}
	t.Cleanup(func() {
		c.set(state{}, c.all(nodes)...)
		for n := range nodes {
			c.unplug(n)
		}
	})
	return c, places
}

// plug lets the listeners of a node be reached.
func (c *Cables) plug(t testing.TB, n int) {
	t.Helper()
	for _, f := range c.fronts[n] {
		if err := f.open(); err != nil {
			t.Fatal(err)
		}
	}
}

// unplug has the listeners of a node refuse connections, and ends those that are there: what others see when its process
// ends. It comes before that, as nobody may be accepted in the name of a process that is gone.
func (c *Cables) unplug(n int) {
	for _, f := range c.fronts[n] {
		f.close()
	}
}

// set changes the state of cables.
func (c *Cables) set(s state, pairs ...pair) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, p := range pairs {
		c.mu.states[p] = s
	}
	close(c.mu.changed)
	c.mu.changed = make(chan struct{})
}

// state returns how a cable is, and what is closed when that may have changed.
func (c *Cables) state(p pair) (state, <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.mu.states[p], c.mu.changed
}

// all are the cables between so many nodes, and to the clients.
func (c *Cables) all(nodes int) (all []pair) {
	for from := Clients; from < nodes; from++ {
		for to := Clients; to < nodes; to++ {
			all = append(all, pair{from, to})
		}
	}
	return all
}
