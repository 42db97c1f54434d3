package commitlog

import (
	"sync"
	"sync/atomic"
	"time"
)

// flusher is the one goroutine of a Dir that syncs. A round takes all logs that somebody waits for, syncs their
// files, several at once if there are several, then publishes and tells. Appends that arrive during a round share
// the next one: that is group commit. Between rounds it writes the checkpoints, and has deleted files removed when that is
// due. Without work it sleeps for good.
type flusher struct {
	dir  *Dir
	wake chan struct{}
	stop chan struct{}
	done chan struct{}
	// checkpointDue says that offsets changed since the checkpoint files were written.
	checkpointDue atomic.Bool
	// unasked are the bytes of logs in mu.dirty, and of some that have left it.
	unasked atomic.Int64

	mu struct {
		sync.Mutex
		wanted []*Log
		dirty  []*Log // have bytes nobody asked for
		due    time.Time
	}

	round           []*Log // the goroutine's own
	syncs           parallelSyncs
	sinceCheckpoint int64 // bytes flushed since the checkpoints were written

	removing atomic.Bool // a goroutine deletes files
	removals sync.WaitGroup
}

func newFlusher(d *Dir) *flusher {
	return &flusher{dir: d, wake: make(chan struct{}, 1), stop: make(chan struct{}), done: make(chan struct{})}
}

func (f *flusher) signal() {
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

// want puts a log into the next round.
func (f *flusher) want(l *Log) {
	if l.future || l.queued.Swap(true) {
		return
	}
	f.mu.Lock()
	f.mu.wanted = append(f.mu.wanted, l)
	f.mu.Unlock()
	f.signal()
}

// later puts a log into a round that begins within the given time. The log's dirty flag was clear.
func (f *flusher) later(l *Log, within time.Duration) {
	due := time.Now().Add(within)
	f.mu.Lock()
	f.mu.dirty = append(f.mu.dirty, l)
	sooner := len(f.mu.dirty) == 1 || due.Before(f.mu.due)
	if sooner {
		f.mu.due = due
	}
	f.mu.Unlock()
	if sooner {
		f.signal()
	}
}

// laterBytes notes bytes of logs that wait for their time, which comes at once when all of them have too many.
func (f *flusher) laterBytes(n int64) {
	if f.unasked.Add(n) < f.dir.options.unaskedBytes {
		return
	}
	f.unasked.Store(0)
	f.mu.Lock()
	f.mu.due = time.Time{}
	f.mu.Unlock()
	f.signal()
}

// checkpointSoon makes the flusher write the checkpoints within Options.CheckpointInterval.
func (f *flusher) checkpointSoon() {
	if !f.checkpointDue.Load() && !f.checkpointDue.Swap(true) {
		f.signal()
	}
}

// run is the goroutine. The timer is armed only while there is something to wait for.
func (f *flusher) run() {
	defer close(f.done)
	defer f.removals.Wait()
	defer f.syncs.stop()
	var checkpointAt time.Time
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		now := time.Now()
		logs := f.take(now)
		if len(logs) > 0 {
			f.flush(logs)
			now = time.Now()
		}
		if !f.checkpointDue.Load() {
			checkpointAt = time.Time{}
		} else if checkpointAt.IsZero() {
			checkpointAt = now.Add(f.dir.options.CheckpointInterval)
		}
		if !checkpointAt.IsZero() && (!now.Before(checkpointAt) || f.sinceCheckpoint >= f.dir.options.checkpointBytes) {
			f.checkpoint()
			checkpointAt = time.Time{}
			continue
		}
		if len(logs) > 0 {
			continue
		}
		timer.Reset(min(f.untilDue(now, checkpointAt), f.removeDue()))
		select {
		case <-f.stop:
			return
		case <-f.wake:
		case <-timer.C:
		}
	}
}

// untilDue is how long the goroutine may sleep.
func (f *flusher) untilDue(now, checkpointAt time.Time) time.Duration {
	wait := time.Hour
	if !checkpointAt.IsZero() {
		wait = min(wait, checkpointAt.Sub(now))
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.mu.dirty) > 0 {
		wait = min(wait, f.mu.due.Sub(now))
	}
	return max(0, wait)
}

