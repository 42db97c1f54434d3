package commitlog

import (
	"cmp"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/producerstate"
	"github.com/ottla/ottla/internal/vfs"
)

// Log is the log of one partition. All methods are safe for concurrent use.
type Log struct {
	dir  *Dir
	fsys vfs.FS
	tp   kafka.TopicPartition
	path string
	// internal topics may use what log.dir.reserve.bytes keeps.
	internal bool
	future   bool // see future.go
	config   atomic.Pointer[Config]

	start  atomic.Int64
	end    atomic.Int64
	stable atomic.Int64
	high   atomic.Int64
	// flushed is what fdatasync made durable; stable is ahead of it with write.caching only.
	flushed atomic.Int64
	// unsettled is where begins what is durable in the redo journal but not in the segments; or noOffset. It is set before
	// flushed passes it.
	unsettled atomic.Int64
	// firstUnstable is the table's FirstUnstableOffset, or noOffset.
	firstUnstable atomic.Int64
	size          atomic.Int64
	// cleaned is where the last compaction ended; 0 if there was none. See compact_offsets.go.
	cleaned atomic.Int64
	// checkpointed is the recovery point on disk.
	checkpointed atomic.Int64
	// uncleanable is why the log is not compacted any more.
	uncleanable atomic.Pointer[error]

	// segments is never empty and never changed in place; the last one is active.
	segments atomic.Pointer[[]*segment]
	epochs   epochCache
	onStable atomic.Pointer[func(int64, error)]

	// held counts the copies that are being made of the log, see HoldCompaction.
	held atomic.Int32

	// queued and dirty say that the flusher has the log in its lists.
	queued atomic.Bool
	dirty  atomic.Bool

	// undecided is damage that hides how transactions ended; nil if there is none.
	undecided atomic.Pointer[undecided]

	mu struct {
		sync.Mutex
		topicID   kafka.UUID
		producers *producerstate.Table
		closed    error // what everything gets once the log is closed or deleted
		refused   error // what changes get while the log closes, or because it is damaged
		unsynced  unsynced
		// snapshotAt is the offset of the newest snapshot, saved or pending; or noOffset.
		snapshotAt int64
		compacting *compacting // nil, or the compaction that runs
	}
	damage damageNotes
	// doubtful says that the disk has failed a read.
	doubtful atomic.Bool
	// flushing is the flusher's own.
	flushing flushWork
	// left counts how often the log left the journal; it changes under the journal's mutex. journaledIn, which that mutex
	// guards, is the last generation that has entries of the log; 0 if none needs to be looked at.
	left        atomic.Int64
	journaledIn uint64
	// unloadable is why the log could not be loaded: it only takes its place then. It does not change.
	unloadable error
	// damagedBelow is the recovery point below which recovery found damage; it stays the recovery point. 0: no damage.
	damagedBelow atomic.Int64
	// ceiling is what no checkpoint may pass while the log is being cut; noCeiling otherwise.
	ceiling atomic.Int64
}

const (
	noOffset  = -1
	noCeiling = math.MaxInt64
)

func newLog(d *Dir, tp kafka.TopicPartition, path string, topicID kafka.UUID, c Config) *Log {
	internal := kafka.IsInternalTopic(tp.Topic) || tp.Topic == kafka.MetadataTopic
	l := &Log{dir: d, fsys: d.fsys, tp: tp, path: path, internal: internal}
	l.config.Store(&c)
	l.firstUnstable.Store(noOffset)
	l.unsettled.Store(noOffset)
	l.ceiling.Store(noCeiling)
	l.mu.topicID = topicID
	l.mu.producers = producerstate.New(tp)
	l.mu.snapshotAt = noOffset
	return l
}

// TopicPartition names the partition.
func (l *Log) TopicPartition() kafka.TopicPartition { return l.tp }

// TopicID is the topic's id, or the zero UUID if the partition's folder does not say (it was created before
// topics had ids, or its partition.metadata was lost).
func (l *Log) TopicID() kafka.UUID {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.mu.topicID
}

// Path is the partition's folder.
func (l *Log) Path() string { return l.path }

// Config returns the configuration in force.
func (l *Log) Config() Config { return *l.config.Load() }

// Configure changes the configuration. What depends on sizes and times applies from the next append or sweep on.
func (l *Log) Configure(c Config) { l.config.Store(&c) }

