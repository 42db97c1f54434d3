package commitlog

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/ottla/ottla/internal/kafka"
)

// recover is for a log whose last stop was unclean. Everything below the recovery point was synced together with
// all that is needed to find it, and is taken as it is. From there on batches are read and their CRCs checked; the
// log ends before the first that is incomplete or wrong. Nothing that was cut was ever stable, as a recovery
// point never passes a stable offset that is damaged: what is damaged below it makes the log refuse appends. So does what is
// missing below the offset up to which the redo journal proves that the log was acknowledged.
//
// exact is for a log whose stop was clean but which does not look so: it ended at the recovery point, not behind it.
func (l *Log) recover(c checkpointed, exact bool) error {
	point, start := c.recoveryPoint, c.start
	list := l.list()
	saved, err := l.newestSnapshot(point)
	if err != nil {
		return err
	}
	if c.rebuild {
		saved = noOffset
	}
	bounds := recoveryBounds{point: point, saved: saved, proven: max(point, c.acknowledged), exact: exact}
	expected := int64(noOffset)
	if len(list) > 0 && c.startLost {
		start = max(start, list[0].base)
	}
	if len(list) > 0 && list[0].base > max(point, start) {
		// Retention makes the log's start durable before it deletes, so the beginning was never stable.
		reason := fmt.Sprintf("the log begins at offset %d, expected was %d", list[0].base, max(point, start))
		if l.lacks(max(point, start), bounds.proven, list[0].name(), 0, reason) {
			return l.keepDamaged(list, -1, bounds.proven)
		}
		return l.cutRecovered(list, 0, start, reason)
	}
	for i, s := range list {
		last := i+1 == len(list)
		if !last && list[i+1].base <= min(point, saved) {
			s.state.next = list[i+1].base
			expected = s.state.next
			continue
		}
		if expected != noOffset && s.base > expected && c.pointLost {
			// Compaction leaves such gaps, below a recovery point that is not known any more.
			list[i-1].state.next, expected = s.base, s.base
		}
		if expected != noOffset && s.base != expected && s.base > point {
			// The end of the segment before was lost, so this one was never stable.
			reason := fmt.Sprintf("the segment begins at offset %d but the log before ends at %d", s.base, expected)
			if l.lacks(expected, bounds.proven, s.name(), 0, reason) {
				return l.keepDamaged(list, i-1, bounds.proven)
			}
			return l.cutRecovered(list, i, s.base, reason)
		}
		reason, err := l.recoverSegment(s, bounds, last)
		if err != nil {
			return err
		}
		if reason != nil {
			if l.mu.refused != nil {
				return l.keepDamaged(list, i, bounds.proven)
			}
			return l.cutRecovered(list, i+1, s.state.next, reason.Error())
		}
		expected = s.state.next
	}
	name, size := l.path, int64(0)
	if n := len(list); n > 0 {
		name, size = list[n-1].name(), list[n-1].size()
	}
	if l.lacks(max(expected, start), c.acknowledged, name, size, "the log ends here") && len(list) > 0 {
		list[len(list)-1].state.next = c.acknowledged // so that readers hear of it
	}
	return l.syncRecovered(list, point)
}

// newestSnapshot is the offset of the newest snapshot at or below the recovery point: below it the indexes are good.
func (l *Log) newestSnapshot(point int64) (int64, error) {
	offsets, err := l.snapshots()
	newest := int64(noOffset)
	for _, offset := range offsets {
		if offset <= point {
			newest = offset
		}
	}
	return newest, err
}

// recoveryBounds are offsets that a recovery knows.
type recoveryBounds struct {
	point  int64 // the recovery point, below which all is durable
	saved  int64 // indexes are good below it
	proven int64 // the log was acknowledged up to here; at least point
	exact  bool  // the log ended at the recovery point
}

// damaged makes a log refuse appends because something below its recovery point cannot be read.
func (l *Log) damaged(reason *CorruptionError, point int64) {
	l.options().Logger.Error("log is damaged below its recovery point; it refuses appends", "partition", l.tp.String(), "file", reason.File, "position", reason.Position, "reason", reason.Reason, "recoveryPoint", point)
	l.noteDamage(reason)
	l.damagedBelow.Store(max(point, 1))
	l.mu.refused = kafka.Errorf(kafka.KafkaStorageError, "Partition %s is damaged below its recovery point %d and takes no appends: %v; `ottla storage verify` checks the log directory", l.tp, point, reason)
}

// keepDamaged leaves the damaged segment i and those behind it as they are on disk: what can be read of them can be read, and
// who reads on where the damage is hears of it. So the log ends where it is known to have ended, not at the damage. i is -1 if
// the beginning is missing.
func (l *Log) keepDamaged(list []*segment, i int, end int64) error {
	for j := max(i, 0); j < len(list); j++ {
		s := list[j]
		if j+1 < len(list) {
			s.state.next = list[j+1].base
			continue
		}
		err := s.findNext(0)
		if ignoreCorruption(err) != nil {
			return err
		}
		if err != nil || j == i {
			s.state.next = max(s.base, end) // what was found beyond is not to be trusted
		}
	}
	return l.syncRecovered(list, noOffset)
}

// cutRecovered ends the log before list[i], whose segments were never stable. They are renamed and go with a Sweep.
func (l *Log) cutRecovered(list []*segment, i int, end int64, reason string) error {
	for _, s := range list[i:] {
		l.options().Logger.Warn("dropping a segment beyond the end of the recovered log", "partition", l.tp.String(), "file", s.name(), "bytes", s.size(), "end", end, "reason", reason)
		if err := l.keepSegment(s); err != nil {
			return err
		}
	}
	l.replaceSegments(list[:i:i])
	if err := l.discard(list[i:]); err != nil {
		return err
	}
	return l.syncRecovered(list[:i], 0)
}

// syncRecovered has made durable what recovery read above the recovery point: after a crash of the process alone it may
// be in the page cache only, and from now on it counts as stable. Dir.syncRecovered does so for all logs together.
func (l *Log) syncRecovered(list []*segment, point int64) error {
	w := &l.flushing
	for _, s := range list {
		if size, next := s.end(); next > point && size > 0 && s.acquire() {
			w.segments = append(w.segments, s)
		}
	}
	if err := l.epochs.save(l.fsys, l.path, math.MaxInt64); err != nil {
		return err
	}
	if len(list) == 0 {
		l.mu.unsynced.folder = true // with the first record, as after Create
		return nil
	}
	w.names = len(w.segments) > 0 || point == 0
	return nil
}

// syncRecovered syncs what logs have recovered, before anything of it is believed.
func (d *Dir) syncRecovered() error {
	logs := slices.DeleteFunc(d.everything(), func(l *Log) bool { return !l.flushing.names })
	if len(logs) == 0 {
		return nil
	}
	defer d.flusher.syncs.stop()
	var err error
	for some := range slices.Chunk(logs, d.files.limit) { // they are opened for it
		d.flusher.syncAll(some)
		d.flusher.syncs.sync(some)
		for _, l := range some {
			err = errors.Join(err, l.recovered())
		}
	}
	return err
}

// recovered ends a recovery whose files are synced, or were to be.
func (l *Log) recovered() error {
	err := l.flushing.err
	l.flushing = flushWork{}
	l.closeFiles()
	return err
}
