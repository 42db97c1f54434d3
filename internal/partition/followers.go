package partition

import (
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/planted"
)

// Fetched is what the Fetch of a follower says about it.
type Fetched struct {
	Broker int32
	// BrokerEpoch is that of the follower's registration, -1 if it does not say (KIP-903).
	BrokerEpoch int64
	// Durable is up to where the follower has the log on stable storage, or in its page cache for a topic with
	// write.caching=true; -1 if it does not say: then everything below the offset that it fetches counts.
	Durable int64
	// Start is where the follower's log begins; -1 if it does not say.
	Start int64
	Now   time.Time
	// Again says that the same request is read once more after it has waited: it tells nothing new.
	Again bool
}

// follower is what the leader knows of another replica (Kafka's Replica).
type follower struct {
	// end is up to where the follower has the log, safely; unknownEnd before its first fetch in this leader epoch.
	end         int64
	start       int64
	brokerEpoch int64 // of its last fetch; noBrokerEpoch before
	// caughtUp is when the follower was last known to have everything there was.
	caughtUp time.Time
	// leaderEnd is where the leader's log ended at the time of the last fetch, fetched: once the follower fetches from there,
	// it has caught up with that moment.
	leaderEnd int64
	fetched   time.Time
	// out says that the controller took the follower out of the in-sync set, or did not let it in, and that it has not fetched
	// all that is committed since: what it said before does not count. Its log directory may be offline, or short of room,
	// while its broker lives.
	out bool
}

const (
	unknownEnd    int64 = -1
	noBrokerEpoch int64 = -2
)

// newFollowers is what a new leader knows: those in sync are taken to be so until they have been silent for
// replica.lag.time.max.ms.
func newFollowers(node int32, state *metadata.Partition, now time.Time) map[int32]*follower {
	all := make(map[int32]*follower, len(state.Replicas))
	for _, id := range state.Replicas {
		if id != node {
			all[id] = newFollower(state.InSync(id), now)
		}
	}
	return all
}

func newFollower(inSync bool, now time.Time) *follower {
	f := &follower{end: unknownEnd, start: -1, brokerEpoch: noBrokerEpoch, leaderEnd: unknownEnd}
	if inSync {
		f.caughtUp = now
	}
	return f
}

// keepFollowers takes over a change of the replicas, or of those in sync, within one leader epoch. The caller holds p.mu.
func (p *Partition) keepFollowers(prev, state *metadata.Partition, now time.Time) {
	for id, f := range p.mu.followers {
		if !state.IsReplica(id) {
			delete(p.mu.followers, id)
		}
		if prev.InSync(id) && !state.InSync(id) {
			f.out = true
		}
	}
	for _, id := range state.Replicas {
		if id != p.node && p.mu.followers[id] == nil {
			p.mu.followers[id] = newFollower(state.InSync(id), now)
		}
	}
}

// note takes down a fetch; leaderEnd is where the leader's log ended before it was read for the follower.
func (f *follower) note(offset, leaderEnd int64, x *Fetched) {
	end := offset
	if x.Durable >= 0 && !planted.In(planted.CountUnsynced) {
		end = min(end, x.Durable)
	}
	switch {
	case end >= leaderEnd:
		f.caughtUp = later(f.caughtUp, x.Now)
	case f.leaderEnd != unknownEnd && end >= f.leaderEnd:
		f.caughtUp = later(f.caughtUp, f.fetched)
	}
	f.end, f.start, f.brokerEpoch = end, x.Start, x.BrokerEpoch
	f.leaderEnd, f.fetched = leaderEnd, x.Now
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// isCaughtUp reports whether the follower has everything, or had it at some time in the last lag.
func (f *follower) isCaughtUp(leaderEnd int64, now time.Time, lag time.Duration) bool {
	return f.end == leaderEnd || now.Sub(f.caughtUp) <= lag
}

// fetchedBy notes what a follower has, which may move the high watermark and bring the follower into the in-sync set. epoch
// is the leader epoch under which its offset was compared with the log, asked the one in the request. Errors: FENCED_LEADER_EPOCH if that has
// passed, UNKNOWN_LEADER_EPOCH if the broker is not known as a replica (yet), NOT_LEADER_OR_FOLLOWER for the fetch of an
// earlier incarnation of the broker.
func (p *Partition) fetchedBy(x *Fetched, epoch, asked int32, offset, leaderEnd int64) error {
	current, known := p.set.brokerEpoch(x.Broker)
	p.mu.Lock()
	state := p.state.Load()
	if state.Leader != p.node || state.LeaderEpoch != epoch {
		p.mu.Unlock()
		return kafka.Errorf(kafka.FencedLeaderEpoch, "the leader epoch of %s changed from %d to %d while it was fetched", p.name, epoch, state.LeaderEpoch)
	}
	f := p.mu.followers[x.Broker]
	if f == nil {
		p.mu.Unlock()
		code := kafka.UnknownLeaderEpoch // the follower may know better
		if asked == AnyEpoch {
			code = kafka.NotLeaderOrFollower
		}
		return kafka.Errorf(code, "broker %d is not known as a replica of %s in leader epoch %d, partition epoch %d", x.Broker, p.name, state.LeaderEpoch, state.PartitionEpoch)
	}
	if x.BrokerEpoch != -1 && known && x.BrokerEpoch < current {
		p.mu.Unlock()
		return kafka.Errorf(kafka.NotLeaderOrFollower, "the fetch of %s by broker %d is of its broker epoch %d, which has registered anew since as %d", p.name, x.Broker, x.BrokerEpoch, current)
	}
	before := f.end
	f.note(offset, leaderEnd, x)
	f.out = f.out && f.end < p.Log().HighWatermark()
	moved, lows := before != f.end, len(p.mu.lows)
	change := p.expansion(state, x.Now)
	p.mu.Unlock()
	p.propose(change)
	if moved {
		p.advance()
	}
	if lows > 0 {
		p.checkLow()
	}
	return nil
}

// Lag is how many records a follower is behind this leader's log end; known is false if it has not fetched in this leader
// epoch.
func (p *Partition) Lag(broker int32) (records int64, known bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f := p.mu.followers[broker]
	if f == nil || f.end == unknownEnd {
		return 0, false
	}
	return max(0, p.Log().EndOffset()-f.end), true
}

// Replica is what a leader knows of another replica.
type Replica struct {
	Broker int32
	// Lag is how many records it is behind the leader's log end, -1 if it has not fetched in this leader epoch.
	Lag int64
	// CaughtUp is when it was last known to have everything there was; zero if not in this leader epoch.
	CaughtUp time.Time
	// Throttled says that it is held to leader.replication.throttled.rate while it is not in sync.
	Throttled bool
}

// Others describes the other replicas of a partition that this broker leads, in the order of the assignment.
func (p *Partition) Others() (all []Replica) {
	p.mu.Lock()
	defer p.mu.Unlock()
	state, end := p.state.Load(), p.Log().EndOffset()
	throttled := p.set.leaderThrottle.Throttled(p)
	for _, id := range state.Replicas {
		f := p.mu.followers[id]
		if f == nil {
			continue
		}
		r := Replica{Broker: id, Lag: -1, CaughtUp: f.caughtUp, Throttled: throttled && !state.InSync(id)}
		if f.end != unknownEnd {
			r.Lag = max(0, end-f.end)
		}
		all = append(all, r)
	}
	return all
}
