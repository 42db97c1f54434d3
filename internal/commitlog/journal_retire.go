package commitlog

import (
	"sync"
	"sync/atomic"
)

// retiring is how many segments a generation that is full has synced at once. Rounds go on meanwhile and want the disk too.
const retiring = 4

// retire begins to sync in place all that a full generation has, after which its file can be used again. At most one
// generation is being retired: its file is needed for the next one. The caller holds j.mu.
func (j *journal) retire(generation uint64) {
	file := &j.mu.files[fileOf(generation)]
	file.busy = true
	logs, size := file.logs, min(j.limit, 2*file.size)
	j.background.Go(func() {
		if !j.syncInPlace(logs) {
			return // closing syncs everything, and after a failure nothing is written any more
		}
		// A log that is being deleted was passed over. Its folder may come back after a crash until its new name is durable.
		j.dir.folders.Lock()
		failed := j.dir.Failed()
		j.dir.folders.Unlock()
		if failed != nil {
			return
		}
		j.mu.Lock()
		j.mu.oldest = generation + 1
		j.mu.counts.retired++
		clear(logs)
		file.logs = logs[:0]
		j.mu.Unlock()
		j.grow(fileOf(generation), size)
		j.mu.Lock()
		file.busy = false
		j.mu.Unlock()
		j.dir.flusher.checkpointSoon()
	})
}

// syncInPlace makes durable in the segments of logs what the journal has of them, and reports whether it did so for all.
func (j *journal) syncInPlace(logs []*Log) bool {
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(retiring, len(logs)) {
		workers.Go(func() {
			var w placing
			for i := next.Add(1) - 1; i < int64(len(logs)) && !j.stopping.Load() && j.dir.Failed() == nil; i = next.Add(1) - 1 {
				if err := w.sync(logs[i]); err != nil {
					j.dir.fail(err)
				}
			}
		})
	}
	workers.Wait()
	return !j.stopping.Load() && j.dir.Failed() == nil
}

// placing is the work of syncing one log in place.
type placing struct {
	segments []*segment
	sizes    []int64
	target   int64
	left     int64
}

// sync leaves nothing of what is durable now in the journal only. A closed log needs none of it.
func (w *placing) sync(l *Log) error {
	if !w.begin(l) {
		return nil
	}
	var failed error
	for _, s := range w.segments {
		if failed == nil {
			failed = s.syncLog()
		}
		s.release()
	}
	if failed != nil {
		return failed
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.left.Load() != w.left {
		return nil // who left has synced it
	}
	for i, s := range w.segments {
		s.synced = max(s.synced, w.sizes[i])
	}
	if u := l.unsettled.Load(); u == noOffset || u >= w.target {
		return nil // a flush in place was faster
	}
	if l.flushed.Load() == w.target {
		l.unsettled.Store(noOffset)
	} else {
		l.unsettled.Store(w.target)
	}
	return nil
}

// begin notes what is to be synced, and reports whether anything is.
func (w *placing) begin(l *Log) bool {
	w.segments, w.sizes = w.segments[:0], w.sizes[:0]
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.mu.closed != nil || l.unsettled.Load() == noOffset {
		return false
	}
	w.target, w.left = l.flushed.Load(), l.left.Load()
	for _, s := range l.list() {
		if s.synced < s.journaled && s.acquire() {
			w.segments = append(w.segments, s)
			w.sizes = append(w.sizes, s.journaled)
		}
	}
	return true
}
