package config

// Rows: share groups and their coordinator.
var (
	GroupShareSessionTimeoutMs = BrokerInt{&Row{
		Name: "group.share.session.timeout.ms", Type: Int, Default: "45000", Valid: atLeast(1), Importance: Medium, Unit: Milliseconds,
		Doc:    "Time without a heartbeat after which a member of a share group is removed.",
		Status: Later, Why: "share groups",
	}}
	GroupShareMinSessionTimeoutMs = BrokerInt{&Row{
		Name: "group.share.min.session.timeout.ms", Type: Int, Default: "45000", Valid: atLeast(1), Importance: Medium, Unit: Milliseconds,
		Doc:    "Shortest session timeout that a share group may be given.",
		Status: Later, Why: "share groups",
	}}
	GroupShareMaxSessionTimeoutMs = BrokerInt{&Row{
		Name: "group.share.max.session.timeout.ms", Type: Int, Default: "60000", Valid: atLeast(1), Importance: Medium, Unit: Milliseconds,
		Doc:    "Longest session timeout that a share group may be given.",
		Status: Later, Why: "share groups",
	}}
	GroupShareHeartbeatIntervalMs = BrokerInt{&Row{
		Name: "group.share.heartbeat.interval.ms", Type: Int, Default: "5000", Valid: atLeast(1), Importance: Medium, Unit: Milliseconds,
		Doc:    "Interval at which members of a share group are told to send heartbeats.",
		Status: Later, Why: "share groups",
	}}
	GroupShareMinHeartbeatIntervalMs = BrokerInt{&Row{
		Name: "group.share.min.heartbeat.interval.ms", Type: Int, Default: "5000", Valid: atLeast(1), Importance: Medium, Unit: Milliseconds,
		Doc:    "Shortest heartbeat interval that a share group may be given.",
		Status: Later, Why: "share groups",
	}}
	GroupShareMaxHeartbeatIntervalMs = BrokerInt{&Row{
		Name: "group.share.max.heartbeat.interval.ms", Type: Int, Default: "15000", Valid: atLeast(1), Importance: Medium, Unit: Milliseconds,
		Doc:    "Longest heartbeat interval that a share group may be given.",
		Status: Later, Why: "share groups",
	}}
	GroupShareMaxSize = BrokerInt{&Row{
		Name: "group.share.max.size", Type: Int, Default: "200", Valid: between(1, 1000), Importance: Medium,
		Doc:    "Number of members that a share group may have.",
		Status: Later, Why: "share groups",
	}}
	GroupShareMaxShareSessions = BrokerInt{&Row{
		Name: "group.share.max.share.sessions", Type: Int, Default: "2000", Valid: atLeast(1), Importance: Medium,
		Doc:    "Number of share sessions that a broker holds.",
		Status: Later, Why: "share groups",
	}}
	GroupShareAssignors = BrokerList{&Row{
		Name: "group.share.assignors", Type: List, Default: "simple", Valid: distinct{}, Importance: Medium,
		Doc:    "Server-side assignor of share groups.",
		Status: Later, Why: "share groups",
	}}
	GroupShareAssignmentIntervalMs = BrokerInt{&Row{
		Name: "group.share.assignment.interval.ms", Type: Int, Default: "1000", Valid: atLeast(0), Importance: Medium, Update: ClusterWide, Unit: Milliseconds,
		Doc:    "Shortest time between two new assignments of a share group.",
		Status: Later, Why: "share groups",
	}}
	GroupShareMinAssignmentIntervalMs = BrokerInt{&Row{
		Name: "group.share.min.assignment.interval.ms", Type: Int, Default: "0", Valid: atLeast(0), Importance: Medium, Unit: Milliseconds,
		Doc:    "Shortest assignment interval that a share group may be given.",
		Status: Later, Why: "share groups",
	}}
	GroupShareMaxAssignmentIntervalMs = BrokerInt{&Row{
		Name: "group.share.max.assignment.interval.ms", Type: Int, Default: "15000", Valid: atLeast(0), Importance: Medium, Unit: Milliseconds,
		Doc:    "Longest assignment interval that a share group may be given.",
		Status: Later, Why: "share groups",
	}}
	GroupShareInitializeRetryIntervalMs = BrokerInt{&Row{
		Name: "group.share.initialize.retry.interval.ms", Type: Int, Default: "30000", Valid: atLeast(1), Importance: Low, Internal: true, Unit: Milliseconds,
		Doc:    "Pause before a share group's state is initialized again after a failure.",
		Status: Later, Why: "share groups",
	}}
	GroupSharePersisterClassName = BrokerString{&Row{
		Name: "group.share.persister.class.name", Type: String, Default: "org.apache.kafka.server.share.persister.DefaultStatePersister", Importance: Medium, Internal: true,
		Doc:    "Class that keeps the state of share groups.",
		Status: Refused, Why: "Java classes cannot be loaded; the state of share groups is kept in __share_group_state",
	}}
	GroupShareRecordLockDurationMs = BrokerInt{&Row{
		Name: "group.share.record.lock.duration.ms", Type: Int, Default: "30000", Valid: between(1000, 3600000), Importance: Medium, Unit: Milliseconds,
		Doc:    "Time for which a record that was delivered to a share group's member stays locked for it.",
		Status: Later, Why: "share groups",
	}}
	GroupShareMinRecordLockDurationMs = BrokerInt{&Row{
		Name: "group.share.min.record.lock.duration.ms", Type: Int, Default: "15000", Valid: between(1000, 30000), Importance: Medium, Unit: Milliseconds,
		Doc:    "Shortest lock that a share group may be given.",
		Status: Later, Why: "share groups",
	}}
	GroupShareMaxRecordLockDurationMs = BrokerInt{&Row{
		Name: "group.share.max.record.lock.duration.ms", Type: Int, Default: "60000", Valid: between(30000, 3600000), Importance: Medium, Unit: Milliseconds,
		Doc:    "Longest lock that a share group may be given.",
		Status: Later, Why: "share groups",
	}}
	GroupShareDeliveryCountLimit = BrokerInt{&Row{
		Name: "group.share.delivery.count.limit", Type: Int, Default: "5", Valid: between(2, 10), Importance: Medium,
		Doc:    "Number of times that a record is delivered to a share group before it is given up.",
		Status: Later, Why: "share groups",
	}}
	GroupShareMinDeliveryCountLimit = BrokerInt{&Row{
		Name: "group.share.min.delivery.count.limit", Type: Int, Default: "2", Valid: between(2, 5), Importance: Medium,
		Doc:    "Smallest number of deliveries that a share group may be given.",
		Status: Later, Why: "share groups",
	}}
	GroupShareMaxDeliveryCountLimit = BrokerInt{&Row{
		Name: "group.share.max.delivery.count.limit", Type: Int, Default: "10", Valid: between(5, 25), Importance: Medium,
		Doc:    "Largest number of deliveries that a share group may be given.",
		Status: Later, Why: "share groups",
	}}
	GroupSharePartitionMaxRecordLocks = BrokerInt{&Row{
		Name: "group.share.partition.max.record.locks", Type: Int, Default: "2000", Valid: between(100, 10000), Importance: Medium,
		Doc:    "Number of records of a partition that a share group may have in flight.",
		Status: Later, Why: "share groups",
	}}
	GroupShareMinPartitionMaxRecordLocks = BrokerInt{&Row{
		Name: "group.share.min.partition.max.record.locks", Type: Int, Default: "100", Valid: between(100, 2000), Importance: Medium,
		Doc:    "Smallest number of records in flight that a share group may be given.",
		Status: Later, Why: "share groups",
	}}
	GroupShareMaxPartitionMaxRecordLocks = BrokerInt{&Row{
		Name: "group.share.max.partition.max.record.locks", Type: Int, Default: "4000", Valid: between(2000, 10000), Importance: Medium,
		Doc:    "Largest number of records in flight that a share group may be given.",
		Status: Later, Why: "share groups",
	}}
	ShareCoordinatorStateTopicNumPartitions = BrokerInt{&Row{
		Name: "share.coordinator.state.topic.num.partitions", Type: Int, Default: "50", Valid: atLeast(1),
		Doc:    "Number of partitions of the topic that keeps the state of share groups.",
		Status: Later, Why: "share groups",
	}}
	ShareCoordinatorStateTopicReplicationFactor = BrokerInt{&Row{
		Name: "share.coordinator.state.topic.replication.factor", Type: Short, Default: "3", Valid: atLeast(1),
		Doc:    "Number of replicas of the topic that keeps the state of share groups; 1 on a lone node unless it is set.",
		Status: Later, Why: "share groups",
	}}
	ShareCoordinatorStateTopicMinISR = BrokerInt{&Row{
		Name: "share.coordinator.state.topic.min.isr", Type: Short, Default: "2", Valid: atLeast(1),
		Doc:    "Number of replicas in sync without which the state of share groups is not written; 1 on a lone node unless it is set.",
		Status: Later, Why: "share groups",
	}}
	ShareCoordinatorStateTopicSegmentBytes = BrokerInt{&Row{
		Name: "share.coordinator.state.topic.segment.bytes", Type: Int, Default: "104857600", Valid: atLeast(1), Unit: Bytes,
		Doc:    "Size at which a segment of the share state topic is closed.",
		Status: Later, Why: "share groups",
	}}
	ShareCoordinatorStateTopicCompressionCodec = BrokerInt{&Row{
		Name: "share.coordinator.state.topic.compression.codec", Type: Int, Default: "0",
		Doc:    "Number of the compression codec of the share state topic: 0 none, 1 gzip, 2 snappy, 3 lz4, 4 zstd.",
		Status: Later, Why: "share groups",
	}}
	ShareCoordinatorStateTopicPruneIntervalMs = BrokerInt{&Row{
		Name: "share.coordinator.state.topic.prune.interval.ms", Type: Int, Default: "300000", Valid: atLeast(1), Importance: Low, Internal: true, Unit: Milliseconds,
		Doc:    "Interval at which records that are no longer needed are deleted from the share state topic.",
		Status: Later, Why: "share groups",
	}}
	ShareCoordinatorSnapshotUpdateRecordsPerSnapshot = BrokerInt{&Row{
		Name: "share.coordinator.snapshot.update.records.per.snapshot", Type: Int, Default: "500", Valid: between(0, 500), Importance: Medium,
		Doc:    "Number of updates of a share partition's state between two snapshots of it.",
		Status: Later, Why: "share groups",
	}}
	ShareCoordinatorColdPartitionSnapshotIntervalMs = BrokerInt{&Row{
		Name: "share.coordinator.cold.partition.snapshot.interval.ms", Type: Int, Default: "300000", Valid: atLeast(1), Importance: Low, Internal: true, Unit: Milliseconds,
		Doc:    "Interval at which a share partition that does not change is written as a snapshot all the same.",
		Status: Later, Why: "share groups",
	}}
	ShareCoordinatorWriteTimeoutMs = BrokerInt{&Row{
		Name: "share.coordinator.write.timeout.ms", Type: Int, Default: "5000", Valid: atLeast(1), Unit: Milliseconds,
		Doc:    "Longest time that a write of share state waits until it is replicated.",
		Status: Later, Why: "share groups",
	}}
	ShareCoordinatorLoadBufferSize = BrokerInt{&Row{
		Name: "share.coordinator.load.buffer.size", Type: Int, Default: "5242880", Valid: atLeast(1), Unit: Bytes,
		Doc:    "Bytes that Kafka reads at once when it loads the share state topic.",
		Status: NoEffect, Why: "the log is read in batches that need no setting",
	}}
	ShareCoordinatorThreads = BrokerInt{&Row{
		Name: "share.coordinator.threads", Type: Int, Default: "1", Valid: atLeast(1), Importance: Medium,
		Doc:    "Number of threads of the share coordinator.",
		Status: NoEffect, Why: "each partition of the share state topic decides on its own, without threads to count",
	}}
	ShareCoordinatorAppendLingerMs = BrokerInt{&Row{
		Name: "share.coordinator.append.linger.ms", Type: Int, Default: "-1", Valid: atLeast(-1), Importance: Medium, Unit: Milliseconds,
		Doc:    "Time for which the share coordinator gathers records before it writes them; -1 adapts it.",
		Status: NoEffect, Why: "writes that arrive together share one flush without waiting",
	}}
	ShareCoordinatorCachedBufferMaxBytes = BrokerInt{&Row{
		Name: "share.coordinator.cached.buffer.max.bytes", Type: Int, Default: "1048588", Valid: atLeast(524288), Importance: Medium, Update: ClusterWide, Unit: Bytes,
		Doc:    "Largest buffer that the share coordinator keeps for its next write.",
		Status: NoEffect, Why: "buffers come from a pool with size classes",
	}}
)

