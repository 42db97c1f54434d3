package commitlog

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// retiring is how many segments a generation that is full has synced at once. Rounds go on meanwhile and want the disk too.
	retiring = 4
	// growBelow is how many times longer than retiring it a generation should last: the file of a shorter one becomes
	// growBy times as large.
	growBelow = 4
	growBy    = 4
)

// retire begins to sync in place all that a full generation has, after which its file can be used again. At most one
// generation is being retired: its file is needed for the next one. The caller holds j.mu.
func (j *journal) retire(generation uint64, lasted time.Duration) {
	file := &j.mu.files[fileOf(generation)]
	file.busy = true
	logs, size := file.logs, file.size
	j.background.Go(func() {
		begin := time.Now()
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
		if lasted < growBelow*time.Since(begin) {
			j.grow(fileOf(generation), min(j.limit, growBy*size))
		}
		j.mu.Lock()
		file.busy = false
		j.mu.Unlock()
		j.dir.flusher.checkpointSoon()
	})
}

// syncInPlace makes durable in the segments of logs what the journal has of them, and reports whether it did so for all.
func (j *journal) syncInPlace(logs []*Log) bool {
	if !j.syncAll(logs) {
		j.syncEach(logs)
	}
	return !j.stopping.Load() && j.dir.Failed() == nil
}

// syncEach syncs one segment after the other, a few at once.
func (j *journal) syncEach(logs []*Log) {
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
}

// syncAll syncs the whole volume, if that can be done.
func (j *journal) syncAll(logs []*Log) bool {
	if !j.dir.syncsAll(len(logs)) {
		return false
	}
	for some := range slices.Chunk(logs, j.dir.files.limit) {
		j.syncAllOf(some)
		j.dir.files.shrinkAll()
	}
	return true
}

func (j *journal) syncAllOf(logs []*Log) {
	works := slices.Grow(j.works[:0], len(logs))[:len(logs)]
	j.works = works
	for i, l := range logs {
		works[i].begin(l)
		works[i].pinned.pin(works[i].segments)
	}
	err := j.dir.syncAll()
	for i, l := range logs {
		works[i].written, works[i].err = works[i].pinned.check(err)
		// What could not be done at once is done one by one.
		if err := works[i].finish(l); err != nil {
			j.dir.fail(err)
		}
	}
}

// placing is the work of syncing one log in place.
type placing struct {
	segments []*segment
	sizes    []int64
	pinned   pinnedFiles
	target   int64
	left     int64
	idle     bool
	err      error
	written  bool // by syncing all
}

// sync leaves nothing of what is durable now in the journal only.
func (w *placing) sync(l *Log) error {
	w.begin(l)
	for _, s := range w.segments {
		if w.err == nil {
			w.err = s.syncLog()
		}
		s.release()
	}
	return w.end(l)
}

// begin notes what is to be synced. A closed log needs nothing.
func (w *placing) begin(l *Log) {
	*w = placing{segments: w.segments[:0], sizes: w.sizes[:0], pinned: w.pinned}
	l.mu.Lock()
	defer l.mu.Unlock()
	if w.idle = l.mu.closed != nil || l.unsettled.Load() == noOffset; w.idle {
		return
	}
	w.target, w.left = l.flushed.Load(), l.left.Load()
	for _, s := range l.list() {
		if s.synced < s.journaled && s.acquire() {
			w.segments = append(w.segments, s)
			w.sizes = append(w.sizes, s.journaled)
		}
	}
}

// end publishes what was synced.
func (w *placing) end(l *Log) error {
	if w.err != nil || w.idle {
		return w.err
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

// finish is end, after another try for what syncing all did not do.
func (w *placing) finish(l *Log) error {
	for _, s := range w.segments {
		if !w.written && w.err == nil {
			w.err = s.syncLog()
		}
		s.release()
	}
	err := w.end(l)
	clear(w.segments)
	return err
}
