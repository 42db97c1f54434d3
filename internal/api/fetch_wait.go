package api

import (
	"context"
	"sync"
	"time"

	"github.com/ottla/ottla/internal/partition"
)

// fetchWaiter has a fetch wait until its partitions have enough, or its time is up. Partitions and timers may call it
// once more after the answer; it is therefore used for one fetch only, and does not touch that once it is done.
type fetchWaiter struct {
	fetch *fetch // belongs to the goroutine that looks
	timer *time.Timer
	// hungUp stops watching the connection; nil for waits too short to be worth it.
	hungUp func() bool
	mu     struct {
		sync.Mutex
		done    bool // answered, or about to be
		looking bool // a goroutine reads the partitions
		again   bool // they changed meanwhile
		late    bool // time is up
	}
}

// longWait is how long a fetch may outlive its connection.
const longWait = 10 * time.Second

// wait answers the fetch when its partitions have enough for it, at the latest after d.
func (f *fetch) wait(d time.Duration) {
	f.release()
	w := &fetchWaiter{fetch: f}
	w.mu.looking = true // until the look below is over
	f.api.metrics.waitingFetches.Add(1)
	for i := range f.targets {
		if from := f.targets[i].from; from != nil {
			f.watch(from, w)
		}
	}
	w.timer = time.AfterFunc(d, w.expire)
	if s := f.session; s != nil && s.follower {
		s.wait(w, f.epoch)
	}
	if d > longWait {
		w.hungUp = context.AfterFunc(f.call.Session().Context(), w.expire)
	}
	w.look()
}

// wait notes who waits on behalf of a session, whose request had the epoch; if another one has come since, it waits no
// longer.
func (s *fetchSession) wait(w *fetchWaiter, epoch int32) {
	s.lock.Lock()
	defer s.lock.Unlock()
	if s.waiting = w; s.epoch != epoch {
		w.expire()
	}
}

// overtake has the request that waits answered: a follower has more to say, and answers come in the order of requests. The
// caller holds s.lock.
func (s *fetchSession) overtake() {
	if w := s.waiting; w != nil {
		s.waiting = nil
		w.expire()
	}
}

// watch has w hear of what the fetch waits for: for a follower of every append, else of what is committed.
func (f *fetch) watch(p *partition.Partition, w *fetchWaiter) {
	if f.replica >= 0 {
		p.WatchEnd(w)
		return
	}
	p.Watch(w)
}

func (f *fetch) unwatch(p *partition.Partition, w *fetchWaiter) {
	if f.replica >= 0 {
		p.UnwatchEnd(w)
		return
	}
	p.Unwatch(w)
}

// Changed implements partition.Watcher.
func (w *fetchWaiter) Changed() { w.wake(false) }

func (w *fetchWaiter) expire() { w.wake(true) }

// wake has a goroutine look at the partitions, unless one does.
func (w *fetchWaiter) wake(late bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.mu.done {
		return
	}
	w.mu.late = w.mu.late || late
	if w.mu.looking {
		w.mu.again = true
		return
	}
	w.mu.looking = true
	go w.look()
}

// look reads the partitions until there is enough, or nothing has changed since. The caller has set looking.
func (w *fetchWaiter) look() {
	f := w.fetch
	for {
		w.mu.Lock()
		w.mu.again = false
		late := w.mu.late || f.api.stopping.Load()
		w.mu.Unlock()

		f.read()
		enough := f.enough() || late

		w.mu.Lock()
		if enough || w.mu.late {
			w.mu.done = true
			w.mu.Unlock()
			w.finish()
			return
		}
		if !w.mu.again {
			f.release() // what was found is read afresh; retention may delete it meanwhile
			w.mu.looking = false
			w.mu.Unlock()
			return
		}
		w.mu.Unlock()
	}
}

func (w *fetchWaiter) finish() {
	f := w.fetch
	w.fetch = nil
	w.timer.Stop()
	if w.hungUp != nil {
		w.hungUp()
	}
	for i := range f.targets {
		if from := f.targets[i].from; from != nil {
			f.unwatch(from, w)
		}
	}
	f.api.metrics.waitingFetches.Add(-1)
	f.reply()
}
