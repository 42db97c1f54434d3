package config

// Rows: tiered storage.
var (
	RemoteLogStorageSystemEnable = BrokerBool{&Row{
		Name: "remote.log.storage.system.enable", Type: Boolean, Default: "false", Importance: Medium,
		Doc:    "Whether old segments may move to remote storage.",
		Status: Refused, Why: "this version has no tiered storage, and topics would be kept in full on local disks",
	}}
	RemoteLogStorageManagerClassName = BrokerString{&Row{
		Name: "remote.log.storage.manager.class.name", Type: String, Null: true, Valid: nonEmpty{}, Importance: Medium,
		Doc:    "Class that reads and writes the remote storage.",
		Status: Refused, Why: "Java classes cannot be loaded",
	}}
	RemoteLogStorageManagerClassPath = BrokerString{&Row{
		Name: "remote.log.storage.manager.class.path", Type: String, Null: true, Importance: Medium,
		Doc:    "Where the class that reads and writes the remote storage is found.",
		Status: NoEffect, Why: "Java classes cannot be loaded",
	}}
	RemoteLogStorageManagerImplPrefix = BrokerString{&Row{
		Name: "remote.log.storage.manager.impl.prefix", Type: String, Default: "rsm.config.", Valid: nonEmpty{}, Importance: Medium,
		Doc:    "Prefix of the properties that are passed to the class that reads and writes the remote storage.",
		Status: NoEffect, Why: "Java classes cannot be loaded",
	}}
	RemoteLogMetadataManagerClassName = BrokerString{&Row{
		Name: "remote.log.metadata.manager.class.name", Type: String, Default: "org.apache.kafka.server.log.remote.metadata.storage.TopicBasedRemoteLogMetadataManager", Valid: nonEmpty{}, Importance: Medium,
		Doc:    "Class that keeps the list of remote segments.",
		Status: NoEffect, Why: "Java classes cannot be loaded",
	}}
	RemoteLogMetadataManagerClassPath = BrokerString{&Row{
		Name: "remote.log.metadata.manager.class.path", Type: String, Null: true, Importance: Medium,
		Doc:    "Where the class that keeps the list of remote segments is found.",
		Status: NoEffect, Why: "Java classes cannot be loaded",
	}}
	RemoteLogMetadataManagerImplPrefix = BrokerString{&Row{
		Name: "remote.log.metadata.manager.impl.prefix", Type: String, Default: "rlmm.config.", Valid: nonEmpty{}, Importance: Medium,
		Doc:    "Prefix of the properties that are passed to the class that keeps the list of remote segments.",
		Status: NoEffect, Why: "Java classes cannot be loaded",
	}}
	RemoteLogMetadataManagerListenerName = BrokerString{&Row{
		Name: "remote.log.metadata.manager.listener.name", Type: String, Null: true, Valid: nonEmpty{}, Importance: Medium,
		Doc:    "Listener over which the list of remote segments is read and written.",
		Status: Later, Why: "tiered storage",
	}}
	RemoteLogMetadataCustomMetadataMaxBytes = BrokerInt{&Row{
		Name: "remote.log.metadata.custom.metadata.max.bytes", Type: Int, Default: "128", Valid: atLeast(0), Importance: Low, Unit: Bytes,
		Doc:    "Largest note that may be stored with a remote segment.",
		Status: Later, Why: "tiered storage",
	}}
	RemoteLogIndexFileCacheTotalSizeBytes = BrokerLong{&Row{
		Name: "remote.log.index.file.cache.total.size.bytes", Type: Long, Default: "1073741824", Valid: atLeast(1), Importance: Low, Update: ClusterWide, Unit: Bytes,
		Doc:    "Disk space for indexes of remote segments.",
		Status: Later, Why: "tiered storage",
	}}
	RemoteLogIndexFileCacheTtlMs = BrokerLong{&Row{
		Name: "remote.log.index.file.cache.ttl.ms", Type: Long, Default: "900000", Valid: atLeast(-1), Importance: Low, Internal: true, Unit: Milliseconds,
		Doc:    "Time without use after which an index of a remote segment leaves the disk.",
		Status: Later, Why: "tiered storage",
	}}
	RemoteLogManagerTaskIntervalMs = BrokerLong{&Row{
		Name: "remote.log.manager.task.interval.ms", Type: Long, Default: "30000", Valid: atLeast(1), Importance: Low, Unit: Milliseconds,
		Doc:    "Interval at which segments to copy and to delete are looked for.",
		Status: Later, Why: "tiered storage",
	}}
	RemoteLogManagerTaskRetryBackoffMs = BrokerLong{&Row{
		Name: "remote.log.manager.task.retry.backoff.ms", Type: Long, Default: "500", Valid: atLeast(1), Importance: Low, Internal: true, Unit: Milliseconds,
		Doc:    "First pause before a failed access to remote storage is repeated.",
		Status: Later, Why: "tiered storage",
	}}
	RemoteLogManagerTaskRetryBackoffMaxMs = BrokerLong{&Row{
		Name: "remote.log.manager.task.retry.backoff.max.ms", Type: Long, Default: "30000", Valid: atLeast(1), Importance: Low, Internal: true, Unit: Milliseconds,
		Doc:    "Longest pause before a failed access to remote storage is repeated.",
		Status: Later, Why: "tiered storage",
	}}
	RemoteLogManagerTaskRetryJitter = BrokerDouble{&Row{
		Name: "remote.log.manager.task.retry.jitter", Type: Double, Default: "0.2", Valid: between(0, 0.5), Importance: Low, Internal: true,
		Doc:    "Share of the pause that is random.",
		Status: Later, Why: "tiered storage",
	}}
	RemoteLogManagerThreadPoolSize = BrokerInt{&Row{
		Name: "remote.log.manager.thread.pool.size", Type: Int, Default: "2", Valid: atLeast(1), Importance: Medium,
		Doc:    "Number of threads that follow remote segments, an older name of remote.log.manager.follower.thread.pool.size.",
		Status: NoEffect, Why: "work on remote segments runs in goroutines",
	}}
	RemoteLogManagerCopierThreadPoolSize = BrokerInt{&Row{
		Name: "remote.log.manager.copier.thread.pool.size", Type: Int, Default: "10", Valid: atLeast(1), Importance: Medium, Update: ClusterWide,
		Doc:    "Number of threads that copy segments to remote storage.",
		Status: NoEffect, Why: "work on remote segments runs in goroutines",
	}}
	RemoteLogManagerExpirationThreadPoolSize = BrokerInt{&Row{
		Name: "remote.log.manager.expiration.thread.pool.size", Type: Int, Default: "10", Valid: atLeast(1), Importance: Medium, Update: ClusterWide,
		Doc:    "Number of threads that delete expired remote segments.",
		Status: NoEffect, Why: "work on remote segments runs in goroutines",
	}}
	RemoteLogManagerFollowerThreadPoolSize = BrokerInt{&Row{
		Name: "remote.log.manager.follower.thread.pool.size", Type: Int, Default: "2", Valid: atLeast(1), Importance: Medium, Update: ClusterWide,
		Doc:    "Number of threads that follow what others copied to remote storage.",
		Status: NoEffect, Why: "work on remote segments runs in goroutines",
	}}
	RemoteLogReaderThreads = BrokerInt{&Row{
		Name: "remote.log.reader.threads", Type: Int, Default: "10", Valid: atLeast(1), Importance: Medium, Update: ClusterWide,
		Doc:    "Number of threads that read from remote storage.",
		Status: NoEffect, Why: "work on remote segments runs in goroutines",
	}}
	RemoteLogReaderMaxPendingTasks = BrokerInt{&Row{
		Name: "remote.log.reader.max.pending.tasks", Type: Int, Default: "100", Valid: atLeast(1), Importance: Medium,
		Doc:    "Number of reads from remote storage that may wait before further ones are refused.",
		Status: Later, Why: "tiered storage",
	}}
	RemoteLogManagerCopyMaxBytesPerSecond = BrokerLong{&Row{
		Name: "remote.log.manager.copy.max.bytes.per.second", Type: Long, Default: "9223372036854775807", Valid: atLeast(1), Importance: Medium, Update: ClusterWide, Unit: BytesPerSecond,
		Doc:    "Bytes per second that may be copied to remote storage.",
		Status: Later, Why: "tiered storage",
	}}
	RemoteLogManagerCopyQuotaWindowNum = BrokerInt{&Row{
		Name: "remote.log.manager.copy.quota.window.num", Type: Int, Default: "11", Valid: atLeast(1), Importance: Medium,
		Doc:    "Number of samples over which the rate of copying to remote storage is measured.",
		Status: Later, Why: "tiered storage",
	}}
	RemoteLogManagerCopyQuotaWindowSizeSeconds = BrokerInt{&Row{
		Name: "remote.log.manager.copy.quota.window.size.seconds", Type: Int, Default: "1", Valid: atLeast(1), Importance: Medium, Unit: Seconds,
		Doc:    "Time that one sample of the rate of copying to remote storage covers.",
		Status: Later, Why: "tiered storage",
	}}
	RemoteLogManagerFetchMaxBytesPerSecond = BrokerLong{&Row{
		Name: "remote.log.manager.fetch.max.bytes.per.second", Type: Long, Default: "9223372036854775807", Valid: atLeast(1), Importance: Medium, Update: ClusterWide, Unit: BytesPerSecond,
		Doc:    "Bytes per second that may be read from remote storage.",
		Status: Later, Why: "tiered storage",
	}}
	RemoteLogManagerFetchQuotaWindowNum = BrokerInt{&Row{
		Name: "remote.log.manager.fetch.quota.window.num", Type: Int, Default: "11", Valid: atLeast(1), Importance: Medium,
		Doc:    "Number of samples over which the rate of reading from remote storage is measured.",
		Status: Later, Why: "tiered storage",
	}}
	RemoteLogManagerFetchQuotaWindowSizeSeconds = BrokerInt{&Row{
		Name: "remote.log.manager.fetch.quota.window.size.seconds", Type: Int, Default: "1", Valid: atLeast(1), Importance: Medium, Unit: Seconds,
		Doc:    "Time that one sample of the rate of reading from remote storage covers.",
		Status: Later, Why: "tiered storage",
	}}
	RemoteFetchMaxWaitMs = BrokerInt{&Row{
		Name: "remote.fetch.max.wait.ms", Type: Int, Default: "500", Valid: atLeast(1), Importance: Medium, Update: ClusterWide, Unit: Milliseconds,
		Doc:    "Longest time that a fetch request waits for remote storage.",
		Status: Later, Why: "tiered storage",
	}}
	RemoteListOffsetsRequestTimeoutMs = BrokerLong{&Row{
		Name: "remote.list.offsets.request.timeout.ms", Type: Long, Default: "30000", Valid: atLeast(1), Importance: Medium, Update: ClusterWide, Unit: Milliseconds,
		Doc:    "Longest time that a question for an offset waits for remote storage.",
		Status: Later, Why: "tiered storage",
	}}
	LogLocalRetentionMs = BrokerLong{&Row{
		Name: "log.local.retention.ms", Type: Long, Default: "-2", Valid: atLeast(-2), Importance: Medium, Update: ClusterWide, Unit: Milliseconds,
		Doc:    "Age at which segments that are in remote storage leave the local disk; -2 follows log.retention.ms.",
		Status: Later, Why: "tiered storage",
	}}
	LogLocalRetentionBytes = BrokerLong{&Row{
		Name: "log.local.retention.bytes", Type: Long, Default: "-2", Valid: atLeast(-2), Importance: Medium, Update: ClusterWide, Unit: Bytes,
		Doc:    "Size of a partition's local segments above which those in remote storage leave the local disk; -2 follows log.retention.bytes.",
		Status: Later, Why: "tiered storage",
	}}
)

