package machines

import (
	"time"
)

// Faults are all that there are.
var Faults = []Fault{
	{Name: "kill -9", Strike: func(s *Striker) { s.killed(s.long(), s.node()) }},
	{Name: "kill -9 of the controller", Strike: func(s *Striker) { s.killed(s.long(), s.controller()) }},
	{Name: "kill -9 of two", Strike: func(s *Striker) { a, b := s.two(); s.killed(s.long(), a, b) }},
	{Name: "power cut", Strike: func(s *Striker) { s.killed(s.long()/4, s.everyone()...) }},
	{Name: "SIGSTOP", Strike: func(s *Striker) { s.paused(s.node()) }},
	{Name: "SIGSTOP of the controller", Strike: func(s *Striker) { s.paused(s.controller()) }},
	{Name: "cut off", Strike: func(s *Striker) { n := s.node(); s.cut(append(s.to(n), s.from(n)...)) }},
	{Name: "inbound cut", Strike: func(s *Striker) { s.cut(s.to(s.node())) }},
	{Name: "outbound cut", Strike: func(s *Striker) { s.cut(s.from(s.node())) }},
	{Name: "cut between two", Strike: func(s *Striker) { a, b := s.two(); s.cut([]pair{{a, b}, {b, a}}) }},
	{Name: "cut one way between two", Strike: func(s *Striker) { a, b := s.two(); s.cut([]pair{{a, b}}) }},
	{Name: "cut from the clients", Strike: func(s *Striker) { n := s.node(); s.cut([]pair{{n, Clients}, {Clients, n}}) }},
	{Name: "slow cable", Strike: slowCable},
	{Name: "disk full to the reserve", Strike: func(s *Striker) { s.full(4 << 20) }, Needs: smallDiskMissing},
	{Name: "disk full to the last byte", Strike: func(s *Striker) { s.full(0) }, Needs: smallDiskMissing},
	{Name: "disk replaced", Strike: func(s *Striker) { s.replaced(s.node()) }},
	{Name: "disk of the controller replaced", Strike: func(s *Striker) { s.replaced(s.controller()) }},
	{Name: "restart", Strike: func(s *Striker) { s.roll(s.node()) }},
	{Name: "rolling restart", Strike: rollingRestart},
	{Name: "leaders moved", Strike: leadersMoved},
	{Name: "replicas moved", Strike: func(s *Striker) { s.reassign(); time.Sleep(s.long() / 4) }},
	{Name: "replicas moved, kill -9", Strike: func(s *Striker) { s.reassign(); s.killed(s.long(), s.node()) }},
	{Name: "replicas moved, kill -9 of the controller", Strike: func(s *Striker) { s.reassign(); s.killed(s.long(), s.controller()) }},
}

func (s *Striker) everyone() (all []int) {
	for n := range s.Nodes {
		all = append(all, n)
	}
	return all
}

// killed ends processes at the same moment, and starts them again at the same time.
func (s *Striker) killed(long time.Duration, nodes ...int) {
	s.t.Helper()
	s.kill(nodes...)
	time.Sleep(long)
	s.start(nodes...)
}

func (s *Striker) paused(n int) {
	s.t.Helper()
	s.Nodes[n].Pause()
	time.Sleep(s.long())
	s.Nodes[n].Resume()
}

// to are the cables by which a node is reached, from those by which it reaches others.
func (s *Striker) to(n int) (cables []pair) {
	for _, o := range s.others(n) {
		cables = append(cables, pair{o, n})
	}
	return cables
}

func (s *Striker) from(n int) (cables []pair) {
	for _, o := range s.others(n) {
		cables = append(cables, pair{n, o})
	}
	return cables
}

func (s *Striker) cut(cables []pair) {
	s.Cables.set(state{cut: true}, cables...)
	time.Sleep(s.long())
	s.Cables.set(state{}, cables...)
}

// slowCable delays every byte to and from a node, and bounds how many come in a second.
func slowCable(s *Striker) {
	n := s.node()
	cables := append(s.to(n), s.from(n)...)
	s.Cables.set(state{delay: time.Duration(5+s.Random.IntN(150)) * time.Millisecond, rate: 1 << (16 + s.Random.IntN(5))}, cables...)
	time.Sleep(s.long())
	s.Cables.set(state{}, cables...)
}

func smallDiskMissing(m *Machines) error { return m.SmallMissing }

// full takes the room of the small disk away but for some bytes, and gives it back.
func (s *Striker) full(free int64) {
	s.t.Helper()
	if err := s.Small.Fill(free); err != nil {
		s.t.Fatal(err)
	}
	time.Sleep(s.long())
	if err := s.Small.Clear(); err != nil {
		s.t.Fatal(err)
	}
}

// replaced gives a node an empty disk, as long as no other replica is behind: what is on one disk alone goes with it. Nothing
// else happens until the node has everything again.
func (s *Striker) replaced(n int) {
	s.t.Helper()
	s.Settle()
	s.kill(n)
	s.Nodes[n].Wipe()
	if s.Random.IntN(2) == 0 { // at once, or after the others have noticed
		time.Sleep(s.long())
	}
	s.start(n)
	s.Settle()
}

func rollingRestart(s *Striker) {
	for n := range s.Nodes {
		s.roll(n)
		s.Settle()
	}
}
