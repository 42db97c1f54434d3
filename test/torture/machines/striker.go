package machines

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// A Fault is one thing that goes wrong, or that an operator does, and ends.
type Fault struct {
	Name   string
	Strike func(*Striker)
	Needs  func(*Machines) error // why it cannot happen here; nil if it always can
}

// A Striker has faults happen to machines, one after the other, in an order that a seed decides.
type Striker struct {
	*Machines
	Random *rand.Rand
	// Longest bounds how long a fault lasts.
	Longest time.Duration

	t    testing.TB
	eye  *eye
	deck []Fault
	all  []Fault
}

// NewStriker returns one for these faults, Faults if none are named; those that this machine cannot have are left out, and
// named in the test's log.
func NewStriker(t testing.TB, m *Machines, seed uint64, names ...string) *Striker {
	t.Helper()
	e, err := newEye(m.Addrs())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.client.Close)
	s := &Striker{Machines: m, Random: rand.New(rand.NewPCG(seed, 0)), Longest: 4 * time.Second, t: t, eye: e}
	for _, f := range Faults {
		if len(names) > 0 && !slices.Contains(names, f.Name) {
			continue
		}
		if f.Needs != nil {
			if err := f.Needs(m); err != nil {
				t.Logf("without %s: %v", f.Name, err)
				continue
			}
		}
		s.all = append(s.all, f)
	}
	return s
}

// Strike has the next fault happen, and returns its name when it has ended. Every fault comes before one comes again.
func (s *Striker) Strike() string {
	s.t.Helper()
	if len(s.deck) == 0 {
		s.deck = slices.Clone(s.all)
		s.Random.Shuffle(len(s.deck), func(i, j int) { s.deck[i], s.deck[j] = s.deck[j], s.deck[i] })
	}
	f := s.deck[0]
	s.deck = s.deck[1:]
	f.Strike(s)
	return f.Name
}

// node draws one.
func (s *Striker) node() int { return s.Random.IntN(len(s.Nodes)) }

// two draws two.
func (s *Striker) two() (a, b int) {
	a = s.node()
	return a, (a + 1 + s.Random.IntN(len(s.Nodes)-1)) % len(s.Nodes)
}

// others are all nodes but one, and the clients.
func (s *Striker) others(n int) []int {
	others := []int{Clients}
	for o := range s.Nodes {
		if o != n {
			others = append(others, o)
		}
	}
	return others
}

// long draws how long a fault lasts.
func (s *Striker) long() time.Duration {
	const shortest = 100 * time.Millisecond
	return shortest + time.Duration(s.Random.Int64N(int64(s.Longest-shortest)))
}
