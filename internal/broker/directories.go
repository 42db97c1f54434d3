package broker

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/ottla/ottla/internal/commitlog"
	"github.com/ottla/ottla/internal/config"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/partition"
	"github.com/ottla/ottla/internal/vfs"
)

// openDirectories opens the log directories: first the one with the metadata log, which says which cluster this is, then
// the others, all at once. One that cannot be read or written is offline, and the others go on (KIP-112); what cannot be
// right, such as directories of two clusters, ends the start.
func (b *Broker) openDirectories() error {
	paths, err := absolute(b.options.Config.LogDirs())
	if err != nil {
		return err
	}
	metadataPath, err := filepath.Abs(b.options.Config.MetadataDir())
	if err != nil {
		return err
	}
	if err := b.checkFormatted(metadataPath); err != nil {
		return err
	}
	b.metadataDir, err = commitlog.Open(b.options.FS, metadataPath, b.directoryOptions(metadataPath, b.options.Config.ClusterID))
	if err != nil {
		return err
	}
	b.dirs = make([]*commitlog.Dir, len(paths))
	errs := make([]error, len(paths))
	var opening sync.WaitGroup
	for i, path := range paths {
		if path == metadataPath {
			b.dirs[i] = b.metadataDir
			continue
		}
		opening.Go(func() { b.dirs[i], errs[i] = b.openDirectory(path) })
	}
	opening.Wait()
	b.dirs = slices.DeleteFunc(b.dirs, func(dir *commitlog.Dir) bool { return dir == nil })
	return errors.Join(append(errs, b.checkDirectories())...)
}

// absolute makes paths absolute, which is how clients are told of them.
func absolute(paths []string) ([]string, error) {
	all := make([]string, len(paths))
	for i, path := range paths {
		var err error
		if all[i], err = filepath.Abs(path); err != nil {
			return nil, err
		}
		if slices.Contains(all[:i], all[i]) {
			return nil, fmt.Errorf("duplicate log directory found: %s is named twice in log.dirs", all[i])
		}
	}
	return all, nil
}

// openDirectory opens a directory other than that of the metadata log.
func (b *Broker) openDirectory(path string) (*commitlog.Dir, error) {
	dir, err := commitlog.Open(b.options.FS, path, b.directoryOptions(path, b.metadataDir.Meta().ClusterID))
	if _, broken := errors.AsType[*fs.PathError](err); broken {
		b.log.Error("log directory cannot be opened and is offline; the others go on", "dir", path, "error", err)
		return commitlog.OpenFailed(path, err), nil
	}
	return dir, err
}

// checkDirectories makes sure that one directory is usable and that ids are unique: they tell the controller where replicas
// are, and a directory that was copied has that of the original.
func (b *Broker) checkDirectories() error {
	ids := map[kafka.UUID]string{}
	for _, dir := range b.allDirectories() {
		if other, twice := ids[dir.ID()]; twice && dir.Failed() == nil {
			return fmt.Errorf("duplicate directory ID %s found in %s and %s (directory.id in their meta.properties)", dir.ID(), other, dir.Path())
		}
		ids[dir.ID()] = dir.Path()
	}
	if !slices.ContainsFunc(b.dirs, usable) {
		return errors.New("none of the log directories (log.dirs) can be opened")
	}
	return nil
}

func usable(dir *commitlog.Dir) bool { return dir.Failed() == nil }

// allDirectories are the log directories, and that of the metadata log if it is none of them.
func (b *Broker) allDirectories() []*commitlog.Dir {
	if b.metadataDir == nil || slices.Contains(b.dirs, b.metadataDir) {
		return b.dirs
	}
	return append([]*commitlog.Dir{b.metadataDir}, b.dirs...)
}

// Directories are the log directories, offline ones included.
func (b *Broker) Directories() []*commitlog.Dir { return b.dirs }

// cordoned reports whether a directory gets no new replicas (cordoned.log.dirs, KIP-1066).
func (b *Broker) cordoned(dir *commitlog.Dir) bool {
	return slices.ContainsFunc(b.config.Load().List(config.CordonedLogDirs), func(entry string) bool {
		path, err := filepath.Abs(entry)
		return entry == "*" || err == nil && path == dir.Path()
	})
}

// cordonedIDs are the ids of the directories that are cordoned, not nil.
func (b *Broker) cordonedIDs() []kafka.UUID {
	ids := []kafka.UUID{}
	for _, dir := range b.dirs {
		if b.cordoned(dir) && !dir.ID().IsZero() {
			ids = append(ids, dir.ID())
		}
	}
	return ids
}

func (b *Broker) directoryOptions(path, clusterID string) commitlog.Options {
	c := b.options.Config
	return commitlog.Options{
		Logger: b.log, Now: b.options.Now, ClusterID: clusterID, NodeID: b.node, BrokerEpoch: b.epoch.Load,
		RecoveryThreads:    c.Int(config.NumRecoveryThreadsPerDataDir),
		CheckpointInterval: checkpointInterval(c),
		Reserve:            c.Long(config.LogDirReserveBytes),
		JournalBytes:       journalBytes(c),
		OpenFiles:          openFiles(vfs.MaxOpenFiles(), len(c.LogDirs())),
		Config: func(string) commitlog.Config {
			// Settings of the topic itself follow when the image is known.
			return partition.LogConfig(c.Topic(nil), c.Duration(config.ProducerIDExpirationMs))
		},
		OnFailure: func(err error) { b.directoryFailed(path, err) },
	}
}

