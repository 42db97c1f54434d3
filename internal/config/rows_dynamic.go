package config

// Rows: broker settings that only the Admin API can set.
var (
	LeaderReplicationThrottledRate = BrokerLong{&Row{
		Name: "leader.replication.throttled.rate", Type: Long, Default: "9223372036854775807", Valid: atLeast(0), Importance: Medium, Update: ClusterWide, Unit: BytesPerSecond,
		Doc: "Bytes per second that throttled replicas may fetch from this broker.",
	}}
	FollowerReplicationThrottledRate = BrokerLong{&Row{
		Name: "follower.replication.throttled.rate", Type: Long, Default: "9223372036854775807", Valid: atLeast(0), Importance: Medium, Update: ClusterWide, Unit: BytesPerSecond,
		Doc: "Bytes per second that this broker may fetch for throttled replicas.",
	}}
	ReplicaAlterLogDirsIOMaxBytesPerSecond = BrokerLong{&Row{
		Name: "replica.alter.log.dirs.io.max.bytes.per.second", Type: Long, Default: "9223372036854775807", Valid: atLeast(0), Importance: Medium, Update: ClusterWide, Unit: BytesPerSecond,
		Doc: "Bytes per second at which replicas may move between log directories of this broker.",
	}}
)

var dynamicOnlyRows = []*Row{
	LeaderReplicationThrottledRate.Row, FollowerReplicationThrottledRate.Row,
	ReplicaAlterLogDirsIOMaxBytesPerSecond.Row,
}
