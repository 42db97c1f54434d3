package commitlog

// A recovery walks over the active segment from the last index entry it can trust, and replays producers from the
// last snapshot. So that this is bounded by what was written lately and not by the size of the segment, the flusher
// saves both while the segment grows, whenever this much was written since.
const progressBytes = 64 << 20

// saveProgress writes the indexes, the aborted transactions and a producer snapshot of a log to which progressBytes
// were appended since it last did.
func (l *Log) saveProgress() (err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	u := &l.mu.unsynced
	if l.mu.closed != nil || u.sinceSaved < l.dir.options.progressBytes {
		return nil
	}
	since := u.sinceSaved
	u.sinceSaved = 0
	s := l.active()
	if !s.heapIndex() {
		return nil
	}
	defer func() {
		if err != nil {
			u.sinceSaved = since // the disk may have room the next time
		}
	}()
	// All of this is hints or is synced by the next flush, before the recovery point passes it: writes only, so
	// that the mutex is held for little more than a millisecond.
	s.state.Lock()
	s.noteTime()
	s.state.Unlock()
	if err := s.saveIndexes(); err != nil {
		return err
	}
	u.add(s.stem+offsetIndexSuffix, s.stem+timeIndexSuffix)
	if err := l.saveAborted(s); err != nil {
		return err
	}
	if err := l.saveSnapshot(); err != nil {
		return err
	}
	u.names = true
	l.dir.flusher.want(l)
	return nil
}