// journalBytes is redo.journal.bytes as a log directory takes it, to which 0 means the default.
func journalBytes(c *config.Broker) int64 {
	if bytes := c.Long(config.RedoJournalBytes); bytes > 0 {
		return bytes
	}
	return -1
}

// checkpointInterval is the shortest of the intervals that are set for a checkpoint: all are written together. 0 sets none, as
// in Kafka.
func checkpointInterval(c *config.Broker) time.Duration {
	interval := c.Duration(config.ReplicaHighWatermarkCheckpointIntervalMs)
	for _, other := range []time.Duration{
		c.Duration(config.LogFlushOffsetCheckpointIntervalMs), c.Duration(config.LogFlushStartOffsetCheckpointIntervalMs),
	} {
		if other > 0 && (other < interval || interval <= 0) {
			interval = other
		}
	}
	return interval
}

// maxOpenSegmentFiles is how many files of segments stay open for their next use, in all directories together.
const maxOpenSegmentFiles = 1024

// openFiles is how many files a directory may keep open: four times as many may be open for a while, and half of what the
// process may open is for connections.
func openFiles(most, dirs int) int { return min(maxOpenSegmentFiles, most/8) / max(1, dirs) }

// directoryFailed is told when a log directory went offline: its partitions end, and the controller hears of it. Without
// the metadata log, or without any directory, there is nothing left to do.
func (b *Broker) directoryFailed(path string, err error) {
	select {
	case <-b.built:
	case <-b.ctx.Done():
		return // the start has failed, with this error
	}
	b.partitions.DirectoryFailed(path, err)
	b.log.Error("log directory is offline; nothing more in it is acknowledged", "dir", path, "error", err)
	if path == b.metadataDir.Path() {
		b.fail(fmt.Errorf("log directory %s, which holds the metadata log, failed: %w", path, err))
		return
	}
	if !slices.ContainsFunc(b.dirs, usable) {
		b.fail(fmt.Errorf("the last log directory, %s, failed: %w", path, err))
		return
	}
	b.reportFailure(path)
}

// reportFailure has the controller told of an offline directory at once. If it does not hear of it for
// log.dir.failure.timeout.ms, this broker ends: it is taken for the leader of partitions that it cannot serve.
func (b *Broker) reportFailure(path string) {
	b.beat()
	timeout := b.config.Load().Duration(config.LogDirFailureTimeoutMs)
	select {
	case <-b.ctx.Done():
	case <-time.After(timeout):
		i := slices.IndexFunc(b.dirs, func(dir *commitlog.Dir) bool { return dir.Path() == path })
		if _, told := b.toldOffline.Load(b.dirs[i].ID()); !told {
			b.fail(fmt.Errorf("the controller could not be told within %v (log.dir.failure.timeout.ms) that log directory %s is offline", timeout, path))
		}
	}
}

// setStraysAside takes the logs of topics that were deleted while this broker was away out of the way. They are kept: if the
// metadata log is the wrong one, they may be all that is left. Copies of them that were not finished are not.
func (b *Broker) setStraysAside() {
	for dir, logs := range b.partitions.Strays() {
		for _, log := range logs {
			kept, err := dir.SetAside(log.TopicPartition())
			if err != nil {
				b.log.Error("stray log cannot be set aside", "path", log.Path(), "error", err)
				continue
			}
			b.log.Warn("log belongs to no partition of the cluster and is set aside; remove it if its records are not needed", "partition", log.TopicPartition().String(), "topicId", log.TopicID().String(), "path", kept, "bytes", log.Size())
		}
	}
	for dir, copies := range b.partitions.StrayCopies() {
		for _, log := range copies {
			b.log.Warn("copy of a log belongs to no partition of the cluster and is removed", "path", log.Path(), "topicId", log.TopicID().String())
			if err := dir.DeleteFuture(log.TopicPartition()); err != nil {
				b.log.Error("stray copy cannot be removed", "path", log.Path(), "error", err)
			}
		}
	}
}

// housekeep has retention and deletions done log.initial.task.delay.ms after the start, and every
// log.retention.check.interval.ms from then on; deleted files go when their delay is over.
func (b *Broker) housekeep() {
	pause := b.options.Config.Duration(config.LogInitialTaskDelayMs)
	next := func() time.Duration {
		now := pause
		pause = b.config.Load().Duration(config.LogRetentionCheckIntervalMs)
		return now
	}
	b.every(next, b.sweep)
	b.watchSpace()
}

func (b *Broker) sweep(now time.Time) {
	for _, dir := range b.allDirectories() {
		if err := dir.Sweep(now); err != nil {
			b.log.Error("retention failed", "dir", dir.Path(), "error", err)
		}
	}
}
