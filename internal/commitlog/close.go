package commitlog

import (
	"cmp"
	"errors"
	"slices"

	"github.com/ottla/ottla/internal/kafka"
)

// Close stops cleanly: everything appended is synced, indexes, snapshots and checkpoints are written, and the
// clean-shutdown file last. After a failure of the directory it only closes files and reports that failure.
func (d *Dir) Close() error {
	d.mu.Lock()
	if d.mu.closed {
		d.mu.Unlock()
		return nil
	}
	d.mu.closed = true
	d.mu.Unlock()
	gone := kafka.Errorf(kafka.KafkaStorageError, "Log directory %s is closed", d.path)
	for _, l := range d.everything() {
		l.refuse(gone)
	}
	close(d.flusher.stop)
	<-d.flusher.done
	d.journal.stop()
	err := d.Failed()
	if err == nil {
		err = d.closeLogs()
	}
	for _, l := range d.everything() {
		l.close(gone)
	}
	d.journal.close()
	return errors.Join(err, d.lock.Close())
}

// closeLogs brings everything to the disk.
func (d *Dir) closeLogs() error {
	logs := slices.DeleteFunc(d.Logs(), (*Log).unused)
	if err := concurrently(logs, (*Log).saveAll); err != nil {
		return err
	}
	d.flusher.flushInPlace(logs)
	d.flusher.syncs.stop()
	if err := d.Failed(); err != nil {
		return err
	}
	if err := concurrently(logs, (*Log).syncLeft); err != nil {
		return err
	}
	if err := concurrently(d.Futures(), (*Log).finish); err != nil {
		return err
	}
	if err := d.writeCheckpointFiles(); err != nil {
		return err
	}
	if err := removeJournal(d.fsys, d.path); err != nil {
		return err
	}
	if slices.ContainsFunc(d.Logs(), (*Log).isSetAside) {
		return nil // the next start must recover them
	}
	epoch := int64(noBrokerEpoch)
	if d.options.BrokerEpoch != nil {
		epoch = d.options.BrokerEpoch()
	}
	return writeCleanShutdown(d.fsys, d.path, epoch)
}

// unused reports whether the log is as Create made it: nobody needs its folder to be durable.
func (l *Log) unused() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	u := &l.mu.unsynced
	return u.folder && !u.names && len(u.files) == 0 && l.end.Load() == 0 && l.size.Load() == 0
}

// saveAll writes what a clean start reads of a log; the flush that follows syncs it.
func (l *Log) saveAll() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.mu.closed != nil || l.damagedBelow.Load() > 0 {
		return nil
	}
	s := l.active()
	if s.size() > 0 && s.heapIndex() {
		if s.reserved > s.size() {
			if err := s.trim(); err != nil {
				return err
			}
		}
		s.state.Lock()
		s.noteTime()
		s.state.Unlock()
		if err := s.saveIndexes(); err != nil {
			return err
		}
		l.mu.unsynced.add(s.stem+offsetIndexSuffix, s.stem+timeIndexSuffix)
		l.mu.unsynced.names = true
	}
	if err := l.saveAborted(s); err != nil {
		return err
	}
	if l.end.Load() > 0 {
		return l.saveSnapshot()
	}
	return nil
}

// syncLeft syncs what the flush itself changed: the names of snapshots.
func (l *Log) syncLeft() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.mu.closed != nil || !l.mu.unsynced.names {
		return nil
	}
	return l.fsys.SyncDir(l.path)
}

// trim gives back the space reserved behind the segment's end.
func (s *segment) trim() error {
	f, _, err := s.useLog()
	if err != nil {
		return err
	}
	defer f.done()
	return f.Truncate(s.size())
}

// refuse ends changes; reads and flushes go on.
func (l *Log) refuse(why error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.mu.refused = cmp.Or(l.mu.refused, why)
	l.abortCompaction()
}

func (l *Log) close(why error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.mu.closed == nil {
		for _, s := range l.list() {
			s.release()
		}
	}
	l.mu.closed = why
}
