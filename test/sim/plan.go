package sim

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// Kind is a kind of fault.
type Kind string

// The kinds of faults.
const (
	Kill       Kind = "kill -9"             // a process ends; its machine goes on
	Power      Kind = "power failure"       // a machine loses what was not synced
	PowerAll   Kind = "power failure (all)" // all machines do, at once
	Restart    Kind = "restart"             // SIGTERM, and a new start
	Pause      Kind = "pause"               // SIGSTOP and SIGCONT, as far as others see them
	Cut        Kind = "cut"                 // nothing passes between two nodes
	CutOneWay  Kind = "cut one way"         // nothing passes from one node to another
	Isolate    Kind = "isolate"             // nothing passes between a node and the others
	Slow       Kind = "slow"                // a node's links take long
	Break      Kind = "break connections"   // connections of a node are reset
	SyncError  Kind = "failed sync"         // a disk refuses to sync, once
	WriteError Kind = "failed write"        // a disk refuses a write, once
	FullDisk   Kind = "full disk"           // a disk takes nothing more
	SlowDisk   Kind = "slow disk"           // syncs of a node's data take long
	Late       Kind = "late requests"       // a node's proposals of in-sync sets come once more
	ClockSet   Kind = "set clock"           // a machine's wall clock is wrong meanwhile
	Overtaken  Kind = "power failures of all, one after the other, with slow disks"
)

// kindsFor are the faults that say something about a cluster of a size.
func kindsFor(nodes int) []Kind {
	alone := []Kind{Kill, Power, Restart, Pause, Slow, Break, SyncError, WriteError, FullDisk}
	if nodes == 1 {
		return alone
	}
	return append(alone, PowerAll, Cut, CutOneWay, Isolate, Kill, Power, Isolate, SlowDisk, Late, Late, Overtaken)
}

// Fault is one fault of a plan.
type Fault struct {
	At, For     time.Duration // when it begins, and how long it lasts
	Kind        Kind
	Node, Other int // indices
	// Draw decides details: which unsynced writes a power failure keeps, say.
	Draw uint64
	// Clients: clients do not reach the node either.
	Clients bool
}

func (f Fault) String() string {
	text := fmt.Sprintf("%s of %s", f.Kind, nodeName(f.Node+1))
	switch f.Kind {
	case Cut, CutOneWay:
		text += " and " + nodeName(f.Other+1)
	case Overtaken:
		text = fmt.Sprintf("%s, first %s", f.Kind, nodeName(f.Node+1))
	case PowerAll:
		text = string(f.Kind)
	}
	if f.Clients {
		text += ", from clients, too"
	}
	if f.Kind == ClockSet {
		text += fmt.Sprintf(" %d s ahead", f.ahead())
	}
	return fmt.Sprintf("%s, for %v", text, f.For)
}

// Plan is what goes wrong in a run, in the order of time.
type Plan []Fault

func (p Plan) String() string {
	var lines []string
	for _, f := range p {
		lines = append(lines, fmt.Sprintf("%11.6f  %v", f.At.Seconds(), f))
	}
	return strings.Join(lines, "\n")
}

// draw makes the plan of a seed.
func draw(o Options) Plan {
	random := rand.New(rand.NewPCG(o.Seed, 1))
	kinds := o.kinds()
	var p Plan
	for at := between(random, 0, time.Second); at < o.Trouble; at += between(random, 200*time.Millisecond, 4*time.Second) {
		f := Fault{At: at, Kind: kinds[random.IntN(len(kinds))], Node: random.IntN(o.Nodes), Draw: random.Uint64()}
		f.Other = (f.Node + 1 + random.IntN(max(1, o.Nodes-1))) % o.Nodes
		f.For = lasting(random, 50*time.Millisecond, 12*time.Second)
		if f.Kind == PowerAll {
			f.For = min(f.For, 4*time.Second) // nothing happens meanwhile
		}
		f.Clients = f.Kind == Isolate && random.IntN(2) == 0
		p = append(p, f)
	}
	p = append(p, drawClocks(o)...)
	slices.SortStableFunc(p, func(a, b Fault) int { return cmp.Compare(a.At, b.At) })
	return p
}

// maxSkew is by how much clocks of machines are wrong. Producers' are by half an hour, and records may be an hour ahead
// (message.timestamp.after.max.ms).
const maxSkew = 25 * time.Minute

// drawClocks is what happens to clocks: with half of the seeds they are wrong from the start, and with all they are set meanwhile.
func drawClocks(o Options) (p Plan) {
	if o.Faults != nil && !slices.Contains(o.Faults, ClockSet) {
		return nil
	}
	random := rand.New(rand.NewPCG(o.Seed, 2))
	set := func(node int, at, lasts time.Duration) {
		p = append(p, Fault{Kind: ClockSet, Node: node, At: at, For: lasts, Draw: random.Uint64()})
	}
	if o.Seed/4%2 == 0 {
		for node := range o.Nodes {
			set(node, 0, o.Trouble)
		}
	}
	for at := between(random, 0, 4*time.Second); at < o.Trouble; at += between(random, time.Second, 8*time.Second) {
		set(random.IntN(o.Nodes), at, lasting(random, 100*time.Millisecond, 12*time.Second))
	}
	return p
}

// ahead is by how many seconds a clock is ahead.
func (f Fault) ahead() int64 {
	most := uint64(maxSkew / time.Second)
	return int64(f.Draw%(2*most+1)) - int64(most)
}

func between(random *rand.Rand, least, most time.Duration) time.Duration {
	return least + time.Duration(random.Int64N(int64(most-least)))
}

// lasting draws so that each doubling is as likely as the next.
func lasting(random *rand.Rand, least, most time.Duration) time.Duration {
	d := least
	for d < most && random.IntN(4) > 0 {
		d *= 2
	}
	return between(random, d, 2*d)
}
