package commitlog

import (
	"errors"
	"io/fs"
	"os"

	"github.com/ottla/ottla/internal/vfs"
)

// indexFile is an open index that is searched where it lies, by reads of one page each: a segment that is not
// appended to costs no memory. Its content was checked when it was opened for the first time.
type indexFile struct {
	*openFile
	width int
}

// indexSlot is where a segment finds an index file.
type indexSlot struct {
	file  fileSlot
	known int // entries of the checked file, and 1; 0 before. The segment's files' lock guards it
}

// maxEntrySize is the largest width of an index entry.
const maxEntrySize = timeEntrySize

// entryPageBytes is how much one probe of a search reads; it holds whole entries of both widths.
const entryPageBytes = 4080

func (x indexFile) read(i int) (entry [maxEntrySize]byte, err error) {
	_, err = x.ReadAt(entry[:x.width], int64(i)*int64(x.width))
	return entry, err
}

// search returns the index and bytes of the last entry for which before holds, or -1. before must hold for a
// prefix of the entries.
func (x indexFile) search(before func(entry []byte) bool) (at int, entry [maxEntrySize]byte, err error) {
	at = -1
	page := takePage()
	defer page.put()
	perPage := entryPageBytes / x.width
	for low, high := 0, (x.count+perPage-1)/perPage; low < high; {
		middle := (low + high) / 2
		first := middle * perPage
		b := page.bytes[:min(perPage, x.count-first)*x.width]
		if _, err := x.ReadAt(b, int64(first)*int64(x.width)); err != nil {
			return -1, entry, err
		}
		if !before(b[:x.width]) {
			high = middle
			continue
		}
		low = middle + 1
		n := 1
		for n*x.width < len(b) && before(b[n*x.width:][:x.width]) {
			n++
		}
		at = first + n - 1
		copy(entry[:], b[(n-1)*x.width:][:x.width])
		if n*x.width < len(b) {
			break
		}
	}
	return at, entry, nil
}

// maxIndexBytes bounds what is read of an index file: more than any segment.index.bytes needs, as an index has
// at most one entry per batch of 61 bytes of a 2 GiB segment.
const maxIndexBytes = 1 << 29

// useOffsetIndex returns the checked .index file; the caller ends its use with done. If the file is missing or wrong
// it rebuilds the index in the heap, saves it, and returns false.
func (s *segment) useOffsetIndex() (x indexFile, ok bool, err error) {
	return s.useIndex(&s.files.offsets, offsetIndexSuffix, offsetEntrySize, func(b []byte) bool {
		_, whole := parseOffsetIndex(b, s.size())
		return whole
	})
}

// useTimeIndex is useOffsetIndex for the .timeindex file.
func (s *segment) useTimeIndex() (x indexFile, ok bool, err error) {
	return s.useIndex(&s.files.times, timeIndexSuffix, timeEntrySize, func(b []byte) bool {
		size, next := s.end()
		entries, whole := parseTimeIndex(b, s.base, next)
		return whole && (len(entries) > 0 || size == 0 || s.knownTimeless())
	})
}

// knownTimeless reports whether the segment was read and no record has a timestamp: then an empty time index is right.
func (s *segment) knownTimeless() bool {
	s.state.RLock()
	defer s.state.RUnlock()
	return s.state.largestKnown && s.state.largest.timestamp < 0
}

func (s *segment) heapIndex() bool {
	s.state.RLock()
	defer s.state.RUnlock()
	return s.state.inHeap
}

func (s *segment) useIndex(slot *indexSlot, suffix string, width int, valid func([]byte) bool) (x indexFile, ok bool, err error) {
	if f := slot.file.use(); f != nil {
		return indexFile{f, width}, true, nil
	}
	s.files.Lock()
	defer s.files.Unlock()
	if f := s.open.useAgain(&slot.file); f != nil {
		return indexFile{f, width}, true, nil
	}
	if s.heapIndex() {
		return indexFile{}, false, nil
	}
	if s.files.retired {
		return indexFile{}, false, errRetired
	}
	f, err := s.openIndex(slot, suffix, width, valid)
	return indexFile{f, width}, f != nil, err
}

// openIndex returns nil without an error if the index had to be built anew. The caller holds s.files.
func (s *segment) openIndex(slot *indexSlot, suffix string, width int, valid func([]byte) bool) (*openFile, error) {
	opened, count, err := s.openChecked(slot.known-1, suffix, width, valid)
	if err == nil && opened != nil {
		slot.known = count + 1
		return s.open.keep(&slot.file, opened, count), nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if err := s.rebuildIndexes(true); err != nil {
		return nil, err
	}
	_ = s.replaceIndexes() // if the disk does not take them, they stay in the heap until the next start
	return nil, nil
}

// openChecked opens an index file and checks its content, if that was not done before: known is the number of its entries
// then, else below 0. It returns nil for a file that is wrong.
func (s *segment) openChecked(known int, suffix string, width int, valid func([]byte) bool) (f vfs.File, count int, err error) {
	if known < 0 {
		content, err := ReadFile(s.fsys, s.stem+suffix, maxIndexBytes)
		if err != nil || !valid(content) {
			return nil, 0, err
		}
		known = len(content) / width
	}
	f, err = s.fsys.OpenFile(s.stem+suffix, os.O_RDONLY, 0)
	if err != nil {
		return nil, 0, err
	}
	if size, err := f.Size(); err != nil || size != int64(known)*int64(width) {
		return nil, 0, errors.Join(err, f.Close())
	}
	return f, known, nil
}
