package broker

import (
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/ottla/ottla/internal/commitlog"
	"github.com/ottla/ottla/internal/config"
	"github.com/ottla/ottla/internal/partition"
)

// openDirectories opens the log directories, the one with the metadata log first: it says which cluster this is.
func (b *Broker) openDirectories() error {
	c := b.options.Config
	paths := slices.Clone(c.LogDirs())
	for i, path := range paths {
		paths[i] = filepath.Clean(path)
	}
	metadataDir := filepath.Clean(c.MetadataDir())
	if i := slices.Index(paths, metadataDir); i >= 0 {
		paths = slices.Delete(paths, i, i+1)
	}
	clusterID := c.ClusterID
	for _, path := range append([]string{metadataDir}, paths...) {
		dir, err := commitlog.Open(b.options.FS, path, b.directoryOptions(path, clusterID))
		if err != nil {
			return err
		}
		b.dirs = append(b.dirs, dir)
		clusterID = dir.Meta().ClusterID
	}
	return nil
}

func (b *Broker) directoryOptions(path, clusterID string) commitlog.Options {
	c := b.options.Config
	return commitlog.Options{
		Logger: b.log, ClusterID: clusterID, NodeID: b.node, BrokerEpoch: b.epoch.Load,
		RecoveryThreads:    c.Int(config.NumRecoveryThreadsPerDataDir),
		CheckpointInterval: checkpointInterval(c),
		Reserve:            c.Long(config.LogDirReserveBytes),
		Config: func(string) commitlog.Config {
			// Settings of the topic itself follow when the image is known.
			return partition.LogConfig(c.Topic(nil), c.Duration(config.ProducerIDExpirationMs))
		},
		OnFailure: func(err error) { b.directoryFailed(path, err) },
	}
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

// directoryFailed is told when a log directory went offline: its partitions end. Without the metadata log, or without any
// directory, there is nothing left to do.
func (b *Broker) directoryFailed(path string, err error) {
	select {
	case <-b.built:
	case <-b.ctx.Done():
		return // the start has failed, with this error
	}
	b.partitions.DirectoryFailed(path, err)
	b.log.Error("log directory is offline; nothing more in it is acknowledged", "dir", path, "error", err)
	if path == filepath.Clean(b.options.Config.MetadataDir()) {
		b.fail(fmt.Errorf("log directory %s, which holds the metadata log, failed: %w", path, err))
		return
	}
	if !slices.ContainsFunc(b.dirs, func(d *commitlog.Dir) bool { return d.Failed() == nil }) {
		b.fail(fmt.Errorf("the last log directory, %s, failed: %w", path, err))
	}
}

// removeStrays deletes the logs of topics that were deleted while this broker was away.
func (b *Broker) removeStrays() {
	for dir, logs := range b.partitions.Strays() {
		for _, log := range logs {
			b.log.Warn("log belongs to no partition of the cluster and is removed", "dir", dir.Path(), "partition", log.TopicPartition().String(), "topicId", log.TopicID().String())
			if err := dir.Delete(log.TopicPartition()); err != nil {
				b.log.Error("stray log cannot be removed", "dir", dir.Path(), "partition", log.TopicPartition().String(), "error", err)
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
	for _, dir := range b.dirs {
		if err := dir.Sweep(now); err != nil {
			b.log.Error("retention failed", "dir", dir.Path(), "error", err)
		}
	}
}
