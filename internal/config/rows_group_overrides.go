package config

// Rows: properties of single groups.
var (
	ConsumerSessionTimeoutMs = GroupInt{&Row{
		Name: "consumer.session.timeout.ms", Type: Int, Default: "45000", Valid: atLeast(1), Importance: Medium, Unit: Milliseconds,
		Synonyms: []Synonym{{GroupConsumerSessionTimeoutMs.Row, 1}},
		Doc:      "Time without a heartbeat after which a member of this consumer group is removed.",
	}}
	ConsumerHeartbeatIntervalMs = GroupInt{&Row{
		Name: "consumer.heartbeat.interval.ms", Type: Int, Default: "5000", Valid: atLeast(1), Importance: Medium, Unit: Milliseconds,
		Synonyms: []Synonym{{GroupConsumerHeartbeatIntervalMs.Row, 1}},
		Doc:      "Interval at which members of this consumer group are told to send heartbeats.",
	}}
	ConsumerAssignmentIntervalMs = GroupInt{&Row{
		Name: "consumer.assignment.interval.ms", Type: Int, Default: "1000", Valid: atLeast(0), Importance: Medium, Unit: Milliseconds,
		Synonyms: []Synonym{{GroupConsumerAssignmentIntervalMs.Row, 1}},
		Doc:      "Shortest time between two new assignments of this consumer group.",
	}}
	ShareSessionTimeoutMs = GroupInt{&Row{
		Name: "share.session.timeout.ms", Type: Int, Default: "45000", Valid: atLeast(1), Importance: Medium, Unit: Milliseconds,
		Synonyms: []Synonym{{GroupShareSessionTimeoutMs.Row, 1}},
		Doc:      "Time without a heartbeat after which a member of this share group is removed.",
		Status:   Later, Why: "share groups",
	}}
	ShareHeartbeatIntervalMs = GroupInt{&Row{
		Name: "share.heartbeat.interval.ms", Type: Int, Default: "5000", Valid: atLeast(1), Importance: Medium, Unit: Milliseconds,
		Synonyms: []Synonym{{GroupShareHeartbeatIntervalMs.Row, 1}},
		Doc:      "Interval at which members of this share group are told to send heartbeats.",
		Status:   Later, Why: "share groups",
	}}
	ShareAssignmentIntervalMs = GroupInt{&Row{
		Name: "share.assignment.interval.ms", Type: Int, Default: "1000", Valid: atLeast(0), Importance: Medium, Unit: Milliseconds,
		Synonyms: []Synonym{{GroupShareAssignmentIntervalMs.Row, 1}},
		Doc:      "Shortest time between two new assignments of this share group.",
		Status:   Later, Why: "share groups",
	}}
	ShareRecordLockDurationMs = GroupInt{&Row{
		Name: "share.record.lock.duration.ms", Type: Int, Default: "30000", Valid: atLeast(1000), Importance: Medium, Unit: Milliseconds,
		Synonyms: []Synonym{{GroupShareRecordLockDurationMs.Row, 1}},
		Doc:      "Time for which a record that was delivered to a member stays locked for it.",
		Status:   Later, Why: "share groups",
	}}
	ShareDeliveryCountLimit = GroupInt{&Row{
		Name: "share.delivery.count.limit", Type: Int, Default: "5", Valid: atLeast(2), Importance: Medium,
		Synonyms: []Synonym{{GroupShareDeliveryCountLimit.Row, 1}},
		Doc:      "Number of times that a record is delivered before it is given up.",
		Status:   Later, Why: "share groups",
	}}
	SharePartitionMaxRecordLocks = GroupInt{&Row{
		Name: "share.partition.max.record.locks", Type: Int, Default: "2000", Valid: atLeast(100), Importance: Medium,
		Synonyms: []Synonym{{GroupSharePartitionMaxRecordLocks.Row, 1}},
		Doc:      "Number of records of a partition that this group may have in flight.",
		Status:   Later, Why: "share groups",
	}}
	ShareAutoOffsetReset = GroupString{&Row{
		Name: "share.auto.offset.reset", Type: String, Default: "latest", Valid: offsetReset{}, Importance: Medium,
		Doc:    "Where this share group begins: latest, earliest, or by_duration:<ISO 8601 duration> before now.",
		Status: Later, Why: "share groups",
	}}
	ShareIsolationLevel = GroupString{&Row{
		Name: "share.isolation.level", Type: String, Default: "read_uncommitted", Valid: oneOf{"read_committed", "read_uncommitted"}, Importance: Medium,
		Doc:    "Whether this share group gets records of aborted and open transactions.",
		Status: Later, Why: "share groups",
	}}
	ShareRenewAcknowledgeEnable = GroupBool{&Row{
		Name: "share.renew.acknowledge.enable", Type: Boolean, Default: "true", Importance: Medium,
		Doc:    "Whether members of this share group may prolong their locks.",
		Status: Later, Why: "share groups",
	}}
	StreamsSessionTimeoutMs = GroupInt{&Row{
		Name: "streams.session.timeout.ms", Type: Int, Default: "45000", Valid: atLeast(1), Importance: Medium, Unit: Milliseconds,
		Synonyms: []Synonym{{GroupStreamsSessionTimeoutMs.Row, 1}},
		Doc:      "Time without a heartbeat after which a member of this streams group is removed.",
	}}
	StreamsHeartbeatIntervalMs = GroupInt{&Row{
		Name: "streams.heartbeat.interval.ms", Type: Int, Default: "5000", Valid: atLeast(1), Importance: Medium, Unit: Milliseconds,
		Synonyms: []Synonym{{GroupStreamsHeartbeatIntervalMs.Row, 1}},
		Doc:      "Interval at which members of this streams group are told to send heartbeats.",
	}}
	StreamsAssignmentIntervalMs = GroupInt{&Row{
		Name: "streams.assignment.interval.ms", Type: Int, Default: "1000", Valid: atLeast(0), Importance: Medium, Unit: Milliseconds,
		Synonyms: []Synonym{{GroupStreamsAssignmentIntervalMs.Row, 1}},
		Doc:      "Shortest time between two new assignments of this streams group.",
	}}
	StreamsNumStandbyReplicas = GroupInt{&Row{
		Name: "streams.num.standby.replicas", Type: Int, Default: "0", Valid: atLeast(0), Importance: Medium,
		Synonyms: []Synonym{{GroupStreamsNumStandbyReplicas.Row, 1}},
		Doc:      "Number of standby copies of each task of this streams group.",
	}}
	StreamsInitialRebalanceDelayMs = GroupInt{&Row{
		Name: "streams.initial.rebalance.delay.ms", Type: Int, Default: "3000", Valid: atLeast(0), Importance: Medium, Unit: Milliseconds,
		Synonyms: []Synonym{{GroupStreamsInitialRebalanceDelayMs.Row, 1}},
		Doc:      "Time for which this streams group waits for further members before its first assignment.",
	}}
)

var groupOverrideRows = []*Row{
	ConsumerSessionTimeoutMs.Row, ConsumerHeartbeatIntervalMs.Row, ConsumerAssignmentIntervalMs.Row,
	ShareSessionTimeoutMs.Row, ShareHeartbeatIntervalMs.Row, ShareAssignmentIntervalMs.Row,
	ShareRecordLockDurationMs.Row, ShareDeliveryCountLimit.Row, SharePartitionMaxRecordLocks.Row,
	ShareAutoOffsetReset.Row, ShareIsolationLevel.Row, ShareRenewAcknowledgeEnable.Row, StreamsSessionTimeoutMs.Row,
	StreamsHeartbeatIntervalMs.Row, StreamsAssignmentIntervalMs.Row, StreamsNumStandbyReplicas.Row,
	StreamsInitialRebalanceDelayMs.Row,
}
