package partition

import (
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/planted"
)

// stable is what the log's flusher calls: more is on stable storage, or what is pending never will be.
func (p *Partition) stable(_ int64, err error) {
	if err != nil {
		p.end(err)
		return
	}
	p.advance()
}

// commit has everything below offset made stable, because somebody waits. A topic with write.caching is stable as soon as
// it is written, which the flusher does not tell.
func (p *Partition) commit(offset int64) {
	p.Log().Commit(offset)
	p.advance()
}

// advance moves the high watermark of a partition that this broker leads to what every in-sync replica has, and tells
// who waited for that, or for this broker's own stable storage.
func (p *Partition) advance() {
	if log := p.Log(); p.state.Load().Leader == p.node && log.StableOffset() <= log.HighWatermark() {
		return // the common case after an append: the flusher has yet to run
	}
	p.mu.Lock()
	state, log := p.state.Load(), p.Log()
	stable, high := log.StableOffset(), log.HighWatermark()
	if p.gone.Load() != nil {
		p.mu.Unlock()
		return
	}
	committed := high
	if state.Leader == p.node {
		committed = p.committed(state, stable, high)
	}
	if committed <= high {
		flushed := takeUpTo(&p.mu.flushes, stable, nil)
		p.mu.Unlock()
		if len(flushed) > 0 {
			p.tell(news{commits: flushed}, nil)
		}
		return
	}
	log.SetHighWatermark(committed)
	n := p.collect(committed, stable)
	p.mu.Unlock()
	p.tell(n, nil)
}

// committed is up to where all have the log that count: this broker what is on its stable storage, the followers of the
// maximal ISR, and those on the point of joining it, what they say they have. Below min.insync.replicas nothing more is
// committed: the replicas that left the set have all that is, and may therefore be elected (KIP-966). The caller holds p.mu.
func (p *Partition) committed(state *metadata.Partition, stable, high int64) int64 {
	if len(state.ISR) < p.settings.Load().effectiveMinISR(state) {
		return high
	}
	if planted.In(planted.EarlyWatermark) {
		return stable
	}
	var now time.Time
	end := int64(-1)
	for id, f := range p.mu.followers {
		if f.end >= stable {
			continue
		}
		if !p.inMaximalISR(state, id) {
			if end < 0 {
				now, end = time.Now(), p.Log().EndOffset()
			}
			if !p.awaitsJoin(id, f, end, now) {
				continue
			}
		}
		stable = f.end
	}
	return stable
}

// become takes over the controller's word, unless an answer of the controller to this leader was newer. When another broker
// leads now, requests that wait are told to find out which; when only the leader epoch is another one, fetches look again, as
// theirs may be too old.
func (p *Partition) become(next *metadata.Partition) {
	p.leadership.Lock()
	p.mu.Lock()
	prev := p.state.Load()
	if next.PartitionEpoch < prev.PartitionEpoch {
		p.mu.Unlock()
		p.leadership.Unlock()
		return
	}
	p.state.Store(next)
	if next.PartitionEpoch > prev.PartitionEpoch {
		p.mu.pending = nil
	}
	now := time.Now()
	if (prev.Leader == p.node) != (next.Leader == p.node) {
		p.mu.roleEpoch = next.LeaderEpoch
	}
	newEpoch := prev.LeaderEpoch != next.LeaderEpoch || prev.Leader != next.Leader
	switch {
	case next.Leader != p.node:
		p.mu.followers, p.mu.pending = nil, nil
	case newEpoch:
		p.beginEpoch(next, now)
	default:
		p.keepFollowers(prev, next, now)
	}
	p.mu.Unlock()
	p.leadership.Unlock()
	p.checkLow()
	if prev.Leader == p.node && next.Leader != p.node {
		p.release(notLeader(p, next.Leader))
		return
	}
	p.advance()
	if next.Leader == p.node && !newEpoch {
		p.expand(now)
	}
	if newEpoch || len(prev.Replicas) != len(next.Replicas) {
		p.Nudge()
	}
}

// notLeader is what those hear who wait for an append of the time when this broker led.
func notLeader(p *Partition, leader int32) error {
	return kafka.Errorf(kafka.NotLeaderOrFollower, "broker %d leads %s now", leader, p.name)
}

// beginEpoch has this broker lead under a new leader epoch. What others have is not known before they fetch, nor whether
// their logs are the same; the high watermark stays where this broker knows it to be, until those in sync have told. The
// caller holds p.leadership and p.mu, or is the only one who knows of p.
func (p *Partition) beginEpoch(state *metadata.Partition, now time.Time) {
	p.mu.epochStart = p.Log().EndOffset()
	p.Log().BeginEpoch(state.LeaderEpoch, p.mu.epochStart)
	p.mu.followers = newFollowers(p.node, state, now)
	p.mu.pending = nil
}

// end is release for good: whoever comes later is told the first reason there was.
func (p *Partition) end(err error) {
	p.mu.Lock()
	p.gone.CompareAndSwap(nil, &err)
	p.mu.Unlock()
	p.release(err)
	p.checkLow()
}

// Gone returns why the partition serves no more: UNKNOWN_TOPIC_OR_PARTITION after its deletion, KAFKA_STORAGE_ERROR
// when its log directory has failed; nil while it serves.
func (p *Partition) Gone() error {
	if err := p.gone.Load(); err != nil {
		return *err
	}
	return nil
}

func errDeleted(name kafka.TopicPartition) error {
	return kafka.Errorf(kafka.UnknownTopicOrPartition, "%s was deleted", name)
}
