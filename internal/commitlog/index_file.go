package commitlog

import (
	"errors"
	"io/fs"
	"os"

	"github.com/ottla/ottla/internal/vfs"
)

// indexFile is an index that is searched where it lies, by reads of one page each: a segment that is not
// appended to costs no memory. Its content was checked when it was opened.
type indexFile struct {
	file  vfs.File
	width int
	count int
}

// maxEntrySize is the largest width of an index entry.
const maxEntrySize = timeEntrySize

// entryPageBytes is how much one probe of a search reads; it holds whole entries of both widths.
const entryPageBytes = 4080

func (x *indexFile) read(i int) (entry [maxEntrySize]byte, err error) {
	_, err = x.file.ReadAt(entry[:x.width], int64(i)*int64(x.width))
	return entry, err
}

// search returns the index and bytes of the last entry for which before holds, or -1. before must hold for a
// prefix of the entries.
func (x *indexFile) search(before func(entry []byte) bool) (at int, entry [maxEntrySize]byte, err error) {
	at = -1
	page := takePage()
	defer page.put()
	perPage := entryPageBytes / x.width
	for low, high := 0, (x.count+perPage-1)/perPage; low < high; {
		middle := (low + high) / 2
		first := middle * perPage
		b := page.bytes[:min(perPage, x.count-first)*x.width]
		if _, err := x.file.ReadAt(b, int64(first)*int64(x.width)); err != nil {
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

// openOffsetIndex returns the checked .index file. If the file is missing or wrong it rebuilds the index in
// the heap, saves it, and returns nil.
func (s *segment) openOffsetIndex() (*indexFile, error) {
	s.files.Lock()
	defer s.files.Unlock()
	if s.files.offsets != nil || s.heapIndex() {
		return s.files.offsets, nil
	}
	size, _ := s.end()
	x, err := s.openIndex(offsetIndexSuffix, offsetEntrySize, func(b []byte) bool {
		_, whole := parseOffsetIndex(b, size)
		return whole
	})
	s.files.offsets = x
	return x, err
}

// openTimeIndex is openOffsetIndex for the .timeindex file.
func (s *segment) openTimeIndex() (*indexFile, error) {
	s.files.Lock()
	defer s.files.Unlock()
	if s.files.times != nil || s.heapIndex() {
		return s.files.times, nil
	}
	size, next := s.end()
	x, err := s.openIndex(timeIndexSuffix, timeEntrySize, func(b []byte) bool {
		entries, whole := parseTimeIndex(b, s.base, next)
		return whole && (len(entries) > 0 || size == 0 || s.knownTimeless())
	})
	s.files.times = x
	return x, err
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

// openIndex: the caller holds s.files.
func (s *segment) openIndex(suffix string, width int, valid func([]byte) bool) (*indexFile, error) {
	content, err := readFile(s.fsys, s.stem+suffix, maxIndexBytes)
	if err == nil && valid(content) {
		f, err := s.fsys.OpenFile(s.stem+suffix, os.O_RDONLY, 0)
		if err != nil {
			return nil, err
		}
		return &indexFile{file: f, width: width, count: len(content) / width}, nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if err := s.rebuildIndexes(); err != nil {
		return nil, err
	}
	_ = s.replaceIndexes() // if the disk does not take them, they stay in the heap until the next start
	return nil, nil
}
