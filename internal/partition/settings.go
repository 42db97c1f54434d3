package partition

import (
	"time"

	"github.com/ottla/ottla/internal/commitlog"
	"github.com/ottla/ottla/internal/config"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/record"
)

// Settings are a topic's settings in the form in which appends and logs use them.
type Settings struct {
	Topic *config.Topic
	// Rules are for a client's append; partition and version of the Produce request are filled in per request.
	Rules record.Rules
	// MinISR is min.insync.replicas.
	MinISR int
	Log    commitlog.Config
	// UncleanElection is unclean.leader.election.enable: rather lose records than serve none.
	UncleanElection bool
}

// settingsOf works out what all partitions of a topic share.
func settingsOf(topic *config.Topic, producerExpiration time.Duration) (*Settings, error) {
	compression, err := compressionOf(topic)
	if err != nil {
		return nil, err
	}
	timestamps := record.CreateTime
	if topic.Text(config.TopicMessageTimestampType) == "LogAppendTime" {
		timestamps = record.LogAppendTime
	}
	return &Settings{
		Topic:  topic,
		MinISR: topic.Int(config.TopicMinInsyncReplicas),
		Rules: record.Rules{
			MaxMessageBytes:      topic.Int(config.TopicMaxMessageBytes),
			Compacted:            topic.Compacted(),
			TimestampType:        timestamps,
			TimestampBeforeMaxMs: topic.Long(config.TopicMessageTimestampBeforeMaxMs),
			TimestampAfterMaxMs:  topic.Long(config.TopicMessageTimestampAfterMaxMs),
			Compression:          compression,
		},
		Log:             LogConfig(topic, producerExpiration),
		UncleanElection: topic.Bool(config.TopicUncleanLeaderElectionEnable),
	}, nil
}

// effectiveMinISR is min.insync.replicas, but not more than there are replicas (Kafka's Partition.effectiveMinIsr).
func (s *Settings) effectiveMinISR(state *metadata.Partition) int {
	return min(s.MinISR, len(state.Replicas))
}

// LogConfig is what a topic's log needs of its settings.
func LogConfig(topic *config.Topic, producerExpiration time.Duration) commitlog.Config {
	return commitlog.Config{
		SegmentBytes:       int64(topic.Int(config.TopicSegmentBytes)),
		SegmentMs:          topic.Long(config.TopicSegmentMs),
		SegmentJitterMs:    topic.Long(config.TopicSegmentJitterMs),
		IndexIntervalBytes: int64(topic.Int(config.TopicIndexIntervalBytes)),
		SegmentIndexBytes:  int64(topic.Int(config.TopicSegmentIndexBytes)),
		RetentionMs:        topic.Long(config.TopicRetentionMs),
		RetentionBytes:     topic.Long(config.TopicRetentionBytes),
		CleanupDelete:      topic.Deleted(),
		CleanupCompact:     topic.Compacted(),
		FileDeleteDelay:    topic.Duration(config.TopicFileDeleteDelayMs),
		FlushMessages:      topic.Long(config.TopicFlushMessages),
		FlushMs:            topic.Long(config.TopicFlushMs),
		Preallocate:        topic.Bool(config.TopicPreallocate),
		WriteCaching:       topic.Bool(config.TopicWriteCaching),
		ProducerExpiration: producerExpiration,
		MinCleanableRatio:  topic.Double(config.TopicMinCleanableDirtyRatio),
		MinCompactionLagMs: topic.Long(config.TopicMinCompactionLagMs),
		MaxCompactionLagMs: topic.Long(config.TopicMaxCompactionLagMs),
		DeleteRetentionMs:  topic.Long(config.TopicDeleteRetentionMs),
	}
}

// compressionOf returns what batches are recompressed with; nil leaves them as the producer sent them.
func compressionOf(topic *config.Topic) (*record.Compression, error) {
	compression, err := record.ParseCompression(topic.Text(config.TopicCompressionType))
	if err != nil || compression == nil {
		return nil, err
	}
	switch compression.Codec {
	case record.Gzip:
		compression.Level = topic.Int(config.TopicCompressionGzipLevel)
	case record.LZ4:
		compression.Level = topic.Int(config.TopicCompressionLz4Level)
	case record.Zstd:
		compression.Level = topic.Int(config.TopicCompressionZstdLevel)
	}
	return compression, nil
}
