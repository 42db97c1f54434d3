package partition

import (
	"github.com/ottla/ottla/internal/kafka"
)

// ClosestReplica is the follower that a consumer in a rack had better read from (KIP-392, as Kafka's
// RackAwareReplicaSelector chooses): one in its rack that is in sync and has the offset, the one with the longest log, and of
// those the one that caught up last. found is false if this leader itself is as good.
func (p *Partition) ClosestReplica(rack string, offset int64) (broker int32, found bool) {
	image := p.set.currentImage()
	inRack := func(id int32) bool {
		b := image.Broker(id)
		return b != nil && !b.Fenced && b.Rack != nil && *b.Rack == rack
	}
	if rack == "" || inRack(p.node) {
		return 0, false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	state := p.state.Load()
	if state.Leader != p.node || offset > p.Log().HighWatermark() {
		return 0, false // nobody has what is not there
	}
	var best *follower
	for _, id := range state.Replicas {
		f := p.mu.followers[id]
		if f == nil || !state.InSync(id) || f.end < offset || f.start > offset || !inRack(id) {
			continue
		}
		if best == nil || f.end > best.end || f.end == best.end && f.caughtUp.After(best.caughtUp) {
			best, broker, found = f, id, true
		}
	}
	return broker, found
}

// lowAwaiter is who waits until all replicas have deleted what is below an offset.
type lowAwaiter struct {
	offset int64
	done   func(low int64, err error)
}

// AwaitLow calls done with the low watermark, the lowest log start of the replicas that are alive, once that is at least
// offset; or with why it never will be. stop, if it is true, keeps done from being called.
func (p *Partition) AwaitLow(offset int64, done func(low int64, err error)) (stop func() bool) {
	w := &lowAwaiter{offset, done}
	p.mu.Lock()
	if p.mu.lows == nil {
		p.mu.lows = map[*lowAwaiter]bool{}
	}
	p.mu.lows[w] = true
	p.mu.Unlock()
	p.checkLow()
	return func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		waits := p.mu.lows[w]
		delete(p.mu.lows, w)
		return waits
	}
}

// checkLow tells those whose records are gone everywhere, and all when this broker leads no more.
func (p *Partition) checkLow() {
	p.mu.Lock()
	if len(p.mu.lows) == 0 {
		p.mu.Unlock()
		return
	}
	err := p.Gone()
	if state := p.state.Load(); err == nil && state.Leader != p.node {
		err = kafka.Errorf(kafka.NotLeaderOrFollower, "broker %d leads %s now", state.Leader, p.name)
	}
	low := p.low()
	var told []*lowAwaiter
	for w := range p.mu.lows {
		if err != nil || low >= w.offset {
			told = append(told, w)
			delete(p.mu.lows, w)
		}
	}
	p.mu.Unlock()
	for _, w := range told {
		if err != nil {
			w.done(-1, err)
			continue
		}
		w.done(low, nil)
	}
}

// low: the caller holds p.mu.
func (p *Partition) low() int64 {
	low, image := p.Log().StartOffset(), p.set.currentImage()
	for id, f := range p.mu.followers {
		if b := image.Broker(id); b != nil && !b.Fenced {
			low = min(low, f.start)
		}
	}
	return low
}
