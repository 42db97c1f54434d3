package commitlog

import (
	"log/slog"
	"math"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/producerstate"
	"github.com/ottla/ottla/internal/record"
)

// Config is what one log needs of its topic's configuration. Others fill it; see DefaultConfig for Kafka's
// defaults. Negative retention values mean no limit, as in Kafka.
type Config struct {
	SegmentBytes       int64         // segment.bytes: a segment never grows beyond it
	SegmentMs          int64         // segment.ms: span of record timestamps after which a segment is rolled
	SegmentJitterMs    int64         // segment.jitter.ms: up to this is subtracted from SegmentMs, by chance
	IndexIntervalBytes int64         // index.interval.bytes: about one index entry per so many bytes
	SegmentIndexBytes  int64         // segment.index.bytes: a full index rolls the segment
	RetentionMs        int64         // retention.ms
	RetentionBytes     int64         // retention.bytes
	CleanupDelete      bool          // cleanup.policy contains delete
	CleanupCompact     bool          // cleanup.policy contains compact
	FileDeleteDelay    time.Duration // file.delete.delay.ms
	FlushMessages      int64         // flush.messages: at the latest after so many records
	FlushMs            int64         // flush.ms: at the latest after this time; bytes nobody waits for never wait longer than 100 ms, with WriteCaching 1 s
	Preallocate        bool          // preallocate: reserve the whole segment when it is created
	WriteCaching       bool          // write.caching: what is in the page cache counts as stable; it is flushed within 1 s or 8 MiB
	ProducerExpiration time.Duration // producer.id.expiration.ms

	// The rest is for logs with CleanupCompact.
	MinCleanableRatio  float64 // min.cleanable.dirty.ratio: a larger share of the log must be dirty for a compaction to begin
	MinCompactionLagMs int64   // min.compaction.lag.ms: a segment with younger records is not compacted
	MaxCompactionLagMs int64   // max.compaction.lag.ms: a segment with older records is, whatever MinCleanableRatio says; it is rolled for that
	DeleteRetentionMs  int64   // delete.retention.ms: tombstones stay so long after the first compaction that meets them
}

// rollMs is how long a segment takes records (Kafka's LogConfig.maxSegmentMs).
func (c *Config) rollMs() int64 {
	if c.CleanupCompact && c.MaxCompactionLagMs > 0 {
		return min(c.SegmentMs, c.MaxCompactionLagMs)
	}
	return c.SegmentMs
}

// DefaultConfig returns Kafka's defaults: 1 GiB segments, 7 days, cleanup.policy=delete.
func DefaultConfig() Config {
	return Config{
		SegmentBytes:       1 << 30,
		SegmentMs:          (7 * 24 * time.Hour).Milliseconds(),
		IndexIntervalBytes: 4096,
		SegmentIndexBytes:  10 << 20,
		RetentionMs:        (7 * 24 * time.Hour).Milliseconds(),
		RetentionBytes:     -1,
		CleanupDelete:      true,
		FileDeleteDelay:    time.Minute,
		FlushMessages:      math.MaxInt64,
		FlushMs:            math.MaxInt64,
		ProducerExpiration: 24 * time.Hour,
		MinCleanableRatio:  0.5,
		MaxCompactionLagMs: math.MaxInt64,
		DeleteRetentionMs:  (24 * time.Hour).Milliseconds(),
	}
}

// maxSegmentBytes is the largest position that an offset index can name.
const maxSegmentBytes = math.MaxInt32

// segmentLimit is the size that a segment may have.
func (c *Config) segmentLimit() int64 {
	if c.SegmentBytes <= 0 || c.SegmentBytes > maxSegmentBytes {
		return maxSegmentBytes
	}
	return c.SegmentBytes
}

