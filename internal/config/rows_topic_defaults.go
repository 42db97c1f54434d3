package config

// Rows: how topics are created and what they inherit.
var (
	AutoCreateTopicsEnable = BrokerBool{&Row{
		Name: "auto.create.topics.enable", Type: Boolean, Default: "true",
		Doc: "Whether a client's question for the metadata of an unknown topic creates it.",
	}}
	DeleteTopicEnable = BrokerBool{&Row{
		Name: "delete.topic.enable", Type: Boolean, Default: "true",
		Doc: "Whether topics can be deleted.",
	}}
	NumPartitions = BrokerInt{&Row{
		Name: "num.partitions", Type: Int, Default: "1", Valid: atLeast(1), Importance: Medium,
		Doc: "Number of partitions of a topic whose creator does not say.",
	}}
	DefaultReplicationFactor = BrokerInt{&Row{
		Name: "default.replication.factor", Type: Int, Default: "1", Importance: Medium,
		Doc: "Number of replicas of a topic whose creator does not say.",
	}}
	MinInsyncReplicas = BrokerInt{&Row{
		Name: "min.insync.replicas", Type: Int, Default: "1", Valid: atLeast(1), Update: ClusterWide,
		Doc: "Fewest replicas in sync, the leader included, that have a record on stable storage (with write.caching in their page cache) before acks=all is answered; with fewer in sync acks=all is refused, and a partition that has fewer replicas at all counts with those.",
	}}
	UncleanLeaderElectionEnable = BrokerBool{&Row{
		Name: "unclean.leader.election.enable", Type: Boolean, Default: "false", Update: ClusterWide,
		Doc:    "Whether a replica that is not in sync may become leader when no other is left, losing records.",
		Status: Later, Why: "several brokers",
	}}
	UncleanLeaderElectionIntervalMs = BrokerLong{&Row{
		Name: "unclean.leader.election.interval.ms", Type: Long, Default: "300000", Valid: atLeast(1), Importance: Medium, Internal: true, Unit: Milliseconds,
		Doc:    "Interval at which the controller looks for partitions without a leader that may get an unclean one.",
		Status: Later, Why: "several brokers",
	}}
	MessageMaxBytes = BrokerInt{&Row{
		Name: "message.max.bytes", Type: Int, Default: "1048588", Valid: atLeast(0), Update: ClusterWide, Unit: Bytes,
		Doc: "Largest record batch, after compression, that a topic accepts unless it says otherwise.",
	}}
	CompressionType = BrokerString{&Row{
		Name: "compression.type", Type: String, Default: "producer", Valid: oneOf{"uncompressed", "zstd", "lz4", "snappy", "gzip", "producer"}, Update: ClusterWide,
		Doc: "Compression that record batches get when they arrive; producer keeps what the producer chose.",
	}}
	CompressionGzipLevel = BrokerInt{&Row{
		Name: "compression.gzip.level", Type: Int, Default: "-1", Valid: rangeOr{1, 9, -1}, Importance: Medium, Update: ClusterWide,
		Doc: "Level of gzip compression, 1 to 9, or -1 for the library's own choice.",
	}}
	CompressionLz4Level = BrokerInt{&Row{
		Name: "compression.lz4.level", Type: Int, Default: "9", Valid: between(1, 17), Importance: Medium, Update: ClusterWide,
		Doc: "Level of lz4 compression, 1 to 17.",
	}}
	CompressionZstdLevel = BrokerInt{&Row{
		Name: "compression.zstd.level", Type: Int, Default: "3", Valid: between(-131072, 22), Importance: Medium, Update: ClusterWide,
		Doc: "Level of zstd compression, up to 22; negative levels are faster.",
	}}
)

var topicDefaultRows = []*Row{
	AutoCreateTopicsEnable.Row, DeleteTopicEnable.Row, NumPartitions.Row, DefaultReplicationFactor.Row,
	MinInsyncReplicas.Row, UncleanLeaderElectionEnable.Row, UncleanLeaderElectionIntervalMs.Row, MessageMaxBytes.Row,
	CompressionType.Row, CompressionGzipLevel.Row, CompressionLz4Level.Row, CompressionZstdLevel.Row,
}