// StartOffset is the first offset that may be read.
func (l *Log) StartOffset() int64 { return l.start.Load() }

// EndOffset is the offset that the next record gets.
func (l *Log) EndOffset() int64 { return l.end.Load() }

// StableOffset is where what is safe ends: everything below it survives a power failure, or with write.caching
// the end of this process.
func (l *Log) StableOffset() int64 { return l.stable.Load() }

// HighWatermark is where what is committed ends, as SetHighWatermark or the checkpoint at the start said.
func (l *Log) HighWatermark() int64 { return l.high.Load() }

// SetHighWatermark moves the high watermark, kept within StartOffset and EndOffset.
func (l *Log) SetHighWatermark(offset int64) {
	offset = max(l.start.Load(), min(offset, l.end.Load()))
	if l.high.Swap(offset) == offset {
		return
	}
	l.dir.flusher.checkpointSoon()
	if l.firstUnstable.Load() == noOffset {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.mu.producers.SetHighWatermark(offset)
	l.publishUnstable()
}

// LastStableOffset is where what read_committed consumers may see ends: the high watermark, or the first record
// of the oldest transaction that is undecided below it.
func (l *Log) LastStableOffset() int64 {
	high := l.high.Load()
	if first := l.firstUnstable.Load(); first != noOffset && first < high {
		return max(first, l.start.Load())
	}
	return high
}

// Size is the number of bytes in segments.
func (l *Log) Size() int64 { return l.size.Load() }

// LatestEpoch is the last leader epoch in the log; -1 if it has none.
func (l *Log) LatestEpoch() int32 { return l.epochs.latest() }

// EpochEnd returns the largest epoch at or below epoch that the log knows, and the offset at which the next one
// begins (OffsetForLeaderEpoch, KIP-101); -1, -1 if epoch is not known and no later one is.
func (l *Log) EpochEnd(epoch int32) (found int32, end int64) {
	return l.epochs.endOf(epoch, l.end.Load())
}

// BeginEpoch notes that a leader epoch begins at start, when a leader takes over.
func (l *Log) BeginEpoch(epoch int32, start int64) {
	if l.epochs.assign(epoch, start) {
		l.dir.flusher.checkpointSoon()
	}
}

// EpochAt returns the leader epoch of the record at offset; -1 if unknown.
func (l *Log) EpochAt(offset int64) int32 { return l.epochs.at(offset) }

// Producers lists the producers that the log knows, by id (DescribeProducers).
func (l *Log) Producers() []producerstate.Producer {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.mu.producers.Producers()
}

// HasOpenTransaction reports whether the producer has an open transaction here with this epoch.
func (l *Log) HasOpenTransaction(producerID int64, epoch int16) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.mu.producers.HasOpenTransaction(producerID, epoch)
}

// StartVerification is producerstate.Table.StartVerification under the log's mutex.
func (l *Log) StartVerification(producerID int64, epoch int16, sequence int32, epochBump bool, now time.Time) (producerstate.Guard, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.mu.producers.StartVerification(producerID, epoch, sequence, epochBump, now.UnixMilli())
}

// OnStable sets the one function that is told about progress of StableOffset, and with an error that what is
// pending will never be stable. It is called by the flusher after each round without locks held and must not
// block. Advances inside Append (write.caching) are not told: the appender sees them in StableOffset.
func (l *Log) OnStable(told func(stable int64, err error)) { l.onStable.Store(&told) }

func (l *Log) tellStable(stable int64, err error) {
	if told := l.onStable.Load(); told != nil && *told != nil {
		(*told)(stable, err)
	}
}

func (l *Log) list() []*segment { return *l.segments.Load() }

// active: the caller holds l.mu.
func (l *Log) active() *segment {
	list := l.list()
	return list[len(list)-1]
}

// publishUnstable: the caller holds l.mu.
func (l *Log) publishUnstable() {
	first, ok := l.mu.producers.FirstUnstableOffset()
	if !ok {
		first = noOffset
	}
	l.firstUnstable.Store(first)
}

// usable: the caller holds l.mu.
func (l *Log) usable() error {
	return cmp.Or(l.mu.closed, l.mu.refused, l.dir.offline())
}

// Damaged reports whether recovery found damage below the recovery point, so that the log refuses appends.
func (l *Log) Damaged() bool { return l.damagedBelow.Load() > 0 }
