package commitlog

import (
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ottla/ottla/internal/vfs"
)

// segment is one .log file of record batches with its indexes. Its files are opened when they are needed; an
// empty segment has none.
//
// The fields before state belong to whoever holds the log's mutex. state may be read by anybody; only the
// holder of the log's mutex changes size and next, so that a reader always sees whole batches.
type segment struct {
	base     int64
	stem     string // path without suffix
	fsys     vfs.FS
	created  time.Time // when it was made, or the file's modification time after a restart
	jitterMs int64     // what this segment subtracts from segment.ms
	refs     atomic.Int32

	firstTimestamp  int64 // maximum timestamp of the first batch, from which segment.ms counts; see unread
	sinceIndexEntry int64 // bytes since the last index entry
	reserved        int64 // file space reserved up to here
	interval        int64 // index.interval.bytes
	synced          int64 // bytes known to be on stable storage

	state segmentState
	files segmentFiles
}

// segmentState is what readers see. Its lock is never held across I/O.
type segmentState struct {
	sync.RWMutex
	size int64 // bytes of whole batches
	next int64 // offset after the last batch

	inHeap  bool     // offsets and times hold the index; otherwise the files do
	offsets []uint64 // packed, see offset_index.go
	times   []timeEntry

	newest *newestBatches // nil: none are known
	places *readPlaces
	cuts   int // how often the segment was cut, which is when known batches are forgotten

	largest      timeEntry // largest timestamp and the last offset of its batch
	largestKnown bool

	aborted      []Aborted
	abortedKnown bool
	txnUnsaved   bool // the .txnindex file differs from aborted
}

// segmentFiles are the open files; nil until used.
type segmentFiles struct {
	sync.Mutex
	log     atomic.Pointer[openFile]
	offsets *indexFile
	times   *indexFile
}

type openFile struct{ vfs.File }

// unread stands for a first timestamp that was not looked up, noTimestamp for a batch or a segment without.
const (
	unread      = math.MinInt64
	noTimestamp = -1
)

func segmentStem(folder string, base int64) string { return filepath.Join(folder, offsetName(base)) }

// newSegment returns an empty segment; no file is created until the first append.
func newSegment(fsys vfs.FS, folder string, base int64, c *Config, now time.Time) *segment {
	s := &segment{base: base, stem: segmentStem(folder, base), fsys: fsys, created: now, firstTimestamp: unread, interval: c.IndexIntervalBytes}
	s.jitterMs = jitter(c)
	s.refs.Store(1)
	s.state.next = base
	s.state.inHeap = true
	s.state.largest = timeEntry{noTimestamp, base}
	s.state.largestKnown = true
	s.state.abortedKnown = true
	return s
}

// storedSegment returns a segment whose files exist. next is set by who knows it.
func storedSegment(fsys vfs.FS, folder string, base, size int64, modified time.Time, c *Config) *segment {
	s := &segment{base: base, stem: segmentStem(folder, base), fsys: fsys, created: modified, firstTimestamp: unread, interval: c.IndexIntervalBytes, synced: size, reserved: size}
	s.jitterMs = jitter(c)
	s.refs.Store(1)
	s.state.size = size
	return s
}

// acquire takes a reference; false if the segment is gone.
func (s *segment) acquire() bool {
	for {
		n := s.refs.Load()
		if n == 0 {
			return false
		}
		if s.refs.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

// release drops a reference; the last one closes the files.
func (s *segment) release() {
	if s.refs.Add(-1) == 0 {
		s.close()
	}
}

func (s *segment) close() error {
	s.files.Lock()
	defer s.files.Unlock()
	var err error
	if f := s.files.log.Swap(nil); f != nil {
		err = f.Close()
	}
	return errors.Join(err, s.closeIndexFiles())
}

// closeIndexFiles: the caller holds s.files.
func (s *segment) closeIndexFiles() error {
	var errs [2]error
	if s.files.offsets != nil {
		errs[0] = s.files.offsets.file.Close()
	}
	if s.files.times != nil {
		errs[1] = s.files.times.file.Close()
	}
	s.files.offsets, s.files.times = nil, nil
	return errors.Join(errs[:]...)
}

// logFile returns the open .log file. created says that this call made it, so that its directory needs a sync.
func (s *segment) logFile() (f vfs.File, created bool, err error) {
	if open := s.files.log.Load(); open != nil {
		return open.File, false, nil
	}
	s.files.Lock()
	defer s.files.Unlock()
	if open := s.files.log.Load(); open != nil {
		return open.File, false, nil
	}
	f, err = s.fsys.OpenFile(s.stem+logSuffix, os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) && s.size() == 0 {
		created = true
		f, err = s.fsys.OpenFile(s.stem+logSuffix, os.O_RDWR|os.O_CREATE, 0o644)
	}
	if err != nil {
		return nil, false, err
	}
	s.files.log.Store(&openFile{f})
	return f, created, nil
}

// end returns the published size and next offset, which belong together.
func (s *segment) end() (size, next int64) {
	s.state.RLock()
	defer s.state.RUnlock()
	return s.state.size, s.state.next
}

func (s *segment) size() int64 {
	size, _ := s.end()
	return size
}

func (s *segment) name() string { return s.stem + logSuffix }
