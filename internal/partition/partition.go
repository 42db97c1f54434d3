package partition

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/ottla/ottla/internal/commitlog"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
)

// AnyEpoch as the leader epoch of a request means that the client did not say which one it knows (KIP-320).
const AnyEpoch int32 = -1

// Partition is one replica on this broker. Its methods may be called from any goroutine.
type Partition struct {
	name    kafka.TopicPartition
	topicID kafka.UUID
	node    int32
	set     *Set
	// home changes, under leadership and mu, when the replica moves to another log directory.
	home atomic.Pointer[home]

	traffic atomic.Pointer[Traffic]

	// leadership is held for reading while records are appended under the leader epoch that was looked up, and for
	// writing while the controller's word changes: no record of an older epoch lands behind the beginning of a newer
	// one. It is taken before mu.
	leadership sync.RWMutex

	// taking is held while what a leader answered is taken in: when the partition goes over to another fetcher, an answer to the one
	// before may still be on its way into the log. It is taken before leadership.
	taking sync.Mutex

	// state is the controller's word, replaced whole with every change, under leadership and mu.
	state    atomic.Pointer[metadata.Partition]
	settings atomic.Pointer[Settings]
	// gone is why the partition serves no more, nil while it does. It is set once, under mu.
	gone atomic.Pointer[error]

	// watched is the number of watchers, readable without the mutex: an append that nobody has to wait for is
	// made stable at once only if a consumer waits.
	watched atomic.Int32
	// tailed is the number of tails, likewise.
	tailed atomic.Int32

	mu struct {
		sync.Mutex
		commits []commit // waiting for the high watermark, by ascending offset
		flushes []commit // waiting for this broker's own stable storage, likewise
		// roleEpoch is the leader epoch with which this broker began or ceased to lead.
		roleEpoch int32
		watchers  []Watcher
		tails     []Watcher // hear of every append: followers' fetches
		spare     news      // memory for the next round

		// What a leader knows of the other replicas, nil on a follower; where its log ended when its leader epoch began; and the
		// change of the in-sync set whose outcome it awaits, or nil.
		followers  map[int32]*follower
		epochStart int64
		pending    *inSyncChange
		lows       map[*lowAwaiter]bool
	}
}

// home is where a replica lives.
type home struct {
	dir *commitlog.Dir
	log *commitlog.Log
}

func newPartition(s *Set, at home, state *metadata.Partition, settings *Settings) *Partition {
	log := at.log
	p := &Partition{name: log.TopicPartition(), topicID: log.TopicID(), node: s.options.Node, set: s}
	p.home.Store(&at)
	p.settings.Store(settings)
	p.state.Store(state)
	p.mu.roleEpoch = state.LeaderEpoch
	if state.Leader == p.node {
		p.beginEpoch(state, time.Now())
	}
	p.listen(log)
	p.advance()
	return p
}

// listen has the flusher tell of a log as long as the replica lives in it.
func (p *Partition) listen(log *commitlog.Log) {
	log.OnStable(func(stable int64, err error) {
		if p.Log() == log {
			p.stable(stable, err)
		}
	})
}

// Name is the topic and partition number.
func (p *Partition) Name() kafka.TopicPartition { return p.name }

// TopicID is the id of the topic; a topic created anew under the same name has another.
func (p *Partition) TopicID() kafka.UUID { return p.topicID }

// Log is the replica's log, for reading its facts: sizes, offsets, producers. Appending goes through Append. It is another
// one after a move to another directory.
func (p *Partition) Log() *commitlog.Log { return p.home.Load().log }

// Dir is the log directory that the replica lives in.
func (p *Partition) Dir() *commitlog.Dir { return p.home.Load().dir }

// State is the controller's word about the partition.
func (p *Partition) State() *metadata.Partition { return p.state.Load() }

// Settings are the topic's settings that are in force.
func (p *Partition) Settings() *Settings { return p.settings.Load() }

// Leading returns the controller's word if this broker leads the partition and the request's leader epoch is the
// current one (AnyEpoch: not checked). Otherwise FENCED_LEADER_EPOCH when the client is behind, UNKNOWN_LEADER_EPOCH
// when this broker is, NOT_LEADER_OR_FOLLOWER when another one leads.
func (p *Partition) Leading(epoch int32) (*metadata.Partition, error) {
	state, err := p.inEpoch(epoch)
	if err != nil {
		return nil, err
	}
	if state.Leader != p.node {
		return nil, kafka.Errorf(kafka.NotLeaderOrFollower, "broker %d does not lead %s; broker %d does", p.node, p.name, state.Leader)
	}
	return state, nil
}

// inEpoch is Leading for who does not ask for the leader.
func (p *Partition) inEpoch(epoch int32) (*metadata.Partition, error) {
	state := p.state.Load()
	if epoch != AnyEpoch && epoch != state.LeaderEpoch {
		if epoch < state.LeaderEpoch {
			return nil, kafka.Errorf(kafka.FencedLeaderEpoch, "the request's leader epoch %d for %s is older than the current one, %d", epoch, p.name, state.LeaderEpoch)
		}
		return nil, kafka.Errorf(kafka.UnknownLeaderEpoch, "the request's leader epoch %d for %s is newer than the one known here, %d", epoch, p.name, state.LeaderEpoch)
	}
	return state, nil
}
