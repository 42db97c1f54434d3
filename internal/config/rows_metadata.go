package config

// Rows: the log of cluster metadata.
var (
	MetadataLogDir = BrokerString{&Row{
		Name: "metadata.log.dir", Type: String, Null: true,
		Doc: "Directory of the metadata log; the first log directory when unset.",
	}}
	MetadataLogSegmentBytes = BrokerInt{&Row{
		Name: "metadata.log.segment.bytes", Type: Int, Default: "1073741824", Valid: atLeast(8388608), Unit: Bytes,
		Doc: "Size at which a segment of the metadata log is closed.",
	}}
	MetadataLogSegmentMs = BrokerLong{&Row{
		Name: "metadata.log.segment.ms", Type: Long, Default: "604800000", Unit: Milliseconds,
		Doc: "Age at which a segment of the metadata log is closed.",
	}}
	MetadataLogMaxRecordBytesBetweenSnapshots = BrokerLong{&Row{
		Name: "metadata.log.max.record.bytes.between.snapshots", Type: Long, Default: "20971520", Valid: atLeast(1), Unit: Bytes,
		Doc: "Bytes of new metadata records after which a snapshot is taken.",
	}}
	MetadataLogMaxSnapshotIntervalMs = BrokerLong{&Row{
		Name: "metadata.log.max.snapshot.interval.ms", Type: Long, Default: "3600000", Valid: atLeast(0), Unit: Milliseconds,
		Doc:    "Longest time between two snapshots when there are new metadata records; 0 sets no limit.",
		Status: Later, Why: "snapshots of metadata",
	}}
	MetadataMaxRetentionBytes = BrokerLong{&Row{
		Name: "metadata.max.retention.bytes", Type: Long, Default: "104857600", Unit: Bytes,
		Doc:    "Size of metadata log and snapshots above which the oldest are deleted.",
		Status: Later, Why: "deletion of old metadata",
	}}
	MetadataMaxRetentionMs = BrokerLong{&Row{
		Name: "metadata.max.retention.ms", Type: Long, Default: "604800000", Unit: Milliseconds,
		Doc:    "Age at which metadata snapshots and segments are deleted.",
		Status: Later, Why: "deletion of old metadata",
	}}
	MetadataMaxIdleIntervalMs = BrokerInt{&Row{
		Name: "metadata.max.idle.interval.ms", Type: Int, Default: "500", Valid: atLeast(0), Importance: Low, Unit: Milliseconds,
		Doc:    "Interval at which an idle Kafka controller writes an empty record, to show that it is alive.",
		Status: NoEffect, Why: "the quorum's own heartbeats show that the leader is alive",
	}}
	InternalMetadataLogSegmentBytes = BrokerInt{&Row{
		Name: "internal.metadata.log.segment.bytes", Type: Int, Null: true, Importance: Low, Internal: true, Unit: Bytes,
		Doc:    "Size of metadata segments in Kafka's own tests.",
		Status: NoEffect, Why: "it serves Kafka's own tests",
	}}
	InternalMetadataDeleteDelayMs = BrokerLong{&Row{
		Name: "internal.metadata.delete.delay.millis", Type: Long, Default: "60000", Importance: Low, Internal: true, Unit: Milliseconds,
		Doc:    "Delay of deletions from the metadata log in Kafka's own tests.",
		Status: NoEffect, Why: "it serves Kafka's own tests",
	}}
	InternalMetadataMaxBatchSizeInBytes = BrokerInt{&Row{
		Name: "internal.metadata.max.batch.size.in.bytes", Type: Int, Default: "8388608", Importance: Low, Internal: true, Unit: Bytes,
		Doc:    "Largest metadata batch in Kafka's own tests.",
		Status: NoEffect, Why: "it serves Kafka's own tests",
	}}
)

var metadataRows = []*Row{
	MetadataLogDir.Row, MetadataLogSegmentBytes.Row, MetadataLogSegmentMs.Row,
	MetadataLogMaxRecordBytesBetweenSnapshots.Row, MetadataLogMaxSnapshotIntervalMs.Row, MetadataMaxRetentionBytes.Row,
	MetadataMaxRetentionMs.Row, MetadataMaxIdleIntervalMs.Row, InternalMetadataLogSegmentBytes.Row,
	InternalMetadataDeleteDelayMs.Row, InternalMetadataMaxBatchSizeInBytes.Row,
}
