package config

// Rows: properties of topics.
var (
	TopicCleanupPolicy = TopicList{&Row{
		Name: "cleanup.policy", Type: List, Default: "delete", Valid: distinct{empty: true, of: oneOf{"compact", "delete"}}, Importance: Medium,
		Synonyms: []Synonym{{LogCleanupPolicy.Row, 1}},
		Doc:      "What happens to old segments: delete them, compact them by key, or both.",
	}}
	TopicRetentionMs = TopicLong{&Row{
		Name: "retention.ms", Type: Long, Default: "604800000", Valid: atLeast(-1), Importance: Medium, Unit: Milliseconds,
		Synonyms: []Synonym{{LogRetentionMs.Row, 1}, {LogRetentionMinutes.Row, 60_000}, {LogRetentionHours.Row, 3_600_000}},
		Doc:      "Age at which records are deleted; -1 keeps them for ever.",
	}}
	TopicRetentionBytes = TopicLong{&Row{
		Name: "retention.bytes", Type: Long, Default: "-1", Importance: Medium, Unit: Bytes,
		Synonyms: []Synonym{{LogRetentionBytes.Row, 1}},
		Doc:      "Size of a partition above which its oldest segments are deleted; -1 sets no limit.",
	}}
	TopicSegmentBytes = TopicInt{&Row{
		Name: "segment.bytes", Type: Int, Default: "1073741824", Valid: atLeast(1048576), Importance: Medium, Unit: Bytes,
		Synonyms: []Synonym{{LogSegmentBytes.Row, 1}},
		Doc:      "Size at which a segment is closed and a new one begun.",
	}}
	TopicSegmentMs = TopicLong{&Row{
		Name: "segment.ms", Type: Long, Default: "604800000", Valid: atLeast(1), Importance: Medium, Unit: Milliseconds,
		Synonyms: []Synonym{{LogRollMs.Row, 1}, {LogRollHours.Row, 3_600_000}},
		Doc:      "Age at which a segment is closed even when it is small.",
	}}
	TopicSegmentJitterMs = TopicLong{&Row{
		Name: "segment.jitter.ms", Type: Long, Default: "0", Valid: atLeast(0), Importance: Medium, Unit: Milliseconds,
		Synonyms: []Synonym{{LogRollJitterMs.Row, 1}, {LogRollJitterHours.Row, 3_600_000}},
		Doc:      "Largest random time by which a segment is closed early, so that not all roll at once.",
	}}
	TopicSegmentIndexBytes = TopicInt{&Row{
		Name: "segment.index.bytes", Type: Int, Default: "10485760", Valid: atLeast(4), Importance: Medium, Unit: Bytes,
		Synonyms: []Synonym{{LogIndexSizeMaxBytes.Row, 1}},
		Doc:      "Largest size of a segment's offset index; a full index closes the segment.",
	}}
	TopicInternalSegmentBytes = TopicInt{&Row{
		Name: "internal.segment.bytes", Type: Int, Null: true, Importance: Medium, Internal: true, Unit: Bytes,
		Doc:    "Size of segments in Kafka's own tests, without the lower bound of segment.bytes.",
		Status: NoEffect, Why: "it serves Kafka's own tests",
	}}
	TopicIndexIntervalBytes = TopicInt{&Row{
		Name: "index.interval.bytes", Type: Int, Default: "4096", Valid: atLeast(0), Importance: Medium, Unit: Bytes,
		Synonyms: []Synonym{{LogIndexIntervalBytes.Row, 1}},
		Doc:      "Bytes of records between two entries of an offset index.",
	}}
	TopicFlushMessages = TopicLong{&Row{
		Name: "flush.messages", Type: Long, Default: "9223372036854775807", Valid: atLeast(1), Importance: Medium,
		Synonyms: []Synonym{{LogFlushIntervalMessages.Row, 1}},
		Doc:      "Number of records of a partition after which they are flushed to stable storage, if the bounds that always hold do not come first (100 ms or 256 KiB, with write.caching 1 second or 8 MiB); the request that reaches it is answered after the flush, with acks=1 and with write.caching too.",
	}}
	TopicFlushMs = TopicLong{&Row{
		Name: "flush.ms", Type: Long, Default: "9223372036854775807", Valid: atLeast(0), Importance: Medium, Unit: Milliseconds,
		Synonyms: []Synonym{{LogFlushIntervalMs.Row, 1}, {LogFlushSchedulerIntervalMs.Row, 1}},
		Doc:      "Longest time that a record waits for its flush to stable storage, whatever the acks; 100 ms at most, with write.caching 1 second, also when this is longer.",
	}}
	TopicMaxMessageBytes = TopicInt{&Row{
		Name: "max.message.bytes", Type: Int, Default: "1048588", Valid: atLeast(0), Importance: Medium, Unit: Bytes,
		Synonyms: []Synonym{{MessageMaxBytes.Row, 1}},
		Doc:      "Largest record batch, after compression, that the topic accepts.",
	}}
	TopicMinInsyncReplicas = TopicInt{&Row{
		Name: "min.insync.replicas", Type: Int, Default: "1", Valid: atLeast(1), Importance: Medium,
		Synonyms: []Synonym{{MinInsyncReplicas.Row, 1}},
		Doc:      "Fewest replicas in sync, the leader included, that have a record on stable storage (with write.caching in their page cache) before acks=all is answered; with fewer in sync acks=all is refused, and a partition that has fewer replicas at all counts with those.",
	}}
	TopicUncleanLeaderElectionEnable = TopicBool{&Row{
		Name: "unclean.leader.election.enable", Type: Boolean, Default: "false", Importance: Medium,
		Synonyms: []Synonym{{UncleanLeaderElectionEnable.Row, 1}},
		Doc:      "Whether a replica that is not in sync may become leader when no other is left, losing records.",
		Status:   Later, Why: "several brokers",
	}}
	TopicCompressionType = TopicString{&Row{
		Name: "compression.type", Type: String, Default: "producer", Valid: oneOf{"uncompressed", "zstd", "lz4", "snappy", "gzip", "producer"}, Importance: Medium,
		Synonyms: []Synonym{{CompressionType.Row, 1}},
		Doc:      "Compression that record batches get when they arrive; producer keeps what the producer chose.",
	}}
	TopicCompressionGzipLevel = TopicInt{&Row{
		Name: "compression.gzip.level", Type: Int, Default: "-1", Valid: rangeOr{1, 9, -1}, Importance: Medium,
		Synonyms: []Synonym{{CompressionGzipLevel.Row, 1}},
		Doc:      "Level of gzip compression, 1 to 9, or -1 for the library's own choice.",
	}}
	TopicCompressionLz4Level = TopicInt{&Row{
		Name: "compression.lz4.level", Type: Int, Default: "9", Valid: between(1, 17), Importance: Medium,
		Synonyms: []Synonym{{CompressionLz4Level.Row, 1}},
		Doc:      "Level of lz4 compression, 1 to 17.",
	}}
	TopicCompressionZstdLevel = TopicInt{&Row{
		Name: "compression.zstd.level", Type: Int, Default: "3", Valid: between(-131072, 22), Importance: Medium,
		Synonyms: []Synonym{{CompressionZstdLevel.Row, 1}},
		Doc:      "Level of zstd compression, up to 22; negative levels are faster.",
	}}
	TopicMessageTimestampType = TopicString{&Row{
		Name: "message.timestamp.type", Type: String, Default: "CreateTime", Valid: oneOf{"CreateTime", "LogAppendTime"}, Importance: Medium,
		Synonyms: []Synonym{{LogMessageTimestampType.Row, 1}},
		Doc:      "Whether records keep the time of their producer (CreateTime) or get that of their arrival (LogAppendTime).",
	}}
	TopicMessageTimestampBeforeMaxMs = TopicLong{&Row{
		Name: "message.timestamp.before.max.ms", Type: Long, Default: "9223372036854775807", Valid: atLeast(0), Importance: Medium, Unit: Milliseconds,
		Synonyms: []Synonym{{LogMessageTimestampBeforeMaxMs.Row, 1}},
		Doc:      "How far a record's time may lie behind the broker's clock.",
	}}
	TopicMessageTimestampAfterMaxMs = TopicLong{&Row{
		Name: "message.timestamp.after.max.ms", Type: Long, Default: "3600000", Valid: atLeast(0), Importance: Medium, Unit: Milliseconds,
		Synonyms: []Synonym{{LogMessageTimestampAfterMaxMs.Row, 1}},
		Doc:      "How far a record's time may lie ahead of the broker's clock.",
	}}
	TopicDeleteRetentionMs = TopicLong{&Row{
		Name: "delete.retention.ms", Type: Long, Default: "86400000", Valid: atLeast(0), Importance: Medium, Unit: Milliseconds,
		Synonyms: []Synonym{{LogCleanerDeleteRetentionMs.Row, 1}},
		Doc:      "Time for which a compacted log keeps tombstones, so that readers see the deletion.",
	}}
	TopicMinCompactionLagMs = TopicLong{&Row{
		Name: "min.compaction.lag.ms", Type: Long, Default: "0", Valid: atLeast(0), Importance: Medium, Unit: Milliseconds,
		Synonyms: []Synonym{{LogCleanerMinCompactionLagMs.Row, 1}},
		Doc:      "Age below which records are never compacted.",
	}}
	TopicMaxCompactionLagMs = TopicLong{&Row{
		Name: "max.compaction.lag.ms", Type: Long, Default: "9223372036854775807", Valid: atLeast(1), Importance: Medium, Unit: Milliseconds,
		Synonyms: []Synonym{{LogCleanerMaxCompactionLagMs.Row, 1}},
		Doc:      "Age above which records must be compacted, however small their share of the log.",
	}}
	TopicMinCleanableDirtyRatio = TopicDouble{&Row{
		Name: "min.cleanable.dirty.ratio", Type: Double, Default: "0.5", Valid: between(0, 1), Importance: Medium,
		Synonyms: []Synonym{{LogCleanerMinCleanableRatio.Row, 1}},
		Doc:      "Share of the log that must not be compacted yet for a compaction to begin.",
	}}
	TopicFileDeleteDelayMs = TopicLong{&Row{
		Name: "file.delete.delay.ms", Type: Long, Default: "60000", Valid: atLeast(0), Importance: Medium, Unit: Milliseconds,
		Synonyms: []Synonym{{LogSegmentDeleteDelayMs.Row, 1}},
		Doc:      "Time between renaming a deleted file and removing it.",
	}}
	TopicPreallocate = TopicBool{&Row{
		Name: "preallocate", Type: Boolean, Default: "false", Importance: Medium,
		Synonyms: []Synonym{{LogPreallocate.Row, 1}},
		Doc:      "Whether the space of a new segment is reserved on disk at once.",
	}}
	TopicLeaderReplicationThrottledReplicas = TopicList{&Row{
		Name: "leader.replication.throttled.replicas", Type: List, Valid: throttledReplicas{}, Importance: Medium,
		Doc: "Replicas whose fetches the leader throttles, as partition:broker, or * for all.",
	}}
	TopicFollowerReplicationThrottledReplicas = TopicList{&Row{
		Name: "follower.replication.throttled.replicas", Type: List, Valid: throttledReplicas{}, Importance: Medium,
		Doc: "Replicas that throttle their own fetches, as partition:broker, or * for all.",
	}}
)

