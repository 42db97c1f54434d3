package config

// Rows: copies of partitions on several brokers.
var (
	ReplicaLagTimeMaxMs = BrokerLong{&Row{
		Name: "replica.lag.time.max.ms", Type: Long, Default: "30000", Unit: Milliseconds,
		Doc: "Time for which a follower may lag behind before it leaves the replicas in sync.",
	}}
	ReplicaSocketTimeoutMs = BrokerInt{&Row{
		Name: "replica.socket.timeout.ms", Type: Int, Default: "30000", Unit: Milliseconds,
		Doc: "Time after which a follower's request to the leader counts as lost.",
	}}
	ReplicaSocketReceiveBufferBytes = BrokerInt{&Row{
		Name: "replica.socket.receive.buffer.bytes", Type: Int, Default: "65536", Unit: Bytes,
		Doc:    "Receive buffer of a follower's connection to the leader.",
		Status: Later, Why: "several brokers",
	}}
	ReplicaFetchMaxBytes = BrokerInt{&Row{
		Name: "replica.fetch.max.bytes", Type: Int, Default: "1048576", Valid: atLeast(0), Importance: Medium, Unit: Bytes,
		Doc: "Bytes that a follower asks for from each partition; a larger first batch comes whole.",
	}}
	ReplicaFetchMinBytes = BrokerInt{&Row{
		Name: "replica.fetch.min.bytes", Type: Int, Default: "1", Unit: Bytes,
		Doc: "Bytes that must be there before the leader answers a follower.",
	}}
	ReplicaFetchWaitMaxMs = BrokerInt{&Row{
		Name: "replica.fetch.wait.max.ms", Type: Int, Default: "500", Unit: Milliseconds,
		Doc: "Longest time that the leader holds back a follower's fetch request.",
	}}
	ReplicaFetchBackoffMs = BrokerInt{&Row{
		Name: "replica.fetch.backoff.ms", Type: Int, Default: "1000", Valid: atLeast(0), Importance: Medium, Unit: Milliseconds,
		Doc: "Pause of a follower after a failed fetch.",
	}}
	ReplicaFetchResponseMaxBytes = BrokerInt{&Row{
		Name: "replica.fetch.response.max.bytes", Type: Int, Default: "10485760", Valid: atLeast(0), Importance: Medium, Unit: Bytes,
		Doc: "Bytes that a follower asks for in one fetch over all partitions.",
	}}
	ReplicaHighWatermarkCheckpointIntervalMs = BrokerLong{&Row{
		Name: "replica.high.watermark.checkpoint.interval.ms", Type: Long, Default: "5000", Unit: Milliseconds,
		Doc: "Interval at which high watermarks are written to their checkpoint.",
	}}
	ReplicaSelectorClass = BrokerString{&Row{
		Name: "replica.selector.class", Type: String, Null: true, Importance: Medium,
		Doc: "How consumers are sent to a nearer replica than the leader: org.apache.kafka.common.replica.RackAwareReplicaSelector looks at racks; null and LeaderSelector stand for the leader.",
	}}
	NumReplicaFetchers = BrokerInt{&Row{
		Name: "num.replica.fetchers", Type: Int, Default: "1", Valid: atLeast(1), Update: ClusterWide,
		Doc: "Number of connections over which a broker fetches from each other broker.",
	}}
	ControllerSocketTimeoutMs = BrokerInt{&Row{
		Name: "controller.socket.timeout.ms", Type: Int, Default: "30000", Importance: Medium, Unit: Milliseconds,
		Doc:    "Time after which a request from the controller to a broker counts as lost.",
		Status: Later, Why: "several brokers",
	}}
	FollowerFetchLastTieredOffsetEnable = BrokerBool{&Row{
		Name: "follower.fetch.last.tiered.offset.enable", Type: Boolean, Default: "false", Importance: Medium, Update: ClusterWide,
		Doc:    "Whether a new follower begins after what is already in remote storage.",
		Status: Later, Why: "tiered storage",
	}}
)

var replicationRows = []*Row{
	ReplicaLagTimeMaxMs.Row, ReplicaSocketTimeoutMs.Row, ReplicaSocketReceiveBufferBytes.Row, ReplicaFetchMaxBytes.Row,
	ReplicaFetchMinBytes.Row, ReplicaFetchWaitMaxMs.Row, ReplicaFetchBackoffMs.Row, ReplicaFetchResponseMaxBytes.Row,
	ReplicaHighWatermarkCheckpointIntervalMs.Row, ReplicaSelectorClass.Row, NumReplicaFetchers.Row,
	ControllerSocketTimeoutMs.Row, FollowerFetchLastTieredOffsetEnable.Row,
}
