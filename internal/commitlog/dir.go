package commitlog

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/vfs"
)

// Dir is one log directory. All methods are safe for concurrent use.
type Dir struct {
	fsys    vfs.FS
	path    string
	options Options
	meta    Meta
	lock    io.Closer
	files   *openFiles
	flusher *flusher
	failure atomic.Pointer[error]
	// cleanEpoch is the broker epoch of the last run if that stopped cleanly.
	cleanEpoch int64
	clean      bool

	mu struct {
		sync.Mutex
		logs      map[kafka.TopicPartition]*Log
		deletions []deletion
		removal   time.Time // when the first of deletions is due
		closed    bool
	}
	// checkpoints orders the writing of checkpoint files: offsets are read and written under it.
	checkpoints sync.Mutex
}

// Open locks a log directory, creating it if needed, and loads its logs; after an unclean stop it recovers them. A
// directory in use is an error that wraps vfs.ErrLocked. Logs whose data below the recovery point is damaged are
// loaded but refuse appends.
func Open(fsys vfs.FS, path string, o Options) (*Dir, error) {
	d := &Dir{path: path, options: o.withDefaults(), cleanEpoch: noBrokerEpoch}
	d.files = newOpenFiles(d.options.OpenFiles, d.fail)
	d.fsys = crowdedFS{fsys, d.files}
	d.mu.logs = make(map[kafka.TopicPartition]*Log)
	d.flusher = newFlusher(d)
	if err := makeDurable(fsys, path); err != nil {
		return nil, fmt.Errorf("log directory %s: %w", path, err)
	}
	lock, err := fsys.Lock(filepath.Join(path, lockFile))
	if err != nil {
		if errors.Is(err, vfs.ErrLocked) {
			err = fmt.Errorf("failed to acquire lock on file %s in %s; another broker or tool is using this log directory (log.dirs): %w", lockFile, path, vfs.ErrLocked)
		}
		return nil, err
	}
	d.lock = lock
	if err := d.load(); err != nil {
		return nil, errors.Join(fmt.Errorf("log directory %s: %w", path, err), lock.Close())
	}
	go d.flusher.run()
	return d, nil
}

// makeDurable creates a directory with its parents, so that they are there after a crash.
func makeDurable(fsys vfs.FS, path string) error {
	if _, err := fsys.Stat(path); err == nil {
		return nil
	}
	parent := filepath.Dir(path)
	if parent != path {
		if err := makeDurable(fsys, parent); err != nil {
			return err
		}
	}
	if err := fsys.MkdirAll(path, 0o755); err != nil {
		return err
	}
	return fsys.SyncDir(parent)
}

// Path is the directory as it was opened.
func (d *Dir) Path() string { return d.path }

// Meta is the content of meta.properties.
func (d *Dir) Meta() Meta { return d.meta }

// ID is the directory id (KIP-858).
func (d *Dir) ID() kafka.UUID { return d.meta.DirectoryID }

// WasClean reports whether the last run ended with Close, and the broker epoch it had then (-1 if unknown; KIP-966).
func (d *Dir) WasClean() (clean bool, brokerEpoch int64) { return d.clean, d.cleanEpoch }

// Logs returns all logs, by topic and partition.
func (d *Dir) Logs() []*Log {
	d.mu.Lock()
	list := make([]*Log, 0, len(d.mu.logs))
	for _, l := range d.mu.logs {
		list = append(list, l)
	}
	d.mu.Unlock()
	slices.SortFunc(list, func(a, b *Log) int {
		return cmp.Or(cmp.Compare(a.tp.Topic, b.tp.Topic), cmp.Compare(a.tp.Partition, b.tp.Partition))
	})
	return list
}

// Count is the number of logs.
func (d *Dir) Count() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.mu.logs)
}

// Log returns the log of a partition, or nil.
func (d *Dir) Log(tp kafka.TopicPartition) *Log {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.mu.logs[tp]
}

// Space returns the free and the total bytes of the volume.
func (d *Dir) Space() (free, total int64, err error) { return d.fsys.Space(d.path) }

// Close stops cleanly: everything appended is synced, indexes, snapshots and checkpoints are written, and the
// clean-shutdown file last. After a failure of the directory it only closes files and reports that failure.
func (d *Dir) Close() error {
	d.mu.Lock()
	if d.mu.closed {
		d.mu.Unlock()
		return nil
	}
	d.mu.closed = true
	d.mu.Unlock()
	gone := kafka.Errorf(kafka.KafkaStorageError, "Log directory %s is closed", d.path)
	for _, l := range d.Logs() {
		l.refuse(gone)
	}
	close(d.flusher.stop)
	<-d.flusher.done
	err := d.Failed()
	if err == nil {
		err = d.closeLogs()
	}
	for _, l := range d.Logs() {
		l.close(gone)
	}
	return errors.Join(err, d.lock.Close())
}

// closeLogs brings everything to the disk.
func (d *Dir) closeLogs() error {
	d.flusher.flush(d.Logs())
	d.flusher.syncs.stop()
	if err := d.Failed(); err != nil {
		return err
	}
	for _, l := range d.Logs() {
		if err := l.finish(); err != nil {
			return err
		}
	}
	if err := d.writeCheckpointFiles(); err != nil {
		return err
	}
	epoch := int64(noBrokerEpoch)
	if d.options.BrokerEpoch != nil {
		epoch = d.options.BrokerEpoch()
	}
	return writeCleanShutdown(d.fsys, d.path, epoch)
}

// finish writes what a clean start reads of a log, and syncs what could not be found out again.
func (l *Log) finish() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.mu.closed != nil || l.damagedBelow.Load() > 0 {
		return nil
	}
	s := l.active()
	if s.size() > 0 && s.heapIndex() {
		if s.reserved > s.size() {
			if err := s.trim(); err != nil {
				return err
			}
		}
		s.state.Lock()
		s.noteTime()
		s.state.Unlock()
		if err := s.saveIndexes(); err != nil {
			return err
		}
		l.mu.unsynced.add(s.stem+offsetIndexSuffix, s.stem+timeIndexSuffix)
		l.mu.unsynced.names = true
	}
	if err := l.saveAborted(s); err != nil {
		return err
	}
	if l.end.Load() > 0 {
		if err := l.saveSnapshot(); err != nil {
			return err
		}
	}
	for _, name := range l.mu.unsynced.files {
		if err := syncFile(l.fsys, name); err != nil {
			return err
		}
	}
	if len(l.mu.unsynced.files) > 0 || l.mu.unsynced.names {
		if err := l.fsys.SyncDir(l.path); err != nil {
			return err
		}
	}
	if len(l.mu.unsynced.snapshots) == 0 {
		return nil
	}
	if err := l.nameSnapshots(l.mu.unsynced.snapshots); err != nil {
		return err
	}
	return l.fsys.SyncDir(l.path)
}

// trim gives back the space reserved behind the segment's end.
func (s *segment) trim() error {
	f, _, err := s.useLog()
	if err != nil {
		return err
	}
	defer f.done()
	return f.Truncate(s.size())
}

// refuse ends changes; reads and flushes go on.
func (l *Log) refuse(why error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.mu.refused = cmp.Or(l.mu.refused, why)
}

func (l *Log) close(why error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.mu.closed == nil {
		for _, s := range l.list() {
			s.release()
		}
	}
	l.mu.closed = why
}
