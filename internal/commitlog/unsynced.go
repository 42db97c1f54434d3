package commitlog

import (
	"errors"
	"io/fs"
	"math"
	"path/filepath"
	"slices"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/vfs"
)

// unsynced is what the next flush of a log has to make durable, beside the bytes of segments. The log's mutex
// guards it.
type unsynced struct {
	folder  bool     // the partition's folder and its partition.metadata are new
	names   bool     // names in the folder changed
	files   []string // closed files: indexes, snapshots
	rolled  bool     // a segment was closed: the recovery point is worth a checkpoint
	bytes   int64
	records int64
	// generation counts truncations: a flush that began before one says nothing about what came after.
	generation int64
	sinceSaved int64 // bytes since saveProgress
	// snapshots are the offsets of pending producer snapshots, which are among files.
	snapshots []int64
}

func (u *unsynced) add(files ...string) { u.files = append(u.files, files...) }

// Bytes that nobody waits for are flushed after this time or this many bytes, whichever comes first.
const (
	maxUnaskedTime  = 100 * time.Millisecond
	maxUnaskedBytes = 256 << 10
)

// With write.caching nobody ever waits, and a sync of every 256 KiB would cost a quarter of the CPU of a busy log. The bytes
// are still bounded: a flush of all that the page cache takes would hold up the other logs of its round for seconds.
const (
	maxCachedTime  = time.Second
	maxCachedBytes = 8 << 20
)

// allUnaskedBytes bounds the bytes of all logs of a Dir that wait for these times: a thousand logs with some megabytes each are
// as much to flush at once, and to recover, as one large one.
const allUnaskedBytes = 256 << 20

// appended accounts for new bytes and calls the flusher where they must not wait. The caller holds l.mu.
func (l *Log) appended(c *Config, s *segment, bytes, records int64) {
	u := &l.mu.unsynced
	u.bytes += bytes
	u.records += records
	u.sinceSaved += bytes
	due := l.flushDue()
	if c.WriteCaching && !due {
		l.raiseStable(l.end.Load())
	}
	within, most := maxUnaskedTime, int64(maxUnaskedBytes)
	if c.WriteCaching {
		within, most = maxCachedTime, maxCachedBytes
	}
	switch {
	case l.future: // see Sync
	case due || u.bytes >= most:
		l.dir.flusher.want(l)
	default:
		if !l.dirty.Swap(true) {
			l.dir.flusher.later(l, min(within, time.Duration(min(max(0, c.FlushMs), math.MaxInt64/int64(time.Millisecond)))*time.Millisecond))
		}
		l.dir.flusher.laterBytes(bytes)
	}
}

// flushDue reports whether as many records as flush.messages says are not flushed. The caller holds l.mu.
func (l *Log) flushDue() bool {
	return l.mu.unsynced.records >= max(1, l.config.Load().FlushMessages)
}

func (l *Log) raiseStable(offset int64) {
	for {
		old := l.stable.Load()
		if offset <= old || l.stable.CompareAndSwap(old, offset) {
			return
		}
	}
}

// Commit says that somebody waits until everything below offset is stable: the flusher takes the log in its next
// round, and OnStable tells. If offset is stable already nothing happens; so set what OnStable needs to find first,
// call Commit, then look at StableOffset.
func (l *Log) Commit(offset int64) {
	if offset > l.stable.Load() {
		l.dir.flusher.want(l)
	}
}

// flushWork is one flush of one log. Its slices are kept for the next.
type flushWork struct {
	segments   []*segment
	sizes      []int64
	files      []string
	snapshots  []int64
	folder     bool
	names      bool
	target     int64
	generation int64
	bytes      int64
	records    int64
	pinned     pinnedFiles
	err        error
	idle       bool
	allSynced  bool // segments and names are durable, see sync_all.go
	unsaved    bool // the disk is too full for closed files: their snapshots get no names

	// What the journal may take: length bytes of a segment at position, offsets first to target. length is 0 if all of the
	// flush has to be done in place.
	position  int64
	length    int
	first     int64
	left      int64
	topicID   kafka.UUID
	taken     bool // an entry is in the frame
	journaled bool // and durable
}

