package commitlog

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"slices"

	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/vfs"
)

// note enters a batch that lies at position into the indexes, as Kafka's LogSegment.append does: an entry
// whenever more than index.interval.bytes lie since the last. The caller owns the segment's writing side and
// holds s.state.
func (s *segment) note(b record.Batch, position int64) {
	last := b.LastOffset()
	if ts := b.MaxTimestamp(); ts > s.state.largest.timestamp {
		s.state.largest = timeEntry{ts, last}
	}
	if s.sinceIndexEntry > s.interval {
		s.state.offsets = append(s.state.offsets, packEntry(s.base, indexEntry{last, position}))
		s.noteTime()
		s.sinceIndexEntry = 0
	}
	s.sinceIndexEntry += int64(b.Length())
}

// noteTime enters the largest timestamp so far if it is news.
func (s *segment) noteTime() {
	largest, n := s.state.largest, len(s.state.times)
	if largest.timestamp < 0 || n > 0 && largest.timestamp <= s.state.times[n-1].timestamp {
		return
	}
	s.state.times = append(s.state.times, largest)
}

// rebuildIndexes reads all batch headers of a segment and puts both indexes into the heap; if whatever can be had will do,
// up to damage, otherwise damage is an error and nothing changes. The caller holds s.files; the segment is not being
// appended to.
func (s *segment) rebuildIndexes(whatever bool) error {
	f, err := s.fsys.OpenFile(s.name(), os.O_RDONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	built := &segment{base: s.base, interval: s.interval}
	built.state.largest = timeEntry{noTimestamp, s.base}
	scan := s.scan(f, scanBufferBytes)
	defer scan.free()
	least := s.base
	for position := int64(0); position < scan.end; {
		b, err := scan.headerFrom(position, least)
		if err != nil {
			if _, damaged := errors.AsType[*CorruptionError](err); damaged && whatever {
				// What lies before can be found; who looks behind meets the damage. The last entry may name the batch that
				// is wrong.
				built.state.offsets = built.state.offsets[:max(0, len(built.state.offsets)-1)]
				break
			}
			return err
		}
		least = b.LastOffset() + 1
		if fitsIndex(s.base, b.LastOffset()) {
			built.note(b, position)
		}
		position += int64(b.Length())
	}
	built.noteTime()
	s.state.Lock()
	defer s.state.Unlock()
	s.state.offsets, s.state.times, s.state.inHeap = built.state.offsets, built.state.times, true
	s.state.largest, s.state.largestKnown = built.state.largest, true
	return nil
}

// formatIndexes returns the content of both index files, trimmed as Kafka leaves them on a clean close.
func (s *segment) formatIndexes() (offsets, times []byte) {
	s.state.RLock()
	defer s.state.RUnlock()
	return formatOffsetIndex(s.state.offsets), formatTimeIndex(s.base, s.state.times)
}

// replaceIndexes writes rebuilt indexes, durably, and frees the heap. What the files had before need not be a prefix
// of it, so they are replaced at once and never mixed. The segment is not appended to.
func (s *segment) replaceIndexes() error {
	offsets, times := s.formatIndexes()
	if err := ReplaceFile(s.fsys, s.stem+offsetIndexSuffix, offsets); err != nil {
		return err
	}
	if err := ReplaceFile(s.fsys, s.stem+timeIndexSuffix, times); err != nil {
		return err
	}
	s.dropHeapIndexes()
	return nil
}

func (s *segment) dropHeapIndexes() {
	s.state.Lock()
	defer s.state.Unlock()
	s.state.inHeap, s.state.offsets, s.state.times = false, nil, nil
}

// saveIndexes extends both index files to what the heap has.
func (s *segment) saveIndexes() error {
	offsets, times := s.formatIndexes()
	return errors.Join(
		extendFile(s.fsys, s.stem+offsetIndexSuffix, offsets),
		extendFile(s.fsys, s.stem+timeIndexSuffix, times))
}

// correctIndexFiles leaves nothing in the files of a segment that goes on being active but the beginning of what the heap has,
// durably: they may hold entries of an end that was cut or lost, which must not be mixed with those that come. A file that is
// missing stays so, and is built anew if a recovery wants it.
func (s *segment) correctIndexFiles() error {
	offsets, times := s.formatIndexes()
	for _, x := range [...]struct {
		suffix  string
		content []byte
	}{{offsetIndexSuffix, offsets}, {timeIndexSuffix, times}} {
		old, err := ReadFile(s.fsys, s.stem+x.suffix, maxIndexBytes)
		if errors.Is(err, fs.ErrNotExist) || err == nil && bytes.HasPrefix(x.content, old) {
			continue
		}
		err = ReplaceFile(s.fsys, s.stem+x.suffix, x.content)
		if vfs.IsNoSpace(err) {
			err = errors.Join(removeIfThere(s.fsys, s.stem+x.suffix+temporarySuffix), removeIfThere(s.fsys, s.stem+x.suffix))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// moveIndexesToDisk saves the indexes of a segment that will not be appended to and frees the heap. If they
// cannot be saved they stay in the heap, which is no harm: they can be rebuilt from the log at any time.
func (s *segment) moveIndexesToDisk() error {
	if err := s.saveIndexes(); err != nil {
		return err
	}
	s.dropHeapIndexes()
	return nil
}

// loadIndexes brings the indexes of the active segment into the heap, where appends can extend them.
func (s *segment) loadIndexes() error {
	if s.heapIndex() {
		return nil
	}
	s.files.Lock()
	defer s.files.Unlock()
	if s.heapIndex() {
		return nil // a reader found the files wrong and rebuilt them
	}
	s.files.damage = nil // from here on the segment changes
	if err := s.closeIndexFiles(); err != nil {
		return err
	}
	size, next := s.end()
	offsetBytes, offsetErr := ReadFile(s.fsys, s.stem+offsetIndexSuffix, maxIndexBytes)
	timeBytes, timeErr := ReadFile(s.fsys, s.stem+timeIndexSuffix, maxIndexBytes)
	offsets, offsetsWhole := parseOffsetIndex(offsetBytes, size)
	times, timesWhole := parseTimeIndex(timeBytes, s.base, next)
	if offsetErr != nil || timeErr != nil || !offsetsWhole || !timesWhole || len(times) == 0 && size > 0 {
		return s.rebuildIndexes(true)
	}
	if whole, err := s.timesAreWhole(offsets, times); err != nil || !whole {
		return errors.Join(err, s.rebuildIndexes(true))
	}
	s.sinceIndexEntry = size
	if n := len(offsets); n > 0 {
		s.sinceIndexEntry -= unpackEntry(s.base, offsets[n-1]).position
	}
	s.state.Lock()
	defer s.state.Unlock()
	s.state.offsets, s.state.times, s.state.inHeap = offsets, times, true
	if n := len(times); n > 0 && !s.state.largestKnown {
		s.state.largest = times[n-1]
	}
	s.state.largestKnown = true
	return nil
}

// timesAreWhole is isLargest for indexes that are being loaded. The caller holds s.files.
func (s *segment) timesAreWhole(offsets []uint64, times []timeEntry) (bool, error) {
	s.state.RLock()
	known := s.state.largestKnown
	s.state.RUnlock()
	if len(times) == 0 || known {
		return true, nil
	}
	last := times[len(times)-1]
	position := int64(0)
	for _, v := range slices.Backward(offsets) {
		if entry := unpackEntry(s.base, v); entry.offset <= last.offset {
			position = entry.position
			break
		}
	}
	f, _, err := s.openLog()
	if err != nil {
		return false, err
	}
	defer f.done()
	scan := s.scan(f, scanBufferBytes)
	defer scan.free()
	return scan.noneLater(position, last.timestamp)
}
