package config

// Rows: consumer groups of both protocols.
var (
	GroupMinSessionTimeoutMs = BrokerInt{&Row{
		Name: "group.min.session.timeout.ms", Type: Int, Default: "6000", Importance: Medium, Unit: Milliseconds,
		Doc: "Shortest session timeout that a member of a classic group may ask for.",
	}}
	GroupMaxSessionTimeoutMs = BrokerInt{&Row{
		Name: "group.max.session.timeout.ms", Type: Int, Default: "1800000", Importance: Medium, Unit: Milliseconds,
		Doc: "Longest session timeout that a member of a classic group may ask for.",
	}}
	GroupInitialRebalanceDelayMs = BrokerInt{&Row{
		Name: "group.initial.rebalance.delay.ms", Type: Int, Default: "3000", Importance: Medium, Unit: Milliseconds,
		Doc: "Time for which a new classic group waits for further members before its first rebalance.",
	}}
	GroupMaxSize = BrokerInt{&Row{
		Name: "group.max.size", Type: Int, Default: "2147483647", Valid: atLeast(1), Importance: Medium,
		Doc: "Number of members that a classic group may have.",
	}}
	GroupCoordinatorRebalanceProtocols = BrokerList{&Row{
		Name: "group.coordinator.rebalance.protocols", Type: List, Default: "classic,consumer,streams", Valid: distinct{of: oneOf{"consumer", "classic", "share", "streams"}}, Importance: Medium,
		Doc:    "Kinds of groups that are served: classic, consumer, streams, share.",
		Status: Later, Why: "share groups; all others are served as it says",
	}}
	GroupCoordinatorThreads = BrokerInt{&Row{
		Name: "group.coordinator.threads", Type: Int, Default: "4", Valid: atLeast(1),
		Doc:    "Number of threads of the group coordinator.",
		Status: NoEffect, Why: "each partition of the offsets topic decides on its own, without threads to count",
	}}
	GroupCoordinatorBackgroundThreads = BrokerInt{&Row{
		Name: "group.coordinator.background.threads", Type: Int, Default: "2", Valid: atLeast(1),
		Doc: "Number of groups whose regular expressions are matched with the topics at the same time.",
	}}
	GroupCoordinatorAppendLingerMs = BrokerInt{&Row{
		Name: "group.coordinator.append.linger.ms", Type: Int, Default: "-1", Valid: atLeast(-1), Importance: Medium, Unit: Milliseconds,
		Doc:    "Time for which the group coordinator gathers records before it writes them; -1 adapts it.",
		Status: NoEffect, Why: "commits that arrive together share one flush without waiting",
	}}
	GroupCoordinatorCachedBufferMaxBytes = BrokerInt{&Row{
		Name: "group.coordinator.cached.buffer.max.bytes", Type: Int, Default: "1048588", Valid: atLeast(524288), Importance: Medium, Update: ClusterWide, Unit: Bytes,
		Doc:    "Largest buffer that the group coordinator keeps for its next write.",
		Status: NoEffect, Why: "buffers come from a pool with size classes",
	}}
	GroupConsumerSessionTimeoutMs = BrokerInt{&Row{
		Name: "group.consumer.session.timeout.ms", Type: Int, Default: "45000", Valid: atLeast(1), Importance: Medium, Unit: Milliseconds,
		Doc: "Time without a heartbeat after which a member of a consumer group is removed.",
	}}
	GroupConsumerMinSessionTimeoutMs = BrokerInt{&Row{
		Name: "group.consumer.min.session.timeout.ms", Type: Int, Default: "45000", Valid: atLeast(1), Importance: Medium, Unit: Milliseconds,
		Doc: "Shortest session timeout that a consumer group may be given.",
	}}
	GroupConsumerMaxSessionTimeoutMs = BrokerInt{&Row{
		Name: "group.consumer.max.session.timeout.ms", Type: Int, Default: "60000", Valid: atLeast(1), Importance: Medium, Unit: Milliseconds,
		Doc: "Longest session timeout that a consumer group may be given.",
	}}
	GroupConsumerHeartbeatIntervalMs = BrokerInt{&Row{
		Name: "group.consumer.heartbeat.interval.ms", Type: Int, Default: "5000", Valid: atLeast(1), Importance: Medium, Unit: Milliseconds,
		Doc: "Interval at which members of a consumer group are told to send heartbeats.",
	}}
	GroupConsumerMinHeartbeatIntervalMs = BrokerInt{&Row{
		Name: "group.consumer.min.heartbeat.interval.ms", Type: Int, Default: "5000", Valid: atLeast(1), Importance: Medium, Unit: Milliseconds,
		Doc: "Shortest heartbeat interval that a consumer group may be given.",
	}}
	GroupConsumerMaxHeartbeatIntervalMs = BrokerInt{&Row{
		Name: "group.consumer.max.heartbeat.interval.ms", Type: Int, Default: "15000", Valid: atLeast(1), Importance: Medium, Unit: Milliseconds,
		Doc: "Longest heartbeat interval that a consumer group may be given.",
	}}
	GroupConsumerMaxSize = BrokerInt{&Row{
		Name: "group.consumer.max.size", Type: Int, Default: "2147483647", Valid: atLeast(1), Importance: Medium,
		Doc: "Number of members that a consumer group may have.",
	}}
	GroupConsumerAssignors = BrokerList{&Row{
		Name: "group.consumer.assignors", Type: List, Default: "uniform,range", Valid: distinct{}, Importance: Medium,
		Doc: "Server-side assignors of consumer groups, the default one first.",
	}}
	GroupConsumerMigrationPolicy = BrokerString{&Row{
		Name: "group.consumer.migration.policy", Type: String, Default: "bidirectional", Valid: oneOfFold{"DISABLED", "DOWNGRADE", "UPGRADE", "BIDIRECTIONAL"}, Importance: Medium,
		Doc: "Whether non-empty groups may change between the classic and the consumer protocol.",
	}}
	GroupConsumerAssignmentIntervalMs = BrokerInt{&Row{
		Name: "group.consumer.assignment.interval.ms", Type: Int, Default: "1000", Valid: atLeast(0), Importance: Medium, Update: ClusterWide, Unit: Milliseconds,
		Doc: "Shortest time between two new assignments of a consumer group.",
	}}
	GroupConsumerMinAssignmentIntervalMs = BrokerInt{&Row{
		Name: "group.consumer.min.assignment.interval.ms", Type: Int, Default: "0", Valid: atLeast(0), Importance: Medium, Unit: Milliseconds,
		Doc: "Shortest assignment interval that a consumer group may be given.",
	}}
	GroupConsumerMaxAssignmentIntervalMs = BrokerInt{&Row{
		Name: "group.consumer.max.assignment.interval.ms", Type: Int, Default: "15000", Valid: atLeast(0), Importance: Medium, Unit: Milliseconds,
		Doc: "Longest assignment interval that a consumer group may be given.",
	}}
	GroupConsumerRegexRefreshIntervalMs = BrokerInt{&Row{
		Name: "group.consumer.regex.refresh.interval.ms", Type: Int, Default: "600000", Valid: atLeast(10000), Importance: Medium, Internal: true, Unit: Milliseconds,
		Doc: "Interval at which subscriptions by regular expression are matched with the topics again.",
	}}
)

var groupRows = []*Row{
	GroupMinSessionTimeoutMs.Row, GroupMaxSessionTimeoutMs.Row, GroupInitialRebalanceDelayMs.Row, GroupMaxSize.Row,
	GroupCoordinatorRebalanceProtocols.Row, GroupCoordinatorThreads.Row, GroupCoordinatorBackgroundThreads.Row,
	GroupCoordinatorAppendLingerMs.Row, GroupCoordinatorCachedBufferMaxBytes.Row, GroupConsumerSessionTimeoutMs.Row,
	GroupConsumerMinSessionTimeoutMs.Row, GroupConsumerMaxSessionTimeoutMs.Row, GroupConsumerHeartbeatIntervalMs.Row,
	GroupConsumerMinHeartbeatIntervalMs.Row, GroupConsumerMaxHeartbeatIntervalMs.Row, GroupConsumerMaxSize.Row,
	GroupConsumerAssignors.Row, GroupConsumerMigrationPolicy.Row, GroupConsumerAssignmentIntervalMs.Row,
	GroupConsumerMinAssignmentIntervalMs.Row, GroupConsumerMaxAssignmentIntervalMs.Row,
	GroupConsumerRegexRefreshIntervalMs.Row,
}
