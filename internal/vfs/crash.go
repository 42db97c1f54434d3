package vfs

import (
	"maps"
	"math/rand/v2"
	"slices"
)

// Loss says what a power failure does to what was not synced. The zero value loses all of it.
type Loss struct {
	keep keep
	seed uint64
	tear int64
}

type keep uint8

const (
	keepNothing keep = iota
	keepEverything
	keepSome
)

// LoseUnsynced is a crash after which only what was synced is there.
func LoseUnsynced() Loss { return Loss{} }

// KeepUnsynced is a crash of the process alone: the operating system had written everything.
func KeepUnsynced() Loss { return Loss{keep: keepEverything} }

// KeepSome is a crash that keeps a random subset of what was not synced: of the changes of each
// directory, and of the writes and truncations of each file. With tear > 0 a write survives in pieces cut
// at multiples of tear bytes of the file (512 and 4096 are the sectors of real disks).
func KeepSome(seed uint64, tear int) Loss {
	return Loss{keep: keepSome, seed: seed, tear: int64(tear)}
}

// Crash returns an independent disk as a machine would find it after the power failed now. Nothing on it is
// locked or open, and all that is there is durable. The same state and loss give the same disk.
func (m *Memory) Crash(loss Loss) *Memory {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := crash{loss: loss, random: rand.New(rand.NewPCG(loss.seed, 0)), done: map[*node]*node{}}
	after := NewMemory()
	after.mu.root = c.clone(m.mu.root)
	after.mu.size = m.mu.size
	after.forget(after.mu.root)
	after.mu.used = -after.mu.used
	return after
}

type crash struct {
	loss   Loss
	random *rand.Rand
	done   map[*node]*node // a node that two names reach stays one node
}

// survives decides about one unsynced change.
func (c *crash) survives() bool {
	switch c.loss.keep {
	case keepEverything:
		return true
	case keepSome:
		return c.random.IntN(2) == 0
	}
	return false
}

func (c *crash) clone(n *node) *node {
	if copied := c.done[n]; copied != nil {
		return copied
	}
	copied := &node{mode: n.mode, modified: n.modified}
	c.done[n] = copied
	if !n.isDir() {
		copied.durable = c.content(n)
		copied.data = slices.Clone(copied.durable)
		return copied
	}
	names := maps.Clone(n.durableEntries)
	for _, change := range n.namings {
		if c.survives() {
			change.applyTo(names)
		}
	}
	copied.entries = make(map[string]*node, len(names))
	copied.durableEntries = make(map[string]*node, len(names))
	for _, name := range slices.Sorted(maps.Keys(names)) {
		child := c.clone(names[name])
		copied.entries[name] = child
		copied.durableEntries[name] = child
	}
	return copied
}

func (c *crash) content(n *node) []byte {
	content := slices.Clone(n.durable)
	for _, change := range n.changes {
		for piece := range change.pieces(c.loss.tear) {
			if c.survives() {
				content = piece.applyTo(content)
			}
		}
	}
	return content
}

// pieces cuts a write at multiples of tear; a truncation, and any change if tear is 0, is one piece.
func (c change) pieces(tear int64) func(yield func(change) bool) {
	return func(yield func(change) bool) {
		if tear <= 0 || c.data == nil {
			yield(c)
			return
		}
		for rest := c; len(rest.data) > 0; {
			size := min(int64(len(rest.data)), tear-rest.off%tear)
			if !yield(change{off: rest.off, data: rest.data[:size]}) {
				return
			}
			rest = change{off: rest.off + size, data: rest.data[size:]}
		}
	}
}
