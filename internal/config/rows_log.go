package config

// Rows: directories, segments, retention and flushing of partition logs.
var (
	LogDir = BrokerList{&Row{
		Name: "log.dir", Type: List, Default: "./data", Valid: distinct{},
		Doc: "Directories of partition logs, used when log.dirs is unset.",
	}}
	LogDirs = BrokerList{&Row{
		Name: "log.dirs", Type: List, Null: true, Valid: distinct{},
		Doc: "Directories of partition logs; each partition lives in one of them.",
	}}
	CordonedLogDirs = BrokerList{&Row{
		Name: "cordoned.log.dirs", Type: List, Valid: distinct{empty: true}, Importance: Medium, Update: PerBroker,
		Doc: "Log directories that get no new partitions; * stands for all of them.",
	}}
	LogDirFailureTimeoutMs = BrokerLong{&Row{
		Name: "log.dir.failure.timeout.ms", Type: Long, Default: "30000", Valid: atLeast(1), Importance: Low, Unit: Milliseconds,
		Doc: "Time for which a broker may fail to report a broken log directory to the controller before it stops.",
	}}
	NumRecoveryThreadsPerDataDir = BrokerInt{&Row{
		Name: "num.recovery.threads.per.data.dir", Type: Int, Default: "2", Valid: atLeast(1), Update: ClusterWide,
		Doc: "Number of logs of one directory that are recovered at the same time after an unclean stop.",
	}}
	NumReplicaAlterLogDirsThreads = BrokerInt{&Row{
		Name: "num.replica.alter.log.dirs.threads", Type: Int, Null: true,
		Doc: "Number of replicas that move between log directories at the same time; the number of directories when unset.",
	}}
	LogSegmentBytes = BrokerInt{&Row{
		Name: "log.segment.bytes", Type: Int, Default: "1073741824", Valid: atLeast(1048576), Update: ClusterWide, Unit: Bytes,
		Doc: "Size at which a segment is closed and a new one begun.",
	}}
	LogRollMs = BrokerLong{&Row{
		Name: "log.roll.ms", Type: Long, Null: true, Update: ClusterWide, Unit: Milliseconds,
		Doc: "Age at which a segment is closed even when it is small; log.roll.hours when unset.",
	}}
	LogRollHours = BrokerInt{&Row{
		Name: "log.roll.hours", Type: Int, Default: "168", Valid: atLeast(1), Unit: Hours,
		Doc: "Age in hours at which a segment is closed, used when log.roll.ms is unset.",
	}}
	LogRollJitterMs = BrokerLong{&Row{
		Name: "log.roll.jitter.ms", Type: Long, Null: true, Update: ClusterWide, Unit: Milliseconds,
		Doc: "Largest random time by which a segment is closed early, so that not all roll at once; log.roll.jitter.hours when unset.",
	}}
	LogRollJitterHours = BrokerInt{&Row{
		Name: "log.roll.jitter.hours", Type: Int, Default: "0", Valid: atLeast(0), Unit: Hours,
		Doc: "Largest random time in hours by which a segment is closed early, used when log.roll.jitter.ms is unset.",
	}}
	LogRetentionMs = BrokerLong{&Row{
		Name: "log.retention.ms", Type: Long, Null: true, Update: ClusterWide, Unit: Milliseconds,
		Doc: "Age at which records are deleted, -1 for never; log.retention.minutes when unset.",
	}}
	LogRetentionMinutes = BrokerInt{&Row{
		Name: "log.retention.minutes", Type: Int, Null: true, Unit: Minutes,
		Doc: "Age in minutes at which records are deleted, used when log.retention.ms is unset; log.retention.hours when unset.",
	}}
	LogRetentionHours = BrokerInt{&Row{
		Name: "log.retention.hours", Type: Int, Default: "168", Unit: Hours,
		Doc: "Age in hours at which records are deleted, used when the two finer settings are unset.",
	}}
	LogRetentionBytes = BrokerLong{&Row{
		Name: "log.retention.bytes", Type: Long, Default: "-1", Update: ClusterWide, Unit: Bytes,
		Doc: "Size of a partition above which its oldest segments are deleted; -1 sets no limit.",
	}}
	LogRetentionCheckIntervalMs = BrokerLong{&Row{
		Name: "log.retention.check.interval.ms", Type: Long, Default: "300000", Valid: atLeast(1), Importance: Medium, Unit: Milliseconds,
		Doc: "Interval at which logs are checked for segments to delete.",
	}}
	LogCleanupPolicy = BrokerList{&Row{
		Name: "log.cleanup.policy", Type: List, Default: "delete", Valid: distinct{empty: true, of: oneOf{"compact", "delete"}}, Importance: Medium, Update: ClusterWide,
		Doc: "What happens to old segments: delete them, compact them by key, or both.",
	}}
	LogSegmentDeleteDelayMs = BrokerLong{&Row{
		Name: "log.segment.delete.delay.ms", Type: Long, Default: "60000", Valid: atLeast(0), Update: ClusterWide, Unit: Milliseconds,
		Doc: "Time between renaming a deleted file and removing it.",
	}}
	LogIndexSizeMaxBytes = BrokerInt{&Row{
		Name: "log.index.size.max.bytes", Type: Int, Default: "10485760", Valid: atLeast(4), Importance: Medium, Update: ClusterWide, Unit: Bytes,
		Doc: "Largest size of a segment's offset index; a full index closes the segment.",
	}}
	LogIndexIntervalBytes = BrokerInt{&Row{
		Name: "log.index.interval.bytes", Type: Int, Default: "4096", Valid: atLeast(0), Importance: Medium, Update: ClusterWide, Unit: Bytes,
		Doc: "Bytes of records between two entries of an offset index.",
	}}
	LogPreallocate = BrokerBool{&Row{
		Name: "log.preallocate", Type: Boolean, Default: "false", Importance: Medium, Update: ClusterWide,
		Doc: "Whether the space of a new segment is reserved on disk at once.",
	}}
	LogMessageTimestampType = BrokerString{&Row{
		Name: "log.message.timestamp.type", Type: String, Default: "CreateTime", Valid: oneOf{"CreateTime", "LogAppendTime"}, Importance: Medium, Update: ClusterWide,
		Doc: "Whether records keep the time of their producer (CreateTime) or get that of their arrival (LogAppendTime).",
	}}
	LogMessageTimestampBeforeMaxMs = BrokerLong{&Row{
		Name: "log.message.timestamp.before.max.ms", Type: Long, Default: "9223372036854775807", Valid: atLeast(0), Importance: Medium, Update: ClusterWide, Unit: Milliseconds,
		Doc: "How far a record's time may lie behind the broker's clock.",
	}}
	LogMessageTimestampAfterMaxMs = BrokerLong{&Row{
		Name: "log.message.timestamp.after.max.ms", Type: Long, Default: "3600000", Valid: atLeast(0), Importance: Medium, Update: ClusterWide, Unit: Milliseconds,
		Doc: "How far a record's time may lie ahead of the broker's clock.",
	}}
	LogFlushIntervalMessages = BrokerLong{&Row{
		Name: "log.flush.interval.messages", Type: Long, Default: "9223372036854775807", Valid: atLeast(1), Update: ClusterWide,
		Doc: "The flush.messages of topics that do not set it: number of records of a partition after which they are flushed to stable storage, whatever the acks.",
	}}
	LogFlushIntervalMs = BrokerLong{&Row{
		Name: "log.flush.interval.ms", Type: Long, Null: true, Update: ClusterWide, Unit: Milliseconds,
		Doc: "The flush.ms of topics that do not set it: longest time that a record waits for its flush to stable storage, whatever the acks; log.flush.scheduler.interval.ms when unset.",
	}}
	LogFlushSchedulerIntervalMs = BrokerLong{&Row{
		Name: "log.flush.scheduler.interval.ms", Type: Long, Default: "9223372036854775807", Unit: Milliseconds,
		Doc: "Longest time that a record waits for its flush to stable storage where log.flush.interval.ms is unset; flushes need no check at intervals.",
	}}
	LogFlushOffsetCheckpointIntervalMs = BrokerInt{&Row{
		Name: "log.flush.offset.checkpoint.interval.ms", Type: Int, Default: "60000", Valid: atLeast(0), Unit: Milliseconds,
		Doc: "Longest time until the point up to which logs are flushed is written to the recovery checkpoint; replica.high.watermark.checkpoint.interval.ms if that is shorter, or this 0.",
	}}
	LogFlushStartOffsetCheckpointIntervalMs = BrokerInt{&Row{
		Name: "log.flush.start.offset.checkpoint.interval.ms", Type: Int, Default: "60000", Valid: atLeast(0), Unit: Milliseconds,
		Doc: "Longest time until the first offsets of logs are written to their checkpoint; replica.high.watermark.checkpoint.interval.ms if that is shorter, or this 0.",
	}}
	LogInitialTaskDelayMs = BrokerLong{&Row{
		Name: "log.initial.task.delay.ms", Type: Long, Default: "30000", Valid: atLeast(0), Importance: Low, Internal: true, Unit: Milliseconds,
		Doc: "Time after the start before the first retention check.",
	}}
)

var logRows = []*Row{
	LogDir.Row, LogDirs.Row, CordonedLogDirs.Row, LogDirFailureTimeoutMs.Row, NumRecoveryThreadsPerDataDir.Row,
	NumReplicaAlterLogDirsThreads.Row, LogSegmentBytes.Row, LogRollMs.Row, LogRollHours.Row, LogRollJitterMs.Row,
	LogRollJitterHours.Row, LogRetentionMs.Row, LogRetentionMinutes.Row, LogRetentionHours.Row, LogRetentionBytes.Row,
	LogRetentionCheckIntervalMs.Row, LogCleanupPolicy.Row, LogSegmentDeleteDelayMs.Row, LogIndexSizeMaxBytes.Row,
	LogIndexIntervalBytes.Row, LogPreallocate.Row, LogMessageTimestampType.Row, LogMessageTimestampBeforeMaxMs.Row,
	LogMessageTimestampAfterMaxMs.Row, LogFlushIntervalMessages.Row, LogFlushIntervalMs.Row,
	LogFlushSchedulerIntervalMs.Row, LogFlushOffsetCheckpointIntervalMs.Row,
	LogFlushStartOffsetCheckpointIntervalMs.Row, LogInitialTaskDelayMs.Row,
}
