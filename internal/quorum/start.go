package quorum

import (
	"fmt"
	"path/filepath"
	"sync"

	"github.com/ottla/ottla/internal/commitlog"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/vfs"
)

// Partition is where the metadata log lies in the metadata log directory.
var Partition = kafka.TopicPartition{Topic: kafka.MetadataTopic, Partition: 0}

// Start opens the metadata log in a log directory, which fsys holds, and joins the quorum. A single voter leads
// a moment later. Options.Self names the directory's id, or none, as static voters do (controller.quorum.voters). config is that of the log: SegmentBytes from
// metadata.log.segment.bytes and SegmentMs from metadata.log.segment.ms; what would drop or delay records is
// set here. Close the quorum before the directory.
func Start(dir *commitlog.Dir, fsys vfs.FS, config commitlog.Config, o Options) (*Quorum, error) {
	if o.Self.DirectoryID != dir.ID() && !o.Self.DirectoryID.IsZero() {
		return nil, fmt.Errorf("quorum: voter %d has directory id %s; %s has %s", o.Self.NodeID, o.Self.DirectoryID, dir.Path(), dir.ID())
	}
	fresh := dir.Log(Partition) == nil
	j, err := openLog(dir, config)
	if err == nil && fresh && o.Transport != nil {
		// A vote must be found again, even if the power fails before the log's first record is stable.
		// A single voter's vote means nothing without its log.
		err = fsys.SyncDir(dir.Path())
	}
	if err != nil {
		return nil, fmt.Errorf("quorum: %w", err)
	}
	q, err := open(j, fsys, filepath.Join(dir.Path(), Partition.String()), o)
	if err != nil {
		return nil, err
	}
	if err := q.launch(); err != nil {
		return nil, err
	}
	return q, nil
}

// VotedFor reports whether the metadata log's folder in a log directory was that of a node that voted for itself: it had a vote
// when its log, perhaps, said nothing of voters.
func VotedFor(fsys vfs.FS, dir string, node int32) (bool, error) {
	f := files{fsys, filepath.Join(dir, Partition.String())}
	v, err := f.readVote()
	return v.VotedID == node, err
}

// openLog opens the metadata log in a log directory, or makes it.
func openLog(dir *commitlog.Dir, config commitlog.Config) (*logJournal, error) {
	config.RetentionBytes, config.RetentionMs = -1, -1 // snapshots alone decide
	config.CleanupDelete, config.CleanupCompact = true, false
	config.WriteCaching = false
	log, err := dir.Create(Partition, kafka.OneUUID, config)
	if err != nil {
		return nil, err
	}
	log.Configure(config)
	return newLogJournal(log, config), nil
}

// logJournal is the journal on a commitlog.
type logJournal struct {
	*commitlog.Log
	writeBytes int           // most that one append may have
	told       chan struct{} // the flusher has news; holds one

	mu struct {
		sync.Mutex
		err error // why nothing will be stable any more
	}
}

func newLogJournal(log *commitlog.Log, c commitlog.Config) *logJournal {
	j := &logJournal{Log: log, writeBytes: maxMessageBytes, told: make(chan struct{}, 1)}
	if c.SegmentBytes > 0 {
		j.writeBytes = int(min(int64(j.writeBytes), c.SegmentBytes))
	}
	log.OnStable(func(_ int64, err error) {
		if err != nil {
			j.mu.Lock()
			j.mu.err = err
			j.mu.Unlock()
		}
		select {
		case j.told <- struct{}{}:
		default:
		}
	})
	return j
}

// Write appends as many batches at a time as a segment may take; a batch that is larger than that goes alone and
// is refused by the log.
func (j *logJournal) Write(batches []byte) error {
	for len(batches) > 0 {
		n := 0
		for rest := batches; len(rest) > 0; {
			b, next, err := record.First(rest)
			if err != nil {
				return err
			}
			if n > 0 && n+len(b) > j.writeBytes {
				break
			}
			n, rest = n+len(b), next
		}
		if _, err := j.AppendReplica(batches[:n]); err != nil {
			return err
		}
		batches = batches[n:]
	}
	return nil
}

// Sync waits for the directory's next group commit.
func (j *logJournal) Sync() error {
	end := j.EndOffset()
	j.Commit(end)
	for j.StableOffset() < end {
		<-j.told
		j.mu.Lock()
		err := j.mu.err
		j.mu.Unlock()
		if err != nil {
			return err
		}
	}
	return nil
}

func (j *logJournal) Read(offset, below int64, maxBytes int) ([]byte, error) {
	span, err := j.Find(offset, maxBytes, below, true)
	if err != nil {
		return nil, err
	}
	defer span.Release()
	b := make([]byte, span.Size)
	_, err = span.ReadAt(b)
	return b, err
}

func (j *logJournal) Reset(offset int64) error { return j.TruncateFully(offset) }

// AdvanceStart: what a snapshot covers is committed, even if the checkpointed high watermark is older.
func (j *logJournal) AdvanceStart(offset int64) error {
	j.SetHighWatermark(max(offset, j.HighWatermark()))
	return j.Log.AdvanceStart(offset)
}
