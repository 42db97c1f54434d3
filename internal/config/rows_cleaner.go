package config

// Rows: compaction of logs.
var (
	LogCleanerEnable = BrokerBool{&Row{
		Name: "log.cleaner.enable", Type: Boolean, Default: "true", Importance: Medium,
		Doc: "Whether logs with the compact policy are compacted.",
	}}
	LogCleanerThreads = BrokerInt{&Row{
		Name: "log.cleaner.threads", Type: Int, Default: "1", Valid: atLeast(0), Importance: Medium, Update: ClusterWide,
		Doc: "Number of logs that are compacted at the same time.",
	}}
	LogCleanerDedupeBufferSize = BrokerLong{&Row{
		Name: "log.cleaner.dedupe.buffer.size", Type: Long, Default: "134217728", Importance: Medium, Update: ClusterWide, Unit: Bytes,
		Doc: "Memory for the maps of keys of all compactions together.",
	}}
	LogCleanerIOBufferSize = BrokerInt{&Row{
		Name: "log.cleaner.io.buffer.size", Type: Int, Default: "524288", Valid: atLeast(0), Importance: Medium, Update: ClusterWide, Unit: Bytes,
		Doc: "Memory for reading and writing of all compactions together.",
	}}
	LogCleanerIOBufferLoadFactor = BrokerDouble{&Row{
		Name: "log.cleaner.io.buffer.load.factor", Type: Double, Default: "0.9", Importance: Medium, Update: ClusterWide,
		Doc: "Share of a compaction's table of keys that may be used before the rest is left to the next one.",
	}}
	LogCleanerIOMaxBytesPerSecond = BrokerDouble{&Row{
		Name: "log.cleaner.io.max.bytes.per.second", Type: Double, Default: "1.7976931348623157E308", Importance: Medium, Update: ClusterWide, Unit: BytesPerSecond,
		Doc: "Bytes per second that all compactions together may read and write.",
	}}
	LogCleanerBackoffMs = BrokerLong{&Row{
		Name: "log.cleaner.backoff.ms", Type: Long, Default: "15000", Valid: atLeast(0), Importance: Medium, Update: ClusterWide, Unit: Milliseconds,
		Doc: "Pause after a look at all logs that found nothing to compact.",
	}}
	LogCleanerDeleteRetentionMs = BrokerLong{&Row{
		Name: "log.cleaner.delete.retention.ms", Type: Long, Default: "86400000", Valid: atLeast(0), Importance: Medium, Update: ClusterWide, Unit: Milliseconds,
		Doc: "Time for which a compacted log keeps tombstones, so that readers see the deletion.",
	}}
	LogCleanerMinCompactionLagMs = BrokerLong{&Row{
		Name: "log.cleaner.min.compaction.lag.ms", Type: Long, Default: "0", Valid: atLeast(0), Importance: Medium, Update: ClusterWide, Unit: Milliseconds,
		Doc: "Age below which records are never compacted.",
	}}
	LogCleanerMaxCompactionLagMs = BrokerLong{&Row{
		Name: "log.cleaner.max.compaction.lag.ms", Type: Long, Default: "9223372036854775807", Valid: atLeast(1), Importance: Medium, Update: ClusterWide, Unit: Milliseconds,
		Doc: "Age above which records must be compacted, however small their share of the log.",
	}}
	LogCleanerMinCleanableRatio = BrokerDouble{&Row{
		Name: "log.cleaner.min.cleanable.ratio", Type: Double, Default: "0.5", Valid: between(0, 1), Importance: Medium, Update: ClusterWide,
		Doc: "Share of a log that must not be compacted yet for a compaction to begin.",
	}}
)

var cleanerRows = []*Row{
	LogCleanerEnable.Row, LogCleanerThreads.Row, LogCleanerDedupeBufferSize.Row, LogCleanerIOBufferSize.Row,
	LogCleanerIOBufferLoadFactor.Row, LogCleanerIOMaxBytesPerSecond.Row, LogCleanerBackoffMs.Row,
	LogCleanerDeleteRetentionMs.Row, LogCleanerMinCompactionLagMs.Row, LogCleanerMaxCompactionLagMs.Row,
	LogCleanerMinCleanableRatio.Row,
}