var shareRows = []*Row{
	GroupShareSessionTimeoutMs.Row, GroupShareMinSessionTimeoutMs.Row, GroupShareMaxSessionTimeoutMs.Row,
	GroupShareHeartbeatIntervalMs.Row, GroupShareMinHeartbeatIntervalMs.Row, GroupShareMaxHeartbeatIntervalMs.Row,
	GroupShareMaxSize.Row, GroupShareMaxShareSessions.Row, GroupShareAssignors.Row, GroupShareAssignmentIntervalMs.Row,
	GroupShareMinAssignmentIntervalMs.Row, GroupShareMaxAssignmentIntervalMs.Row,
	GroupShareInitializeRetryIntervalMs.Row, GroupSharePersisterClassName.Row, GroupShareRecordLockDurationMs.Row,
	GroupShareMinRecordLockDurationMs.Row, GroupShareMaxRecordLockDurationMs.Row, GroupShareDeliveryCountLimit.Row,
	GroupShareMinDeliveryCountLimit.Row, GroupShareMaxDeliveryCountLimit.Row, GroupSharePartitionMaxRecordLocks.Row,
	GroupShareMinPartitionMaxRecordLocks.Row, GroupShareMaxPartitionMaxRecordLocks.Row,
	ShareCoordinatorStateTopicNumPartitions.Row, ShareCoordinatorStateTopicReplicationFactor.Row,
	ShareCoordinatorStateTopicMinISR.Row, ShareCoordinatorStateTopicSegmentBytes.Row,
	ShareCoordinatorStateTopicCompressionCodec.Row, ShareCoordinatorStateTopicPruneIntervalMs.Row,
	ShareCoordinatorSnapshotUpdateRecordsPerSnapshot.Row, ShareCoordinatorColdPartitionSnapshotIntervalMs.Row,
	ShareCoordinatorWriteTimeoutMs.Row, ShareCoordinatorLoadBufferSize.Row, ShareCoordinatorThreads.Row,
	ShareCoordinatorAppendLingerMs.Row, ShareCoordinatorCachedBufferMaxBytes.Row,
}
