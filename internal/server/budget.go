package server

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
)

// budget bounds the bytes of all frames in memory (queued.max.request.bytes). As in Kafka's memory pool
// the one who comes while anything is left is served whole, so the sum may pass the limit by what is
// being read.
type budget struct {
	limit   int64 // below 1: none
	used    atomic.Int64
	waiters atomic.Int64
	mu      struct {
		sync.Mutex
		waiting []waiter // first come, first served
	}
}

type waiter struct {
	bytes int64
	turn  chan struct{} // closed when the bytes are taken
}

// charge takes n bytes, whatever is left.
func (b *budget) charge(n int64) { b.used.Add(n) }

// tryAcquire takes n bytes if anything is left and nobody waits.
func (b *budget) tryAcquire(n int64) bool {
	if b.limit > 0 && (b.waiters.Load() > 0 || b.used.Load() >= b.limit) {
		return false
	}
	b.used.Add(n)
	return true
}

// acquire waits until something is left and takes n bytes.
func (b *budget) acquire(ctx context.Context, n int64) error {
	w := waiter{n, make(chan struct{})}
	b.mu.Lock()
	b.mu.waiting = append(b.mu.waiting, w)
	// Counted before the look at what is left: a release that comes after that look sees a waiter.
	b.waiters.Add(1)
	b.admit()
	b.mu.Unlock()
	select {
	case <-w.turn:
		return nil
	case <-ctx.Done():
		b.leave(w)
		return context.Cause(ctx)
	}
}

// release gives n bytes back.
func (b *budget) release(n int64) {
	b.used.Add(-n)
	if b.waiters.Load() > 0 {
		b.mu.Lock()
		b.admit()
		b.mu.Unlock()
	}
}

// admit serves the queue while something is left. b.mu is held.
func (b *budget) admit() {
	for len(b.mu.waiting) > 0 && b.used.Load() < b.limit {
		w := b.mu.waiting[0]
		b.mu.waiting = slices.Delete(b.mu.waiting, 0, 1)
		b.waiters.Add(-1)
		b.used.Add(w.bytes)
		close(w.turn)
	}
}

// leave takes w out of the queue, or gives back what it was just served.
func (b *budget) leave(w waiter) {
	b.mu.Lock()
	i := slices.Index(b.mu.waiting, w)
	if i >= 0 {
		b.mu.waiting = slices.Delete(b.mu.waiting, i, i+1)
		b.waiters.Add(-1)
	}
	b.mu.Unlock()
	if i < 0 {
		b.release(w.bytes)
	}
}