// beginFlush takes what has to be synced.
func (l *Log) beginFlush() *flushWork {
	w := &l.flushing
	l.mu.Lock()
	defer l.mu.Unlock()
	u := &l.mu.unsynced
	*w = flushWork{segments: w.segments[:0], sizes: w.sizes[:0], files: append(w.files[:0], u.files...), snapshots: append(w.snapshots[:0], u.snapshots...), pinned: w.pinned,
		folder: u.folder, names: u.names, first: l.flushed.Load(), target: l.end.Load(), generation: u.generation, bytes: u.bytes, records: u.records}
	if l.mu.closed != nil {
		w.idle = true
		return w
	}
	list := l.list()
	settled := l.settled()
	for i := len(list) - 1; i >= 0; i-- {
		s := list[i]
		size, next := s.end()
		if next <= settled && size > 0 {
			break
		}
		if s.synced < size && s.acquire() {
			w.segments = append(w.segments, s)
			w.sizes = append(w.sizes, size)
		}
	}
	l.suitJournal(w, list[len(list)-1])
	u.files, u.snapshots, u.folder, u.names = u.files[:0], u.snapshots[:0], false, false
	return w
}

// sync does the I/O of a flush, but for the log directory's own sync, which a round does once for all its logs.
func (w *flushWork) sync(l *Log) {
	if w.idle {
		return
	}
	for _, s := range w.segments {
		if !w.allSynced {
			w.err = errors.Join(w.err, s.syncLog())
		}
	}
	w.release()
	if w.folder {
		if err := syncFile(l.fsys, filepath.Join(l.path, partitionFile)); !errors.Is(err, fs.ErrNotExist) {
			w.err = errors.Join(w.err, err)
		}
	}
	for _, name := range w.files {
		// A file that retention or truncation took meanwhile needs no sync, nor one that a crash took before. Without
		// indexes and snapshots a recovery reads more, that is all.
		switch err := syncFile(l.fsys, name); {
		case err == nil, errors.Is(err, fs.ErrNotExist):
		case vfs.IsNoSpace(err):
			w.unsaved = true
			l.dir.space.warnFull(err)
		default:
			w.err = errors.Join(w.err, err)
		}
	}
	if (w.folder || w.names) && !w.allSynced {
		err := l.fsys.SyncDir(l.path)
		if errors.Is(err, fs.ErrNotExist) && l.gone() {
			err = nil // the log was deleted meanwhile, and nobody is told of this flush
		}
		w.err = errors.Join(w.err, err)
	}
}

// release gives up the segments.
func (w *flushWork) release() {
	for _, s := range w.segments {
		s.release()
	}
}

// gone reports whether the log was closed or deleted.
func (l *Log) gone() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.mu.closed != nil
}

// endFlush publishes what a flush made durable and reports whether there is something to tell.
func (l *Log) endFlush(w *flushWork) (stable int64, told bool) {
	if w.idle {
		return l.stable.Load(), false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.mu.closed != nil { // deleted meanwhile, which was told
		return l.stable.Load(), false
	}
	u := &l.mu.unsynced
	if u.generation != w.generation {
		w.snapshots = slices.DeleteFunc(w.snapshots, func(o int64) bool { return slices.Contains(u.snapshots, o) }) // pending again
		l.dropPendingSnapshots(w.snapshots)
		l.dir.flusher.want(l)
		return l.stable.Load(), false
	}
	if w.journaled {
		s := w.segments[0]
		s.journaled = max(s.journaled, w.sizes[0])
		l.unsettled.CompareAndSwap(noOffset, w.first)
	} else {
		for i, s := range w.segments {
			s.synced = max(s.synced, w.sizes[i])
		}
		l.unsettled.Store(noOffset)
	}
	if w.unsaved {
		l.giveUpSnapshots(w.snapshots)
	} else if err := l.nameSnapshots(w.snapshots); l.dir.failUnlessFull(err) {
		l.giveUpSnapshots(w.snapshots)
	}
	u.bytes -= w.bytes
	u.records -= w.records
	before := l.flushed.Swap(w.target)
	l.raiseStable(w.target)
	return l.stable.Load(), w.target > before
}
