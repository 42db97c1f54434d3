package config

// Rows: committed offsets and their topic.
var (
	OffsetMetadataMaxBytes = BrokerInt{&Row{
		Name: "offset.metadata.max.bytes", Type: Int, Default: "4096", Unit: Bytes,
		Doc: "Largest note that a client may store with a committed offset.",
	}}
	OffsetsCommitTimeoutMs = BrokerInt{&Row{
		Name: "offsets.commit.timeout.ms", Type: Int, Default: "5000", Valid: atLeast(1), Unit: Milliseconds,
		Doc: "Longest time that an offset commit, or a group's heartbeat, waits until it is replicated.",
	}}
	OffsetsLoadBufferSize = BrokerInt{&Row{
		Name: "offsets.load.buffer.size", Type: Int, Default: "5242880", Valid: atLeast(1), Unit: Bytes,
		Doc:    "Bytes that Kafka reads at once when it loads the offsets topic.",
		Status: NoEffect, Why: "the log is read in batches that need no setting",
	}}
	OffsetsRetentionMinutes = BrokerInt{&Row{
		Name: "offsets.retention.minutes", Type: Int, Default: "10080", Valid: atLeast(1), Unit: Minutes,
		Doc: "Time for which offsets are kept after their group is empty or no longer subscribed.",
	}}
	OffsetsRetentionCheckIntervalMs = BrokerLong{&Row{
		Name: "offsets.retention.check.interval.ms", Type: Long, Default: "600000", Valid: atLeast(1), Unit: Milliseconds,
		Doc: "Interval at which expired offsets are looked for.",
	}}
	OffsetsTopicNumPartitions = BrokerInt{&Row{
		Name: "offsets.topic.num.partitions", Type: Int, Default: "50", Valid: atLeast(1),
		Doc: "Number of partitions of the offsets topic; do not change it once the topic exists.",
	}}
	OffsetsTopicReplicationFactor = BrokerInt{&Row{
		Name: "offsets.topic.replication.factor", Type: Short, Default: "3", Valid: atLeast(1),
		Doc: "Number of replicas of the offsets topic; 1 on a lone node unless it is set.",
	}}
	OffsetsTopicSegmentBytes = BrokerInt{&Row{
		Name: "offsets.topic.segment.bytes", Type: Int, Default: "104857600", Valid: atLeast(1), Unit: Bytes,
		Doc: "Size at which a segment of the offsets topic is closed.",
	}}
	OffsetsTopicCompressionCodec = BrokerInt{&Row{
		Name: "offsets.topic.compression.codec", Type: Int, Default: "0",
		Doc:    "Number of the compression codec of the offsets topic: 0 none, 1 gzip, 2 snappy, 3 lz4, 4 zstd.",
		Status: NoEffect, Why: "batches of the offsets topic are written uncompressed",
	}}
)

var offsetRows = []*Row{
	OffsetMetadataMaxBytes.Row, OffsetsCommitTimeoutMs.Row, OffsetsLoadBufferSize.Row, OffsetsRetentionMinutes.Row,
	OffsetsRetentionCheckIntervalMs.Row, OffsetsTopicNumPartitions.Row, OffsetsTopicReplicationFactor.Row,
	OffsetsTopicSegmentBytes.Row, OffsetsTopicCompressionCodec.Row,
}