// Options are what a Dir needs. The zero value works: it logs nowhere, uses DefaultConfig for every topic, and
// makes a new cluster id if the directory is new.
type Options struct {
	// Logger gets start-up, recovery and failure lines.
	Logger *slog.Logger
	// Config gives the configuration of logs that Open finds; nil: DefaultConfig for all.
	Config func(topic string) Config
	// Now is the clock for timestamps in decisions (retention, producer expiry); nil: time.Now. Durations are counted by the
	// monotonic reading of its times, if they have one.
	Now func() time.Time
	// OpenFiles is how many files of segments stay open for the next use; 0: 1,024. While more than these have bytes to be
	// flushed there are more, up to four times as many.
	OpenFiles int
	// RecoveryThreads is how many logs are loaded at once (num.recovery.threads.per.data.dir); 0: 2.
	RecoveryThreads int
	// ClusterID and NodeID are written into a new directory's meta.properties and compared with an old one's.
	// An empty ClusterID accepts what is there.
	ClusterID string
	NodeID    int32
	// BrokerEpoch, if not nil, is asked at Close and kept in the clean-shutdown file (KIP-966).
	BrokerEpoch func() int64
	// OnFailure is called once, from a goroutine of its own, when the directory goes offline.
	OnFailure func(error)
	// CheckpointInterval is the longest time that recovery points, log starts and high watermarks stay
	// unwritten after a change; 0: 5 s (replica.high.watermark.checkpoint.interval.ms).
	CheckpointInterval time.Duration
	// Reserve is how many bytes of the volume clients' records leave free (log.dir.reserve.bytes): 0 for none,
	// AutomaticReserve by the size of the volume. See Dir.SetReserve.
	Reserve int64

	// JournalBytes is how much the two files of the redo journal may have together (redo.journal.bytes); 0: 256 MiB. Negative
	// turns it off.
	JournalBytes int64

	progressBytes   int64 // see progress.go; tests make it small
	checkpointBytes int64 // that are flushed between checkpoints; tests make it small
	unaskedBytes    int64 // of all logs that are not to be flushed yet; tests make it small
	journalAfter    int   // rounds before the journal is made; tests make it small
	journalFirst    int64 // bytes of its files at first; tests make it small

	syncAllFrom int // see sync_all.go; tests make it small
}

const (
	defaultRecoveryThreads    = 2
	defaultCheckpointInterval = 5 * time.Second
)

func (o Options) withDefaults() Options {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Config == nil {
		o.Config = func(string) Config { return DefaultConfig() }
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.OpenFiles <= 0 {
		o.OpenFiles = defaultOpenFiles
	}
	if o.RecoveryThreads <= 0 {
		o.RecoveryThreads = defaultRecoveryThreads
	}
	if o.JournalBytes == 0 {
		o.JournalBytes = defaultJournalBytes
	}
	if o.journalAfter <= 0 {
		o.journalAfter = defaultJournalAfter
	}
	if o.syncAllFrom <= 0 {
		o.syncAllFrom = defaultSyncAllFrom
	}
	if o.journalFirst <= 0 {
		o.journalFirst = firstJournalBytes
	}
	if o.checkpointBytes <= 0 {
		o.checkpointBytes = checkpointBytes
	}
	if o.unaskedBytes <= 0 {
		o.unaskedBytes = allUnaskedBytes
	}
	if o.progressBytes <= 0 {
		o.progressBytes = progressBytes
	}
	if o.CheckpointInterval <= 0 {
		o.CheckpointInterval = defaultCheckpointInterval
	}
	return o
}

// AppendOptions go with Log.Append.
type AppendOptions struct {
	LeaderEpoch int32         // stamped into every batch
	Origin      record.Origin // decides which producer checks apply
	Now         time.Time     // the clock for segment.ms where records have no timestamp

	// The rest is for transactions; see producerstate.Append.
	TransactionVersion int16
	Verify             bool
	Guard              producerstate.Guard
}

// Appended says where batches went.
type Appended struct {
	BaseOffset  int64 // of the first batch
	NextOffset  int64 // offset after the last record: what to wait for
	StartOffset int64 // log start at that moment
	AppendTime  int64 // the broker's timestamp if the batch has LogAppendTime, else -1
	LeaderEpoch int32 // of the append, also if the producer had sent the batch under an earlier one
	Duplicate   bool  // the producer had sent this batch before; the offsets are those of the first time
	FlushDue    bool  // flush.messages is reached: whoever is answered may count on stable storage, whatever the acks
}

// Aborted is an aborted transaction as Fetch reports it and .txnindex stores it.
type Aborted struct {
	ProducerID       int64
	FirstOffset      int64 // of the transaction's first record
	LastOffset       int64 // of the abort marker
	LastStableOffset int64 // first offset that was still undecided when the marker was written
}

// Meta is the identity that meta.properties gives a directory.
type Meta struct {
	ClusterID   string
	NodeID      int32
	DirectoryID kafka.UUID
}
