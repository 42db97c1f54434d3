package commitlog

import (
	"errors"
	"fmt"
	"math"
	"math/bits"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/record"
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
	bounds := recoveryBounds{point: point, saved: saved, proven: max(point, c.acknowledged), exact: exact}
	expected := int64(noOffset)
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

// recoverSegment checks one segment from the recovery point on. reason says why the segment was cut, if it was.
func (l *Log) recoverSegment(s *segment, bounds recoveryBounds, last bool) (reason *CorruptionError, err error) {
	point := bounds.point
	f, _, err := s.useLog()
	if err != nil {
		return nil, err
	}
	defer f.done()
	size := s.size()
	scan := s.walkThrough(f, scanBufferBytes)
	defer scan.free()
	if bounds.exact && last {
		scan.next = point
	}
	from, next := s.trustIndexes(scan, min(point, bounds.saved))
	position := from
	gap := gapBefore{position: -1}
	for position < size {
		b, err := l.recoverBatch(scan, position, next, point)
		if err != nil {
			if reason, _ = errors.AsType[*CorruptionError](at(next, err)); reason == nil {
				return nil, err
			}
			if gap.position >= 0 && gap.contradicted(scan, position) {
				reason, position, next = gap.reason(scan), gap.position, gap.next
			}
			break
		}
		gap = gapBefore{position: -1}
		if b.BaseOffset() > next {
			gap = gapBefore{position, next, b.LastOffset()}
		}
		s.note(b, position)
		l.epochs.assignNewer(b.LeaderEpoch(), b.BaseOffset())
		next = b.LastOffset() + 1
		position += int64(b.Length())
	}
	if last {
		l.mu.unsynced.sinceSaved = position - from
	}
	if reason != nil && next < bounds.proven {
		l.damaged(reason, bounds.proven)
		s.state.offsets, s.state.times = nil, nil // what lies behind may be found with the files
		return reason, nil
	}
	s.state.size, s.state.next = position, next
	s.state.inHeap, s.state.largestKnown = true, true
	if reason != nil {
		l.options().Logger.Warn("cutting a torn tail", "partition", l.tp.String(), "file", reason.File, "position", reason.Position, "bytes", size-position, "offset", next, "recoveryPoint", point, "reason", reason.Reason)
		if err := l.keepCut(s, f, position, size); err != nil {
			return nil, err
		}
		if err := f.Truncate(position); err != nil {
			return nil, err
		}
		last = true
	}
	s.synced, s.reserved = position, position
	s.noteTime()
	if last {
		return reason, s.correctIndexFiles()
	}
	return nil, s.replaceIndexes()
}

// wideGap is a gap between batches that is taken for a flipped bit if one bit makes the difference and the topic is not
// compacted. Narrower ones are common in replicas of topics that once were.
const wideGap = 1 << 16

// recoverBatch returns the batch at position, where the offset next is expected, with all that can be checked of it.
func (l *Log) recoverBatch(scan *scanner, position, next, point int64) (record.Batch, error) {
	b, err := scan.headerFrom(position, next)
	switch {
	case err != nil:
		return nil, err
	case !fitsIndex(scan.base, b.LastOffset()):
		return nil, scan.corrupt(position, fmt.Sprintf("offsets %d to %d do not fit a segment that begins at %d", b.BaseOffset(), b.LastOffset(), scan.base))
	case b.BaseOffset()-next >= wideGap && !l.config.Load().CleanupCompact && bits.OnesCount64(uint64(b.BaseOffset()^next)) == 1:
		return nil, scan.corrupt(position, fmt.Sprintf("base offset is %d, %d was expected", b.BaseOffset(), next))
	case b.LastOffset() >= point:
		return scan.batch(position)
	}
	return b, nil
}

// gapBefore is a batch that does not begin where the one before ended: after compaction, or because of a flipped bit.
type gapBefore struct {
	position, next int64 // where it lies, and the offset that was expected there
	last           int64 // its last offset
}

// contradicted reports whether what follows at position begins before the batch ends: the batch is the wrong one then.
func (g gapBefore) contradicted(scan *scanner, position int64) bool {
	b, err := scan.header(position)
	return err == nil && b.BaseOffset() <= g.last
}

func (g gapBefore) reason(scan *scanner) *CorruptionError {
	return &CorruptionError{File: scan.file.Name(), Position: g.position, Offset: g.next, Reason: fmt.Sprintf("its last offset is %d, which passes the next batch's first; offset %d was expected here", g.last, g.next)}
}

// trustIndexes keeps the index entries that lie below an offset if the last one names a batch that is there, and
// returns where to go on and the offset expected there.
func (s *segment) trustIndexes(scan *scanner, below int64) (position, next int64) {
	s.state.largest = timeEntry{noTimestamp, s.base}
	offsetBytes, err := readFile(s.fsys, s.stem+offsetIndexSuffix, maxIndexBytes)
	if err != nil {
		return 0, s.base
	}
	timeBytes, err := readFile(s.fsys, s.stem+timeIndexSuffix, maxIndexBytes)
	if err != nil {
		return 0, s.base
	}
	offsets, _ := parseOffsetIndex(offsetBytes, s.size())
	for len(offsets) > 0 && unpackEntry(s.base, offsets[len(offsets)-1]).offset >= below {
		offsets = offsets[:len(offsets)-1]
	}
	if len(offsets) == 0 {
		return 0, s.base
	}
	entry := unpackEntry(s.base, offsets[len(offsets)-1])
	b, err := scan.header(entry.position)
	if err != nil || b.LastOffset() != entry.offset {
		return 0, s.base
	}
	// The walk begins at the batch of the last entry, which it notes again.
	next = b.BaseOffset()
	times, _ := parseTimeIndex(timeBytes, s.base, next)
	if len(times) == 0 && len(offsets) > 1 {
		return 0, s.base // every entry but the first follows a timestamp, unless records have none
	}
	if n := len(times); n > 0 && !timeIsTrue(scan, s.base, offsets, times[n-1]) {
		return 0, s.base
	}
	s.state.offsets, s.state.times = offsets[:len(offsets)-1], times
	if len(times) > 0 {
		s.state.largest = times[len(times)-1]
	}
	s.sinceIndexEntry = s.interval + 1
	return entry.position, next
}

// timeIsTrue reports whether the entry names a batch with that largest timestamp.
func timeIsTrue(scan *scanner, base int64, offsets []uint64, e timeEntry) bool {
	position := int64(0)
	for _, v := range offsets {
		if entry := unpackEntry(base, v); entry.offset <= e.offset {
			position = entry.position
		}
	}
	b, _, err := scan.firstEndingAt(e.offset, position)
	return err == nil && b != nil && b.LastOffset() == e.offset && b.MaxTimestamp() == e.timestamp
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

// syncRecovered makes durable what recovery read above the recovery point: after a crash of the process alone it may
// be in the page cache only, and from now on it counts as stable. The log directory itself is synced once for all logs.
func (l *Log) syncRecovered(list []*segment, point int64) error {
	synced := false
	for _, s := range list {
		size, next := s.end()
		if next <= point || size == 0 {
			continue
		}
		if err := s.syncLog(); err != nil {
			return err
		}
		synced = true
	}
	if err := l.epochs.save(l.fsys, l.path, math.MaxInt64); err != nil {
		return err
	}
	if len(list) == 0 {
		l.mu.unsynced.folder = true // with the first record, as after Create
		return nil
	}
	if synced || point == 0 {
		return l.fsys.SyncDir(l.path)
	}
	return nil
}
