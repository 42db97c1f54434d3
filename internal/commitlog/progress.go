package commitlog

import (
	"cmp"
	"slices"
)

// A recovery walks over the active segment from the last index entry it can trust, and replays producers from the
// last snapshot. So that this is bounded by what was written lately and not by the size of the segment, the flusher
// saves both while the segment grows, whenever this much was written since.
const progressBytes = 64 << 20

// What lies above the recovery points on disk has the CRCs of its batches checked and is synced again, which is slower. So the
// checkpoints are written whenever so many bytes were flushed since, however short that is.
const checkpointBytes = 256 << 20

// allProgress is how many times progressBytes all logs together may have that were not saved: a thousand logs of some
// megabytes each are as much to read as one large one.
const allProgress = 16

// saveProgress saves the progress of logs that are far behind, and if all together are, of those that are the most, until
// half of that is left.
func (d *Dir) saveProgress(logs []*Log) error {
	type behind struct {
		log   *Log
		bytes int64
	}
	var list []behind
	var total int64
	for _, l := range logs {
		if n := l.sinceSaved(); n > 0 {
			list = append(list, behind{l, n})
			total += n
		}
	}
	each, all := d.options.progressBytes, d.options.progressBytes*allProgress
	if total > all {
		all /= 2
	}
	slices.SortFunc(list, func(a, b behind) int { return cmp.Compare(b.bytes, a.bytes) })
	for _, x := range list {
		if x.bytes < each && total <= all {
			return nil
		}
		if err := x.log.saveProgress(); err != nil {
			return err
		}
		total -= x.bytes
	}
	return nil
}

// sinceSaved is how many bytes were appended since the log's progress was saved.
func (l *Log) sinceSaved() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.mu.unsynced.sinceSaved
}

// saveProgress writes the indexes, the aborted transactions and a producer snapshot of a log.
func (l *Log) saveProgress() (err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	u := &l.mu.unsynced
	if l.mu.closed != nil {
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
