package config

// Rows: who this node is and which roles it plays.
var (
	BrokerID = BrokerInt{&Row{
		Name: "broker.id", Type: Int, Default: "-1",
		Doc: "Number of this broker in the cluster, an older name of node.id; -1 means that node.id decides.",
	}}
	NodeID = BrokerInt{&Row{
		Name: "node.id", Type: Int, Default: "1", Required: true, Valid: atLeast(0),
		Doc: "Number of this node, unique in the cluster, whatever roles it plays.",
	}}
	ProcessRoles = BrokerList{&Row{
		Name: "process.roles", Type: List, Default: "broker,controller", Required: true, Valid: distinct{of: oneOf{"broker", "controller"}},
		Doc: "Roles of this process: broker, controller, or both.",
	}}
	BrokerRack = BrokerString{&Row{
		Name: "broker.rack", Type: String, Null: true, Importance: Medium,
		Doc: "Name of the rack or availability zone in which this broker stands; replicas are spread over racks.",
	}}
	BrokerHeartbeatIntervalMs = BrokerInt{&Row{
		Name: "broker.heartbeat.interval.ms", Type: Int, Default: "500", Importance: Medium, Unit: Milliseconds,
		Doc: "Interval at which a broker tells the controller that it is alive (Kafka: 2 s).",
	}}
	BrokerSessionTimeoutMs = BrokerInt{&Row{
		Name: "broker.session.timeout.ms", Type: Int, Default: "2500", Importance: Medium, Unit: Milliseconds,
		Doc: "Time without a heartbeat after which the controller fences a broker (Kafka: 9 s).",
	}}
	InitialBrokerRegistrationTimeoutMs = BrokerInt{&Row{
		Name: "initial.broker.registration.timeout.ms", Type: Int, Default: "60000", Importance: Medium, Unit: Milliseconds,
		Doc: "Time within which a starting broker must be registered with the controller before it gives up.",
	}}
	ControlledShutdownEnable = BrokerBool{&Row{
		Name: "controlled.shutdown.enable", Type: Boolean, Default: "true", Importance: Medium,
		Doc: "Whether a broker that stops first hands its partitions over to other brokers.",
	}}
	ServerMaxStartupTimeMs = BrokerLong{&Row{
		Name: "server.max.startup.time.ms", Type: Long, Default: "9223372036854775807", Valid: atLeast(0), Importance: Medium, Internal: true, Unit: Milliseconds,
		Doc:    "Longest time that a start may take.",
		Status: NoEffect, Why: "a start that takes long is reported as it goes on, not aborted",
	}}
	UnstableApiVersionsEnable = BrokerBool{&Row{
		Name: "unstable.api.versions.enable", Type: Boolean, Default: "false", Internal: true,
		Doc: "Whether request versions that Kafka 4.3 calls unstable are served: InitProducerId 6.",
	}}
	UnstableFeatureVersionsEnable = BrokerBool{&Row{
		Name: "unstable.feature.versions.enable", Type: Boolean, Default: "false", Internal: true,
		Doc:    "Whether feature levels that are still being developed may be used.",
		Status: NoEffect, Why: "only finished feature levels exist",
	}}
	AutoLeaderRebalanceEnable = BrokerBool{&Row{
		Name: "auto.leader.rebalance.enable", Type: Boolean, Default: "true",
		Doc: "Whether the controller gives partitions back to their preferred leaders from time to time.",
	}}
	LeaderImbalanceCheckIntervalSeconds = BrokerLong{&Row{
		Name: "leader.imbalance.check.interval.seconds", Type: Long, Default: "300", Valid: atLeast(1), Unit: Seconds,
		Doc: "Interval at which the controller looks for partitions that are not led by their preferred replica.",
	}}
	RequestTimeoutMs = BrokerInt{&Row{
		Name: "request.timeout.ms", Type: Int, Default: "30000", Unit: Milliseconds,
		Doc: "Time after which a request from this broker to another one counts as lost.",
	}}
)

var identityRows = []*Row{
	BrokerID.Row, NodeID.Row, ProcessRoles.Row, BrokerRack.Row, BrokerHeartbeatIntervalMs.Row,
	BrokerSessionTimeoutMs.Row, InitialBrokerRegistrationTimeoutMs.Row, ControlledShutdownEnable.Row,
	ServerMaxStartupTimeMs.Row, UnstableApiVersionsEnable.Row, UnstableFeatureVersionsEnable.Row,
	AutoLeaderRebalanceEnable.Row, LeaderImbalanceCheckIntervalSeconds.Row, RequestTimeoutMs.Row,
}
