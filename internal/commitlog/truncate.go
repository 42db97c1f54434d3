package commitlog

import (
	"errors"
	"path/filepath"

	"github.com/ottla/ottla/internal/vfs"
)

// TruncateTo cuts the log so that it ends at offset, or at the beginning of the batch that holds it: what a
// follower does with records that its leader does not have. Everything at and after offset is gone, durably,
// when it returns. An offset at or after EndOffset cuts no records, but forgets a leader epoch that begins there: a leader
// that appended nothing under it is not part of the history that the new leader has.
//
// The order matters after a crash. The recovery point goes below the cut first, so that a half-done cut is
// seen as an unclean tail; the cut is durable before anything is appended, so that old bytes never follow new ones.
// All that needs room on the disk is done before anything is cut: on a full one the log stays as it was, and the error is
// KAFKA_STORAGE_ERROR.
func (l *Log) TruncateTo(offset int64) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.usable(); err != nil {
		return err
	}
	if offset >= l.end.Load() {
		l.epochs.cutEnd(offset)
		l.dir.flusher.checkpointSoon()
		return nil
	}
	list := l.list()
	if offset <= list[0].base {
		return l.restartAt(offset)
	}
	i := l.segmentAt(list, offset)
	position, base, err := list[i].batchStart(offset)
	if err != nil {
		return l.writeError(err)
	}
	if err := l.leaveJournal(); err != nil {
		return storageError(err)
	}
	if err := l.lowerTo(base); err != nil {
		return err
	}
	if err := l.cut(list, i, position, base); err != nil {
		l.dir.fail(err)
		return storageError(err)
	}
	if err := l.afterCut(base); err != nil {
		return storageError(err)
	}
	return nil
}

// TruncateFully empties the log and lets it begin again at start: what a follower does whose leader's log begins
// after this one's end. It also heals a log that is damaged below its recovery point, by giving up what it had.
func (l *Log) TruncateFully(start int64) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.damagedBelow.Swap(0) > 0 {
		l.mu.refused = nil
	}
	l.forgetDamage()
	l.undecided.Store(nil)
	if err := l.usable(); err != nil {
		return err
	}
	return l.restartAt(start)
}

// batchStart returns where the first batch lies that ends at or after offset, and its base offset; the segment's
// end if there is none.
func (s *segment) batchStart(offset int64) (position, base int64, err error) {
	size, next := s.end()
	if offset >= next {
		return size, next, nil
	}
	f, _, err := s.useLog()
	if err != nil {
		return 0, 0, err
	}
	defer f.done()
	scan := s.scan(f, pageBytes)
	from, err := s.seek(scan, offset)
	if err != nil {
		return 0, 0, err
	}
	b, position, err := scan.firstEndingAt(offset, from)
	if err != nil {
		return 0, 0, err
	}
	if b == nil {
		return size, next, nil
	}
	return position, min(b.BaseOffset(), offset), nil
}

// lowerTo moves the recovery point and the leader epochs on disk, and then all published offsets, down to end. After an error they
// are as before, but for what may be too low on disk. The caller holds l.mu.
func (l *Log) lowerTo(end int64) error {
	l.ceiling.Store(end)
	defer l.ceiling.Store(noCeiling)
	err := l.dir.writeRecoveryPoints()
	if err == nil {
		err = l.lowerCleaned(end)
	}
	if err == nil {
		err = l.epochs.cutEndOnDisk(l.fsys, l.path, end)
	}
	if err != nil {
		l.dir.failUnlessFull(err)
		return storageError(err)
	}
	l.mu.unsynced.generation++
	l.abortCompaction()
	l.dropPendingSnapshots(l.mu.unsynced.snapshots)
	l.mu.unsynced.snapshots = l.mu.unsynced.snapshots[:0]
	l.end.Store(end)
	for _, o := range [...]interface {
		Load() int64
		Store(int64)
	}{&l.high, &l.flushed, &l.start} {
		o.Store(min(o.Load(), end))
	}
	l.lowerStable(end)
	return nil
}

func (l *Log) lowerStable(end int64) {
	for {
		old := l.stable.Load()
		if old <= end || l.stable.CompareAndSwap(old, end) {
			return
		}
	}
}

