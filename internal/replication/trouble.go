package replication

import "github.com/ottla/ottla/internal/partition"

// Trouble is why a replica of this broker does not keep up, as far as its fetcher knows.
type Trouble struct {
	// Failures is how many fetches failed in a row, the last with Err. After an election a few are usual.
	Failures int
	Err      error
	// Throttled says that the replica is held to follower.replication.throttled.rate while it is not in sync.
	Throttled bool
}

// Trouble tells what a replica suffers from; nothing for one that is not followed here.
func (m *Followers) Trouble(p *partition.Partition) Trouble {
	k := keyOf(p)
	m.mu.Lock()
	f := m.mu.at[k]
	m.mu.Unlock()
	if f == nil {
		return Trouble{}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	x := f.mu.following[k]
	switch {
	case x == nil:
		return Trouble{}
	case x.failures > 0:
		return Trouble{Failures: x.failures, Err: x.err}
	case f.mu.failures > 0:
		return Trouble{Failures: f.mu.failures, Err: f.mu.err}
	}
	throttle, state := m.options.Throttle, p.State()
	return Trouble{Throttled: throttle != nil && !state.InSync(m.options.Node) && throttle.Throttled(p)}
}