var topicRows = []*Row{
	TopicCleanupPolicy.Row, TopicRetentionMs.Row, TopicRetentionBytes.Row, TopicSegmentBytes.Row, TopicSegmentMs.Row,
	TopicSegmentJitterMs.Row, TopicSegmentIndexBytes.Row, TopicInternalSegmentBytes.Row, TopicIndexIntervalBytes.Row,
	TopicFlushMessages.Row, TopicFlushMs.Row, TopicMaxMessageBytes.Row, TopicMinInsyncReplicas.Row,
	TopicUncleanLeaderElectionEnable.Row, TopicCompressionType.Row, TopicCompressionGzipLevel.Row,
	TopicCompressionLz4Level.Row, TopicCompressionZstdLevel.Row, TopicMessageTimestampType.Row,
	TopicMessageTimestampBeforeMaxMs.Row, TopicMessageTimestampAfterMaxMs.Row, TopicDeleteRetentionMs.Row,
	TopicMinCompactionLagMs.Row, TopicMaxCompactionLagMs.Row, TopicMinCleanableDirtyRatio.Row,
	TopicFileDeleteDelayMs.Row, TopicPreallocate.Row, TopicLeaderReplicationThrottledReplicas.Row,
	TopicFollowerReplicationThrottledReplicas.Row,
}
