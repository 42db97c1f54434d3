package commitlog

import (
	"errors"
	"fmt"
	"math"
	"math/bits"

	"github.com/ottla/ottla/internal/record"
)

// recoverSegment checks one segment from the recovery point on. reason says why the segment was cut, if it was.
func (l *Log) recoverSegment(s *segment, bounds recoveryBounds, last bool) (reason *CorruptionError, err error) {
	f, _, err := s.useLog()
	if err != nil {
		return nil, err
	}
	defer f.done()
	scan := s.walkThrough(f, scanBufferBytes)
	defer scan.free()
	if bounds.exact && last {
		scan.next = bounds.point
	}
	w := recoveryWalk{log: l, segment: s, scan: scan, point: bounds.point}
	w.begin(min(bounds.point, bounds.saved))
	from := w.position
	if reason, err = w.walk(s.size()); err != nil {
		return nil, err
	}
	if last {
		l.mu.unsynced.sinceSaved = w.position - from
	}
	if reason != nil && w.next < bounds.proven {
		l.damaged(reason, bounds.proven)
		s.state.offsets, s.state.times = nil, nil // what lies behind may be found with the files
		return reason, nil
	}
	if reason != nil {
		l.options().Logger.Warn("cutting a torn tail", "partition", l.tp.String(), "file", reason.File, "position", reason.Position, "bytes", s.size()-w.position, "offset", w.next, "recoveryPoint", bounds.point, "reason", reason.Reason)
		if err := l.keepCut(s, f, w.position, s.size()); err != nil {
			return nil, err
		}
		if err := f.Truncate(w.position); err != nil {
			return nil, err
		}
	}
	s.state.size, s.state.next = w.position, w.next
	s.state.inHeap, s.state.largestKnown = true, true
	s.synced, s.reserved = w.position, w.position
	s.noteTime()
	if last || reason != nil {
		return reason, s.correctIndexFiles()
	}
	return nil, s.replaceIndexes()
}

// recoveryWalk is a walk over the batches of a segment, from where its indexes can be trusted.
type recoveryWalk struct {
	log     *Log
	segment *segment
	scan    *scanner
	point   int64

	position, next int64       // where the next batch lies, and the offset expected there
	later          []timeEntry // of the index file, not trusted yet
}

// walk goes on to the end, or to what cannot be part of the log, which reason says; err is that of the disk.
func (w *recoveryWalk) walk(end int64) (reason *CorruptionError, err error) {
	gap := gapBefore{position: -1}
	for w.position < end {
		b, err := w.log.recoverBatch(w.scan, w.position, w.next, w.point)
		if err != nil {
			if reason, _ = errors.AsType[*CorruptionError](at(w.next, err)); reason == nil {
				return nil, err
			}
			if gap.position >= 0 && gap.contradicted(w.scan, w.position) {
				reason, w.position, w.next = gap.reason(w.scan), gap.position, gap.next
			}
			return reason, nil
		}
		gap = gapBefore{position: -1}
		if b.BaseOffset() > w.next {
			gap = gapBefore{w.position, w.next, b.LastOffset()}
		}
		w.note(b)
		w.next = b.LastOffset() + 1
		w.position += int64(b.Length())
	}
	return nil, nil
}

// note enters a batch into what is derived from batches. Time index entries of the file that turn out to be true stay, which
// spares most files from being written anew: progress and clean stops enter the largest timestamp wherever the log is.
func (w *recoveryWalk) note(b record.Batch) {
	s := w.segment
	s.note(b, w.position)
	w.log.epochs.assignNewer(b.LeaderEpoch(), b.BaseOffset())
	for len(w.later) > 0 && w.later[0].offset <= b.LastOffset() {
		if w.later[0] == s.state.largest {
			s.noteTime()
		}
		w.later = w.later[1:]
	}
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

// begin keeps the index entries that lie below an offset if the last one names a batch that is there, and goes on from it;
// else at the beginning of the segment.
func (w *recoveryWalk) begin(below int64) {
	s, scan := w.segment, w.scan
	w.position, w.next = 0, s.base
	s.state.largest = timeEntry{noTimestamp, s.base}
	timeBytes, err := ReadFile(s.fsys, s.stem+timeIndexSuffix, maxIndexBytes)
	if err != nil {
		return
	}
	w.later, _ = parseTimeIndex(timeBytes, s.base, math.MaxInt64)
	offsetBytes, err := ReadFile(s.fsys, s.stem+offsetIndexSuffix, maxIndexBytes)
	if err != nil {
		return
	}
	offsets, _ := parseOffsetIndex(offsetBytes, s.size())
	for len(offsets) > 0 && unpackEntry(s.base, offsets[len(offsets)-1]).offset >= below {
		offsets = offsets[:len(offsets)-1]
	}
	if len(offsets) == 0 {
		return
	}
	entry := unpackEntry(s.base, offsets[len(offsets)-1])
	b, err := scan.header(entry.position)
	if err != nil || b.LastOffset() != entry.offset {
		return
	}
	// The walk begins at the batch of the last entry, which it notes again.
	next := b.BaseOffset()
	times, _ := parseTimeIndex(timeBytes, s.base, next)
	if len(times) == 0 && len(offsets) > 1 {
		return // every entry but the first follows a timestamp, unless records have none
	}
	if n := len(times); n > 0 && !timeIsTrue(scan, s.base, offsets, times[n-1]) {
		return
	}
	s.state.offsets, s.state.times = offsets[:len(offsets)-1], times
	if len(times) > 0 {
		s.state.largest = times[len(times)-1]
	}
	s.sinceIndexEntry = s.interval + 1
	w.position, w.next, w.later = entry.position, next, w.later[len(times):]
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