// cut makes list[i] the active segment, ending at position with the next offset end. The caller holds l.mu.
func (l *Log) cut(list []*segment, i int, position, end int64) error {
	s := list[i]
	if err := s.loadIndexes(); err != nil {
		return err
	}
	if _, err := l.loadAborted(s); err != nil {
		return err
	}
	l.replaceSegments(list[: i+1 : i+1])
	dropped := s.size() - position
	s.cutState(position, end)
	l.size.Add(-dropped)
	f, _, err := s.useLog()
	if err != nil {
		return err
	}
	defer f.done()
	if err := f.Truncate(position); err != nil {
		return err
	}
	if err := f.SyncData(); err != nil {
		return err
	}
	s.synced, s.reserved = position, position
	if err := s.cutAborted(end); err != nil {
		return err
	}
	if err := s.correctIndexFiles(); err != nil {
		return err
	}
	if position == 0 {
		s.firstTimestamp, s.created = unread, l.dir.options.Now()
	}
	return errors.Join(l.discard(list[i+1:]), l.removeSnapshotsAfter(end), l.fsys.SyncDir(l.path))
}

// cutState cuts size, offsets and heap indexes.
func (s *segment) cutState(size, next int64) {
	s.state.Lock()
	defer s.state.Unlock()
	s.state.size, s.state.next = size, next
	s.forgetBatches()
	n := len(s.state.offsets)
	for n > 0 && unpackEntry(s.base, s.state.offsets[n-1]).position >= size {
		n--
	}
	s.state.offsets = s.state.offsets[:n:n]
	m := len(s.state.times)
	for m > 0 && s.state.times[m-1].offset >= next {
		m--
	}
	s.state.times = s.state.times[:m:m]
	s.sinceIndexEntry = size
	if n > 0 {
		s.sinceIndexEntry -= unpackEntry(s.base, s.state.offsets[n-1]).position
	}
	s.state.largest = timeEntry{noTimestamp, s.base}
	if m > 0 {
		s.state.largest = s.state.times[m-1]
	}
}

// afterCut rebuilds what is derived from the records. The caller holds l.mu.
func (l *Log) afterCut(end int64) error {
	l.mu.unsynced.bytes, l.mu.unsynced.records = 0, 0
	if err := l.active().findLargest(); err != nil {
		return err
	}
	l.dir.flusher.want(l)
	return l.rebuildProducers(end)
}

// findLargest looks for a larger timestamp after the last time index entry.
func (s *segment) findLargest() error {
	size := s.size()
	if size == 0 {
		return nil
	}
	f, _, err := s.useLog()
	if err != nil {
		return err
	}
	defer f.done()
	s.state.RLock()
	largest := s.state.largest
	s.state.RUnlock()
	scan := s.scan(f, pageBytes)
	from, err := s.seek(scan, largest.offset)
	if err != nil {
		return err
	}
	for position := from; position < size; {
		b, err := scan.header(position)
		if err != nil {
			return err
		}
		if b.MaxTimestamp() > largest.timestamp {
			largest = timeEntry{b.MaxTimestamp(), b.LastOffset()}
		}
		position += int64(b.Length())
	}
	s.state.Lock()
	defer s.state.Unlock()
	s.state.largest = largest
	return nil
}

// restartAt replaces all segments by an empty one. The caller holds l.mu.
func (l *Log) restartAt(start int64) error {
	l.dir.options.Logger.Info("log is truncated fully", "partition", l.tp.String(), "from", l.start.Load(), "to", l.end.Load(), "restart", start)
	if err := l.leaveJournal(); err != nil {
		return storageError(err)
	}
	if err := l.lowerTo(min(start, l.start.Load())); err != nil {
		return err
	}
	old := l.list()
	l.replaceSegments([]*segment{l.newSegment(start, l.config.Load(), l.dir.options.Now())})
	err := errors.Join(l.discard(old), l.removeSnapshotsAfter(noOffset), l.fsys.SyncDir(l.path))
	if err != nil {
		l.dir.fail(err)
		return storageError(err)
	}
	l.mu.unsynced.bytes, l.mu.unsynced.records = 0, 0
	l.mu.snapshotAt = noOffset
	l.mu.producers.Reset(start)
	l.publishUnstable()
	l.epochs.clear()
	l.end.Store(start)
	for _, o := range [...]interface{ Store(int64) }{&l.start, &l.high, &l.flushed, &l.stable} {
		o.Store(start)
	}
	save := func() error {
		return errors.Join(l.epochs.save(l.fsys, l.path, start), l.dir.writeCheckpointFiles())
	}
	if err = save(); vfs.IsNoSpace(err) { // what the log had makes room at once
		err = l.dir.remove(l.dir.options.Now(), func(x deletion) bool { return filepath.Dir(x.path) == l.path })
		err = errors.Join(err, save())
	}
	if err != nil {
		l.dir.fail(err)
		return storageError(err)
	}
	return nil
}