var remoteRows = []*Row{
	RemoteLogStorageSystemEnable.Row, RemoteLogStorageManagerClassName.Row, RemoteLogStorageManagerClassPath.Row,
	RemoteLogStorageManagerImplPrefix.Row, RemoteLogMetadataManagerClassName.Row, RemoteLogMetadataManagerClassPath.Row,
	RemoteLogMetadataManagerImplPrefix.Row, RemoteLogMetadataManagerListenerName.Row,
	RemoteLogMetadataCustomMetadataMaxBytes.Row, RemoteLogIndexFileCacheTotalSizeBytes.Row,
	RemoteLogIndexFileCacheTtlMs.Row, RemoteLogManagerTaskIntervalMs.Row, RemoteLogManagerTaskRetryBackoffMs.Row,
	RemoteLogManagerTaskRetryBackoffMaxMs.Row, RemoteLogManagerTaskRetryJitter.Row, RemoteLogManagerThreadPoolSize.Row,
	RemoteLogManagerCopierThreadPoolSize.Row, RemoteLogManagerExpirationThreadPoolSize.Row,
	RemoteLogManagerFollowerThreadPoolSize.Row, RemoteLogReaderThreads.Row, RemoteLogReaderMaxPendingTasks.Row,
	RemoteLogManagerCopyMaxBytesPerSecond.Row, RemoteLogManagerCopyQuotaWindowNum.Row,
	RemoteLogManagerCopyQuotaWindowSizeSeconds.Row, RemoteLogManagerFetchMaxBytesPerSecond.Row,
	RemoteLogManagerFetchQuotaWindowNum.Row, RemoteLogManagerFetchQuotaWindowSizeSeconds.Row, RemoteFetchMaxWaitMs.Row,
	RemoteListOffsetsRequestTimeoutMs.Row, LogLocalRetentionMs.Row, LogLocalRetentionBytes.Row,
}