// removeDue has what is due removed, in a goroutine as it may take long, and returns when to look again.
func (f *flusher) removeDue() time.Duration {
	due, any := f.dir.nextRemoval()
	if !any || f.dir.Failed() != nil || f.removing.Load() {
		return time.Hour
	}
	now := f.dir.options.Now()
	if wait := due.Sub(now); wait > 0 {
		return wait
	}
	f.removing.Store(true)
	f.removals.Go(func() {
		if err := f.dir.removeDue(now); err != nil {
			f.dir.options.Logger.Warn("deleted files cannot be removed", "dir", f.dir.path, "error", err)
		}
		f.removing.Store(false)
		f.signal()
	})
	return time.Hour
}

// take returns the logs of the next round: the wanted ones, and the dirty ones if their time has come.
func (f *flusher) take(now time.Time) []*Log {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.mu.dirty) > 0 && !now.Before(f.mu.due) {
		for _, l := range f.mu.dirty {
			l.dirty.Store(false)
			if l.flushed.Load() < l.end.Load() && !l.queued.Swap(true) {
				f.mu.wanted = append(f.mu.wanted, l)
			}
		}
		f.unasked.Store(0)
		clear(f.mu.dirty)
		f.mu.dirty = f.mu.dirty[:0]
	}
	f.round, f.mu.wanted = f.mu.wanted, f.round[:0]
	for _, l := range f.round {
		l.queued.Store(false)
	}
	return f.round
}

// flush does one round: first what suits the journal, then the rest in place.
func (f *flusher) flush(logs []*Log) {
	defer clear(logs)
	if !f.begin(logs) {
		return
	}
	if rest, ok := f.flushJournaled(logs); ok {
		f.flushRest(rest)
		f.checkpointSoon()
	}
}

// flushInPlace is flush without the journal, and leaves nothing that only the journal has.
func (f *flusher) flushInPlace(logs []*Log) {
	if f.begin(logs) {
		f.flushRest(logs)
	}
}

// begin has the logs say what they have to bring to the disk. Without a good disk it tells them.
func (f *flusher) begin(logs []*Log) bool {
	if err := f.dir.Failed(); err != nil {
		f.tellFailure(logs, err)
		return false
	}
	for _, l := range logs {
		l.beginFlush()
	}
	return true
}

// flushJournaled puts into the journal what suits it, and tells. It returns the other logs; ok is false if the disk failed.
func (f *flusher) flushJournaled(logs []*Log) (rest []*Log, ok bool) {
	if f.dir.journal == nil {
		return logs, true
	}
	err := f.dir.journal.write(logs)
	if err == nil {
		err = f.dir.Failed() // a write may have failed meanwhile
	}
	if err != nil {
		for _, l := range logs {
			l.flushing.release()
		}
		f.fail(logs, err)
		return nil, false
	}
	n := 0
	for i, l := range logs {
		switch w := &l.flushing; {
		case w.journaled:
			w.release()
			f.publish(l)
		case w.nothingNew():
			w.release()
		default:
			logs[i], logs[n] = logs[n], l
			n++
		}
	}
	return logs[:n], true
}

// flushRest syncs logs in place, and tells.
func (f *flusher) flushRest(logs []*Log) {
	f.syncAll(logs)
	f.syncs.sync(logs)
	newFolders := false
	failed := f.dir.Failed() // a write may have failed meanwhile
	for _, l := range logs {
		newFolders = newFolders || l.flushing.folder
		if failed == nil {
			failed = l.flushing.err
		}
	}
	if failed == nil && newFolders {
		failed = f.dir.fsys.SyncDir(f.dir.path)
	}
	if failed != nil {
		f.fail(logs, failed)
		return
	}
	for _, l := range logs {
		f.publish(l)
	}
}

func (f *flusher) publish(l *Log) {
	f.sinceCheckpoint += l.flushing.bytes
	if stable, told := l.endFlush(&l.flushing); told {
		l.tellStable(stable, nil)
	}
}

func (f *flusher) fail(logs []*Log, err error) {
	f.dir.fail(err) // which wants all that is pending, to be told in the next round
	f.tellFailure(logs, f.dir.Failed())
}

// tellFailure tells logs with pending bytes that they will not become stable.
func (f *flusher) tellFailure(logs []*Log, err error) {
	for _, l := range logs {
		if stable := l.stable.Load(); stable < l.end.Load() {
			l.tellStable(stable, storageError(err))
		}
	}
}

// checkpoint writes the checkpoint files and what a recovery from them starts with.
func (f *flusher) checkpoint() {
	f.checkpointDue.Store(false)
	f.sinceCheckpoint = 0
	if f.dir.Failed() != nil {
		return
	}
	err := f.dir.writeCheckpoints()
	if f.dir.failUnlessFull(err) {
		f.checkpointSoon() // what is on the disk is older, and true
	}
}
