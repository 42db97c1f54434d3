package commitlog

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
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
	volume  volumeSync
	journal *journal // nil: off
	failure atomic.Pointer[error]
	// cleanedDue says that the cleaner's checkpoint tells of logs that are not there any more.
	cleanedDue atomic.Bool
	space      space
	damaged    atomic.Int32 // logs with damage; those that were deleted count, too
	// cleanEpoch is the broker epoch of the last run if that stopped cleanly.
	cleanEpoch int64
	clean      bool

	mu struct {
		sync.Mutex
		logs    map[kafka.TopicPartition]*Log
		futures map[kafka.TopicPartition]*Log
		// leaving are logs whose folders get their new names, until that is durable.
		leaving []*Log
		// deleted are partitions of which the checkpoints on disk may still tell, though their logs are gone.
		deleted   map[kafka.TopicPartition]bool
		deletions []deletion
		removal   time.Time // when the first of deletions is due
		closed    bool
	}
	// folders is held while folders of deleted partitions get their new names, until a redo knows; and while one is made.
	folders sync.Mutex
	// checkpoints orders the writing of checkpoint files: offsets are read and written under it.
	checkpoints sync.Mutex
}

// Open locks a log directory, creating it if needed, and loads its logs; after an unclean stop it recovers them. A
// directory in use is an error that wraps vfs.ErrLocked. Logs whose data below the recovery point is damaged are
// loaded but refuse appends; those that cannot be loaded are set aside: see [Log.Unloadable].
func Open(fsys vfs.FS, path string, o Options) (*Dir, error) {
	d := &Dir{path: path, options: o.withDefaults(), cleanEpoch: noBrokerEpoch}
	d.files = newOpenFiles(d.options.OpenFiles, d.fail)
	d.fsys = crowdedFS{fsys, d.files}
	d.mu.logs = make(map[kafka.TopicPartition]*Log)
	d.mu.futures = make(map[kafka.TopicPartition]*Log)
	d.mu.deleted = make(map[kafka.TopicPartition]bool)
	d.flusher = newFlusher(d)
	d.space.dir = d
	d.space.configured.Store(o.Reserve)
	d.journal = newJournal(d)
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
	if o.Reserve != 0 {
		_, _ = d.LookAtSpace() // if it cannot be asked now, appends ask again
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

// Now is what the directory's clock says (Options.Now).
func (d *Dir) Now() time.Time { return d.options.Now() }

// WasClean reports whether the last run ended with Close, and the broker epoch it had then (-1 if unknown; KIP-966).
func (d *Dir) WasClean() (clean bool, brokerEpoch int64) { return d.clean, d.cleanEpoch }

// Logs returns all logs, by topic and partition.
func (d *Dir) Logs() []*Log {
	d.mu.Lock()
	defer d.mu.Unlock()
	return sortedLogs(d.mu.logs)
}

func sortedLogs(logs map[kafka.TopicPartition]*Log) []*Log {
	return slices.SortedFunc(maps.Values(logs), func(a, b *Log) int {
		return cmp.Or(cmp.Compare(a.tp.Topic, b.tp.Topic), cmp.Compare(a.tp.Partition, b.tp.Partition))
	})
}

// Count is the number of logs and of future logs, the metadata log not counted: what the load of a directory is measured by.
func (d *Dir) Count() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := len(d.mu.logs) + len(d.mu.futures)
	if d.mu.logs[kafka.TopicPartition{Topic: kafka.MetadataTopic}] != nil {
		n--
	}
	return n
}

// Log returns the log of a partition, or nil.
func (d *Dir) Log(tp kafka.TopicPartition) *Log {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.mu.logs[tp]
}

// Space returns the free and the total bytes of the volume.
func (d *Dir) Space() (free, total int64, err error) {
	if d.fsys == nil { // see OpenFailed
		return 0, 0, d.offline()
	}
	return d.fsys.Space(d.path)
}
