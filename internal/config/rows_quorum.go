package config

// Rows: the controllers and how they elect a leader.
var (
	ControllerListenerNames = BrokerList{&Row{
		Name: "controller.listener.names", Type: List, Null: true, Valid: distinct{},
		Doc: "Names of the listeners on which controllers talk; brokers use the first one.",
	}}
	ControllerQuorumVoters = BrokerList{&Row{
		Name: "controller.quorum.voters", Type: List, Valid: voterList{},
		Doc: "Controllers of the quorum, as id@host:port.",
	}}
	ControllerQuorumBootstrapServers = BrokerList{&Row{
		Name: "controller.quorum.bootstrap.servers", Type: List, Valid: addressList{},
		Doc: "Addresses at which the controllers of the quorum are found.",
	}}
	ControllerQuorumAutoJoinEnable = BrokerBool{&Row{
		Name: "controller.quorum.auto.join.enable", Type: Boolean, Default: "false", Importance: Low,
		Doc: "Whether a controller joins the quorum by itself.",
	}}
	ControllerQuorumElectionTimeoutMs = BrokerInt{&Row{
		Name: "controller.quorum.election.timeout.ms", Type: Int, Default: "1000", Valid: atLeast(0), Unit: Milliseconds,
		Doc:    "Time without a leader after which a controller calls an election.",
		Status: NoEffect, Why: "an election is called after controller.quorum.fetch.timeout.ms, or at once when the leader's process is seen to be gone",
	}}
	ControllerQuorumElectionBackoffMaxMs = BrokerInt{&Row{
		Name: "controller.quorum.election.backoff.max.ms", Type: Int, Default: "1000", Valid: atLeast(0), Unit: Milliseconds,
		Doc:    "Longest pause before an undecided election is repeated.",
		Status: NoEffect, Why: "an undecided election is repeated after a random part of controller.quorum.fetch.timeout.ms",
	}}
	ControllerQuorumFetchTimeoutMs = BrokerInt{&Row{
		Name: "controller.quorum.fetch.timeout.ms", Type: Int, Default: "1000", Valid: atLeast(0), Unit: Milliseconds,
		Doc: "Time without an answer from the leader after which a controller calls an election (Kafka: 2 s).",
	}}
	ControllerQuorumRequestTimeoutMs = BrokerInt{&Row{
		Name: "controller.quorum.request.timeout.ms", Type: Int, Default: "2000", Valid: atLeast(0), Importance: Medium, Unit: Milliseconds,
		Doc: "Time after which a request to another controller counts as lost, and a change of the voters.",
	}}
	ControllerQuorumRetryBackoffMs = BrokerInt{&Row{
		Name: "controller.quorum.retry.backoff.ms", Type: Int, Default: "20", Valid: atLeast(0), Importance: Low, Unit: Milliseconds,
		Doc:    "Pause before a failed request to another controller is repeated.",
		Status: NoEffect, Why: "a connection that broke is made again after 10 ms, and later pauses grow to 500 ms",
	}}
	ControllerQuorumAppendLingerMs = BrokerInt{&Row{
		Name: "controller.quorum.append.linger.ms", Type: Int, Default: "25", Valid: atLeast(0), Importance: Medium, Unit: Milliseconds,
		Doc:    "Time for which the leader of the quorum gathers records before it flushes them.",
		Status: NoEffect, Why: "records that arrive together share one flush without waiting",
	}}
	ControllerQuorumFetchMaxBytes = BrokerInt{&Row{
		Name: "controller.quorum.fetch.max.bytes", Type: Int, Default: "1048576", Valid: atLeast(1), Importance: Low, Unit: Bytes,
		Doc: "Bytes of metadata records that a controller or broker asks for at once.",
	}}
	ControllerQuorumFetchSnapshotMaxBytes = BrokerInt{&Row{
		Name: "controller.quorum.fetch.snapshot.max.bytes", Type: Int, Default: "1048576", Valid: atLeast(1), Importance: Low, Unit: Bytes,
		Doc: "Bytes of a metadata snapshot that a controller or broker asks for at once.",
	}}
	ControllerPerformanceSamplePeriodMs = BrokerLong{&Row{
		Name: "controller.performance.sample.period.ms", Type: Long, Default: "60000", Valid: atLeast(100), Importance: Medium, Internal: true, Unit: Milliseconds,
		Doc:    "Interval at which Kafka's controller logs how busy it is.",
		Status: NoEffect, Why: "the controller's work is in the metrics",
	}}
	ControllerPerformanceAlwaysLogThresholdMs = BrokerLong{&Row{
		Name: "controller.performance.always.log.threshold.ms", Type: Long, Default: "2000", Valid: atLeast(0), Importance: Medium, Internal: true, Unit: Milliseconds,
		Doc:    "Time above which Kafka's controller logs a single event.",
		Status: NoEffect, Why: "the controller's work is in the metrics",
	}}
)

var quorumRows = []*Row{
	ControllerListenerNames.Row, ControllerQuorumVoters.Row, ControllerQuorumBootstrapServers.Row,
	ControllerQuorumAutoJoinEnable.Row, ControllerQuorumElectionTimeoutMs.Row, ControllerQuorumElectionBackoffMaxMs.Row,
	ControllerQuorumFetchTimeoutMs.Row, ControllerQuorumRequestTimeoutMs.Row, ControllerQuorumRetryBackoffMs.Row,
	ControllerQuorumAppendLingerMs.Row, ControllerQuorumFetchMaxBytes.Row, ControllerQuorumFetchSnapshotMaxBytes.Row,
	ControllerPerformanceSamplePeriodMs.Row, ControllerPerformanceAlwaysLogThresholdMs.Row,
}
