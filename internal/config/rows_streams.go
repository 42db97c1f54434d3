package config

// Rows: groups of Kafka Streams applications.
var (
	GroupStreamsSessionTimeoutMs = BrokerInt{&Row{
		Name: "group.streams.session.timeout.ms", Type: Int, Default: "45000", Valid: atLeast(1), Importance: Medium, Unit: Milliseconds,
		Doc: "Time without a heartbeat after which a member of a streams group is removed.",
	}}
	GroupStreamsMinSessionTimeoutMs = BrokerInt{&Row{
		Name: "group.streams.min.session.timeout.ms", Type: Int, Default: "45000", Valid: atLeast(1), Importance: Medium, Unit: Milliseconds,
		Doc: "Shortest session timeout that a streams group may be given.",
	}}
	GroupStreamsMaxSessionTimeoutMs = BrokerInt{&Row{
		Name: "group.streams.max.session.timeout.ms", Type: Int, Default: "60000", Valid: atLeast(1), Importance: Medium, Unit: Milliseconds,
		Doc: "Longest session timeout that a streams group may be given.",
	}}
	GroupStreamsHeartbeatIntervalMs = BrokerInt{&Row{
		Name: "group.streams.heartbeat.interval.ms", Type: Int, Default: "5000", Valid: atLeast(1), Importance: Medium, Unit: Milliseconds,
		Doc: "Interval at which members of a streams group are told to send heartbeats.",
	}}
	GroupStreamsMinHeartbeatIntervalMs = BrokerInt{&Row{
		Name: "group.streams.min.heartbeat.interval.ms", Type: Int, Default: "5000", Valid: atLeast(1), Importance: Medium, Unit: Milliseconds,
		Doc: "Shortest heartbeat interval that a streams group may be given.",
	}}
	GroupStreamsMaxHeartbeatIntervalMs = BrokerInt{&Row{
		Name: "group.streams.max.heartbeat.interval.ms", Type: Int, Default: "15000", Valid: atLeast(1), Importance: Medium, Unit: Milliseconds,
		Doc: "Longest heartbeat interval that a streams group may be given.",
	}}
	GroupStreamsMaxSize = BrokerInt{&Row{
		Name: "group.streams.max.size", Type: Int, Default: "2147483647", Valid: atLeast(1), Importance: Medium,
		Doc: "Number of members that a streams group may have.",
	}}
	GroupStreamsNumStandbyReplicas = BrokerInt{&Row{
		Name: "group.streams.num.standby.replicas", Type: Int, Default: "0", Valid: atLeast(0), Importance: Medium,
		Doc: "Number of standby copies of each task.",
	}}
	GroupStreamsMaxStandbyReplicas = BrokerInt{&Row{
		Name: "group.streams.max.standby.replicas", Type: Int, Default: "2", Valid: atLeast(0), Importance: Medium,
		Doc: "Largest number of standby copies that a streams group may be given.",
	}}
	GroupStreamsInitialRebalanceDelayMs = BrokerInt{&Row{
		Name: "group.streams.initial.rebalance.delay.ms", Type: Int, Default: "3000", Valid: atLeast(0), Importance: Medium, Unit: Milliseconds,
		Doc: "Time for which a new streams group waits for further members before its first assignment.",
	}}
	GroupStreamsAssignmentIntervalMs = BrokerInt{&Row{
		Name: "group.streams.assignment.interval.ms", Type: Int, Default: "1000", Valid: atLeast(0), Importance: Medium, Update: ClusterWide, Unit: Milliseconds,
		Doc: "Shortest time between two new assignments of a streams group.",
	}}
	GroupStreamsMinAssignmentIntervalMs = BrokerInt{&Row{
		Name: "group.streams.min.assignment.interval.ms", Type: Int, Default: "0", Valid: atLeast(0), Importance: Medium, Unit: Milliseconds,
		Doc: "Shortest assignment interval that a streams group may be given.",
	}}
	GroupStreamsMaxAssignmentIntervalMs = BrokerInt{&Row{
		Name: "group.streams.max.assignment.interval.ms", Type: Int, Default: "15000", Valid: atLeast(0), Importance: Medium, Unit: Milliseconds,
		Doc: "Longest assignment interval that a streams group may be given.",
	}}
)

var streamsRows = []*Row{
	GroupStreamsSessionTimeoutMs.Row, GroupStreamsMinSessionTimeoutMs.Row, GroupStreamsMaxSessionTimeoutMs.Row,
	GroupStreamsHeartbeatIntervalMs.Row, GroupStreamsMinHeartbeatIntervalMs.Row, GroupStreamsMaxHeartbeatIntervalMs.Row,
	GroupStreamsMaxSize.Row, GroupStreamsNumStandbyReplicas.Row, GroupStreamsMaxStandbyReplicas.Row,
	GroupStreamsInitialRebalanceDelayMs.Row, GroupStreamsAssignmentIntervalMs.Row,
	GroupStreamsMinAssignmentIntervalMs.Row, GroupStreamsMaxAssignmentIntervalMs.Row,
}
