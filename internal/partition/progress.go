package partition

import (
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
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
// who waited for that. The leader itself has what is on its stable storage.
func (p *Partition) advance() {
	if log := p.Log(); log.StableOffset() <= log.HighWatermark() {
		return // the common case after an append: the flusher has yet to run
	}
	p.mu.Lock()
	state, log := p.state.Load(), p.Log()
	stable := log.StableOffset()
	if p.gone.Load() != nil || stable <= log.HighWatermark() {
		p.mu.Unlock()
		return
	}
	if state.Leader != p.node || len(state.ISR) != 1 {
		flushed := takeUpTo(&p.mu.flushes, stable, nil)
		p.mu.Unlock()
		p.tell(news{commits: flushed}, nil)
		return
	}
	log.SetHighWatermark(stable)
	n := p.collect(stable, stable)
	p.mu.Unlock()
	p.tell(n, nil)
}

// become takes over the controller's word. When another broker leads now, requests that wait are told to find out which;
// when only the leader epoch is another one, fetches look again, as theirs may be too old.
func (p *Partition) become(next *metadata.Partition) {
	p.leadership.Lock()
	p.mu.Lock()
	prev := p.state.Swap(next)
	p.mu.Unlock()
	newEpoch := prev.LeaderEpoch != next.LeaderEpoch
	if newEpoch && next.Leader == p.node {
		p.Log().BeginEpoch(next.LeaderEpoch, p.Log().EndOffset())
	}
	p.leadership.Unlock()
	if prev.Leader == p.node && next.Leader != p.node {
		p.release(kafka.Errorf(kafka.NotLeaderOrFollower, "broker %d leads %s now", next.Leader, p.name))
		return
	}
	p.advance()
	if newEpoch {
		p.Nudge()
	}
}

// end is release for good: whoever comes later is told the first reason there was.
func (p *Partition) end(err error) {
	p.mu.Lock()
	p.gone.CompareAndSwap(nil, &err)
	p.mu.Unlock()
	p.release(err)
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
