package replication

import (
	"hash/maphash"
	"log/slog"
	"sync"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metrics"
	"github.com/ottla/ottla/internal/partition"
	"github.com/ottla/ottla/internal/wire"
)

// Settings of the fetchers, by the names of Kafka's properties.
type Settings struct {
	MaxWait           time.Duration // replica.fetch.wait.max.ms
	MinBytes          int           // replica.fetch.min.bytes
	MaxBytes          int           // replica.fetch.response.max.bytes
	PartitionMaxBytes int           // replica.fetch.max.bytes
	Backoff           time.Duration // replica.fetch.backoff.ms: the longest pause after a failed fetch
	Timeout           time.Duration // replica.socket.timeout.ms
	Fetchers          int           // num.replica.fetchers
}

// Options say for which broker a Followers works.
type Options struct {
	// Node is the broker's id, BrokerEpoch the epoch of its registration at the moment.
	Node        int32
	BrokerEpoch func() int64
	Settings    func() Settings
	// Send sends a Fetch to a broker, over a connection of its own for each pair of leader and fetcher, and calls done once:
	// when the response is there, whose records are valid until done returns, or with what went wrong. Requests
	// arrive in the order of Send, and are answered in that order. It does not block.
	Send func(leader int32, fetcher int, rq *wire.FetchRequest, response *wire.FetchResponse, timeout time.Duration, done func(error))
	// Throttle, if not nil, reports whether a partition that is not in sync must not be fetched now
	// (follower.replication.throttled.rate), and is told what was fetched.
	Throttle Throttle
	Metrics  *metrics.Registry // nil keeps the numbers to itself
	Logger   *slog.Logger      // nil: says nothing
}

// Throttle holds back replicas that catch up.
type Throttle interface {
	// Throttled reports whether the replica is one of those that are throttled.
	Throttled(p *partition.Partition) bool
	// Wait is how long throttled replicas have to pause; 0: not at all.
	Wait(now time.Time) time.Duration
	// Took counts bytes of throttled replicas that catch up, TookInSync of those in sync.
	Took(now time.Time, bytes int)
	TookInSync(now time.Time, bytes int)
}

// Followers has the partitions of this broker follow their leaders. Its methods may be called from any goroutine.
type Followers struct {
	options Options
	seed    maphash.Seed
	numbers *numbers
	done    sync.WaitGroup

	mu struct {
		sync.Mutex
		fetchers map[place]*fetcher
		at       map[key]*fetcher
		closed   bool
	}
}

// place is which fetcher of which leader.
type place struct {
	leader int32
	index  int
}

// key names a partition as requests do.
type key struct {
	topic     kafka.UUID
	partition int32
}

func keyOf(p *partition.Partition) key { return key{p.TopicID(), p.Name().Partition} }

// New returns a Followers that follows nobody.
func New(o Options) *Followers {
	if o.Metrics == nil {
		o.Metrics = metrics.NewRegistry()
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	m := &Followers{options: o, seed: maphash.MakeSeed()}
	m.mu.fetchers, m.mu.at = map[place]*fetcher{}, map[key]*fetcher{}
	m.numbers = newNumbers(m)
	return m
}

// Update looks at what the controller says of a partition that this broker hosts, or hosted until now: it is followed under
// its leader epoch, or not any more. It does not block; partition.Options.Role may be it.
func (m *Followers) Update(p *partition.Partition) {
	k, state := keyOf(p), p.State()
	follows := p.Gone() == nil && state.Leader >= 0 && state.Leader != m.options.Node
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.mu.closed {
		return
	}
	before := m.mu.at[k]
	if !follows {
		// The replica may be hosted anew already, and that one be followed.
		if before != nil && before.partition(k) == p {
			delete(m.mu.at, k)
			before.drop(k)
		}
		return
	}
	at := m.fetcher(place{state.Leader, m.indexOf(k)})
	if before != nil && before != at {
		before.drop(k)
	}
	m.mu.at[k] = at
	at.follow(k, p, state.LeaderEpoch)
}

// Spread distributes the partitions again: num.replica.fetchers has changed.
func (m *Followers) Spread() {
	m.mu.Lock()
	var all []*partition.Partition
	for k, f := range m.mu.at {
		if p := f.partition(k); p != nil && f.place.index != m.indexOf(k) {
			all = append(all, p)
		}
	}
	m.mu.Unlock()
	for _, p := range all {
		m.Update(p)
	}
}

func (m *Followers) indexOf(k key) int {
	n := max(1, m.options.Settings().Fetchers)
	if n == 1 {
		return 0
	}
	return int(maphash.Comparable(m.seed, k) % uint64(n))
}

// fetcher returns the one of a place. The caller holds m.mu.
func (m *Followers) fetcher(at place) *fetcher {
	f := m.mu.fetchers[at]
	if f == nil {
		f = newFetcher(m, at)
		m.mu.fetchers[at] = f
		m.done.Go(f.run)
	}
	return f
}

// Reconnected has the fetchers of a leader ask at once, whatever pause they make: it can be reached again.
func (m *Followers) Reconnected(leader int32) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for at, f := range m.mu.fetchers {
		if at.leader == leader {
			f.hurry()
		}
	}
}

// Close ends all fetching and returns when nothing is appended any more. Requests on their way are not waited for, unless
// their answer is being taken in.
func (m *Followers) Close() {
	m.mu.Lock()
	m.mu.closed = true
	for _, f := range m.mu.fetchers {
		f.close()
	}
	m.mu.Unlock()
	m.done.Wait()
}

// all returns the fetchers.
func (m *Followers) all() []*fetcher {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := make([]*fetcher, 0, len(m.mu.fetchers))
	for _, f := range m.mu.fetchers {
		all = append(all, f)
	}
	return all
}
