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

	"github.com/ottla/ottla/internal/planted"
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
	open     *openFiles
	created  time.Time // when it was made, or the file's modification time after a restart
	jitterMs int64     // what this segment subtracts from segment.ms
	refs     atomic.Int32

	firstTimestamp  int64 // maximum timestamp of the first batch, from which segment.ms counts; see unread
	sinceIndexEntry int64 // bytes since the last index entry
	reserved        int64 // file space reserved up to here
	interval        int64 // index.interval.bytes
	synced          int64 // bytes known to be on stable storage
	journaled       int64 // bytes known to be on stable storage or in the journal, if that is more

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

// segmentFiles are the segment's files, open or not. Its lock is held while one is opened, an index checked or built anew.
type segmentFiles struct {
	sync.Mutex
	log     fileSlot
	offsets indexSlot
	times   indexSlot
	damage  *CorruptionError // what a rebuild of the indexes met
	// retired says that the files go away, or have gone: none is opened any more. held is the log then, if somebody reads it.
	retired bool
	held    *openFile
}

// unread stands for a first timestamp that was not looked up, noTimestamp for a batch or a segment without.
const (
	unread      = math.MinInt64
	noTimestamp = -1
)

func segmentStem(folder string, base int64) string { return filepath.Join(folder, offsetName(base)) }

// newSegment returns an empty segment; no file is created until the first append.
func (l *Log) newSegment(base int64, c *Config, now time.Time) *segment {
	s := &segment{base: base, stem: segmentStem(l.path, base), fsys: l.fsys, open: l.dir.files, created: now, firstTimestamp: unread, interval: c.IndexIntervalBytes}
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
func (l *Log) storedSegment(base, size int64, modified time.Time, c *Config) *segment {
	s := &segment{base: base, stem: segmentStem(l.path, base), fsys: l.fsys, open: l.dir.files, created: modified, firstTimestamp: unread, interval: c.IndexIntervalBytes, synced: size, reserved: size}
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
		_ = s.close() // what it could lose is of no use to anybody
	}
}

// close closes the files. They can be opened again.
func (s *segment) close() error {
	s.files.Lock()
	defer s.files.Unlock()
	var err error
	if s.files.held != nil {
		err = s.files.held.done()
		s.files.held = nil
	}
	return errors.Join(err, s.open.drop(&s.files.log), s.closeIndexFiles())
}

// closeIndexFiles: the caller holds s.files.
func (s *segment) closeIndexFiles() error {
	s.files.offsets.known, s.files.times.known = 0, 0
	return errors.Join(s.open.drop(&s.files.offsets.file), s.open.drop(&s.files.times.file))
}

// errRetired is what readers get of a segment whose files are being taken away, if they need one that is not open: they look
// at the new list of segments.
var errRetired = errors.New("the segment was deleted")

// retire gives up the log's own reference before the files are renamed. Who has the segment still reads its records; nobody
// opens any of its files by a name that may soon be another file's.
func (s *segment) retire() {
	s.files.Lock()
	s.files.retired = true
	if !s.refs.CompareAndSwap(1, 0) {
		defer s.release()
		if f, _, err := s.openLog(); err == nil {
			s.files.held = f
		}
		s.files.Unlock()
		return
	}
	s.files.Unlock()
	_ = s.close()
}

func (s *segment) isRetired() bool {
	s.files.Lock()
	defer s.files.Unlock()
	return s.files.retired
}

// useLog returns the .log file, opened if need be; the caller ends its use with done. created says that this call made it,
// so that its directory needs a sync.
func (s *segment) useLog() (f *openFile, created bool, err error) {
	if f := s.files.log.use(); f != nil {
		return f, false, nil
	}
	s.files.Lock()
	defer s.files.Unlock()
	if s.files.retired && s.files.held == nil {
		return nil, false, errRetired
	}
	return s.openLog()
}

// openLog: the caller holds s.files.
func (s *segment) openLog() (f *openFile, created bool, err error) {
	if f := s.open.useAgain(&s.files.log); f != nil {
		return f, false, nil
	}
	opened, err := s.fsys.OpenFile(s.stem+logSuffix, os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) && s.size() == 0 {
		created = true
		opened, err = s.fsys.OpenFile(s.stem+logSuffix, os.O_RDWR|os.O_CREATE, 0o644)
	}
	if err != nil {
		return nil, false, err
	}
	return s.open.keep(&s.files.log, opened, 0), created, nil
}

// syncLog makes what the .log file has durable.
func (s *segment) syncLog() error {
	f, _, err := s.useLog()
	if err != nil {
		return err
	}
	defer f.done()
	if planted.In(planted.SkipSync) {
		return nil
	}
	return f.SyncData()
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
