package differential

import "strings"

// An Allowance is a difference that is meant, with the reason. API, Scenario (file/name), Path, Kafka and Ottla are
// patterns: * stands for anything, an empty one fits everything.
type Allowance struct {
	API, Scenario, Path string
	Kafka, Ottla        string
	Why                 string
	Seldom              bool // shows only in some runs
}

// byChance reports whether the difference shows only in some runs: the order of a hash map keyed by random ids is sometimes
// the right one.
func (a Allowance) byChance() bool { return a.Seldom || strings.HasSuffix(a.Path, ".order") }

func (a Allowance) fits(d Difference) bool {
	return like(a.API, d.API) && like(a.Scenario, d.Scenario) && like(a.Path, d.Path) && like(a.Kafka, d.Kafka) && like(a.Ottla, d.Ottla)
}

// generic is Kafka's text for INVALID_REQUEST where it has nothing to say.
const generic = `"This most likely occurs because of a request being malformed by the client library or *`

const (
	mapOrder  = "Kafka answers in the order of a hash map; Ottla in the order of the request, or sorted."
	saysMore  = "Kafka has no text, or a general one; Ottla says what is wrong."
	crashed   = "Kafka meets an exception it does not expect and answers UNKNOWN_SERVER_ERROR; Ottla names the error."
	silent    = "Kafka's request handler dies of an exception and never answers; Ottla does."
	duplicate = "Kafka keeps one of two equal entries of a request; Ottla answers each."
	later     = "The APIs of transactions, new groups, share groups, security, quotas and the quorum come with later issues."
	syncAcks  = "write.caching is Ottla's own setting: acks before the bytes are on stable storage."
)

// Allowed are all differences between Kafka's answers and ours that are meant.
var Allowed = []Allowance{
	{API: "*RaftVoter", Path: "ErrorMessage", Kafka: `"The given id \"another\" doesn't match the cluster id*`, Ottla: `"The given id \"another\" doesn't match the cluster id*`, Why: "Each cluster has an id of its own."},
	// Order.
	{API: "Produce", Path: "Responses*.order", Why: mapOrder},
	{API: "Fetch", Path: "Responses*.Partitions.order", Why: "Kafka puts partitions in error behind the others, and a session's partitions that had records last behind those that had none; Ottla keeps the order of the request."},
	{API: "ListOffsets", Path: "Topics*.Partitions.order", Why: mapOrder},
	{API: "Metadata", Path: "Topics.order", Why: mapOrder},
	{API: "OffsetFetch", Path: "*Topics.order", Why: mapOrder},
	{API: "DescribeGroups", Path: "Groups.order", Why: mapOrder},
	{API: "DescribeGroups", Path: "Groups*.Members.order", Why: mapOrder},
	{API: "JoinGroup", Path: "Members.order", Why: mapOrder},
	{API: "ListGroups", Path: "Groups.order", Why: mapOrder},
	{API: "ConsumerGroupDescribe", Path: "Groups*.order", Why: mapOrder},
	{API: "StreamsGroupDescribe", Path: "Groups*.order", Why: mapOrder},
	{API: "StreamsGroupHeartbeat", Path: "PartitionsByUserEndpoint.order", Why: mapOrder},
	{API: "StreamsGroupHeartbeat", Path: "Status*.StatusDetail", Kafka: `"Internal topics are missing: *, *`, Ottla: `"Internal topics are missing: *, *`, Why: mapOrder},
	{API: "CreateTopics", Path: "Topics.order", Why: mapOrder},
	{API: "DeleteTopics", Path: "Responses.order", Why: mapOrder},
	{API: "DescribeConfigs", Path: "Results*.Configs.order", Why: mapOrder},
	{API: "AlterReplicaLogDirs", Path: "Results*.order", Why: mapOrder},
	{API: "DescribeLogDirs", Path: "Results*.order", Why: mapOrder},
	{API: "ListConfigResources", Path: "ConfigResources.order", Why: mapOrder},
	{API: "ApiVersions", Path: "*Features.order", Why: mapOrder},
	{API: "AddPartitionsToTxn", Path: "Results*.order", Why: mapOrder},
	{API: "DescribeTransactions", Path: "TransactionStates*.Topics.order", Why: mapOrder},
	{API: "DescribeTransactions", Path: "TransactionStates*.Partitions", Why: mapOrder},
	{API: "ListTransactions", Path: "TransactionStates.order", Why: mapOrder},
	{API: "WriteTxnMarkers", Path: "Markers*.order", Why: mapOrder},

	// Own settings and place.
	{API: "CreateTopics", Path: "Topics*.Configs[write.caching]", Why: syncAcks},
	{API: "CreateTopics", Path: "Topics*.Configs.count", Kafka: "33", Ottla: "34", Why: syncAcks},
	{API: "CreateTopics", Path: "Topics*.Configs.order", Ottla: "*write.caching", Why: syncAcks},
	{API: "DescribeConfigs", Path: "Results*.Configs[write.caching*]", Why: syncAcks},
	{API: "DescribeConfigs", Path: "Results[2 *].Configs.count", Kafka: "33", Ottla: "34", Why: syncAcks},
	{API: "DescribeConfigs", Path: "Results[4 1].Configs[http.address]", Why: "The address of health, readiness and metrics is Ottla's own setting."},
	{API: "DescribeConfigs", Path: "Results[4 1].Configs[redo.journal.bytes]", Why: "Kafka has no redo journal."},
	{API: "DescribeConfigs", Path: "Results[4 1].Configs.count", Kafka: "341", Ottla: "345", Why: "http.address, log.dir.reserve.bytes, redo.journal.bytes and write.caching.default are Ottla's own settings."},
	{API: "DescribeConfigs", Path: "Results[4 1].Configs[broker.heartbeat.interval.ms]*", Why: "A broker that falls silent is noticed within 3 s: heartbeats cost nothing."},
	{API: "DescribeConfigs", Path: "Results[4 1].Configs[broker.session.timeout.ms]*", Why: "A broker that falls silent is noticed within 3 s."},
	{API: "DescribeConfigs", Path: "Results[4 1].Configs[log.dir*", Why: "Every broker has its own directory; Ottla's default is ./data."},
	{API: "DescribeConfigs", Path: "Results[4 1].Configs[*listener*", Why: "Real Kafka needs a listener for its controller and names for both; Ottla's one process needs neither, and listens on loopback by default."},
	{API: "DescribeConfigs", Path: "Results[4 1].Configs[controller.*", Why: "Real Kafka needs to be told its quorum even on one node; Ottla does not."},
	{API: "DescribeConfigs", Path: "Results[4 1].Configs[*].Synonyms[*'].Value", Ottla: `"1"`, Why: "Internal topics have one replica by default in Ottla: a single node works without being told."},
	{API: "DescribeConfigs", Path: "*.Documentation", Why: "Ottla's documentation of settings is its own text."},

	// Not there yet.
	{API: "ApiVersions", Path: "ApiKeys[*]", Ottla: absent, Why: later},
	{API: "ApiVersions", Path: "ApiKeys.count", Why: later},
	{API: "ApiVersions", Path: "ApiKeys.order", Why: later},
	{API: "FindCoordinator", Scenario: "find_coordinator/share keys", Path: "*ErrorMessage", Why: "There are no share groups yet; the text says so."},

	// Better texts.
	{API: "Produce", Path: "Responses*.ErrorMessage", Kafka: "null", Why: saysMore},
	{API: "Produce", Path: "Responses*.ErrorMessage", Kafka: `"Invalid magic found in record: *`, Why: saysMore},
	{API: "Produce", Path: "Responses*.ErrorMessage", Kafka: `"Record size -2 is less than *`, Why: saysMore},
	{API: "FindCoordinator", Path: "*ErrorMessage", Kafka: generic, Why: saysMore},
	{API: "DescribeProducers", Path: "Topics*.ErrorMessage", Kafka: "null", Why: saysMore},
	{API: "DescribeConfigs", Path: "Results*.ErrorMessage", Kafka: generic, Why: saysMore},
	{API: "DescribeConfigs", Path: "Results[2 *-none].ErrorMessage", Kafka: `""`, Why: saysMore},
	{API: "AlterConfigs", Path: "Responses[8 1].ErrorMessage", Why: "Kafka calls the resource type unknown, which it is not; Ottla says which API changes log levels."},

	// Better than what Kafka does.
	{API: "Metadata", Scenario: "metadata/topics are created on the way", Path: "Topics[md*", Kafka: "UNKNOWN_TOPIC_OR_PARTITION", Ottla: "NONE", Why: "Kafka answers while the topic is being created; Ottla once it is there, which spares the client a round."},
	{API: "Metadata", Scenario: "metadata/topics are created on the way", Path: "Topics[md*].TopicID", Kafka: "none", Why: "As above."},
	{API: "Metadata", Scenario: "metadata/topics are created on the way", Path: "Topics[md*].Partitions*", Why: "As above."},
	{API: "Metadata", Scenario: "metadata/topics are created on the way", Path: "Topics[mdc_x].ErrorCode", Ottla: "INVALID_TOPIC_EXCEPTION", Why: "The name collides with mdc.x: Kafka says unknown for ever, Ottla says that the name cannot be."},
	{API: "Produce", Scenario: "produce/codecs", Path: "Responses*.ErrorCode", Kafka: "UNKNOWN_SERVER_ERROR", Why: crashed},
	{API: "ListOffsets", Scenario: "list_offsets/unknown isolation level", Path: "Topics*", Kafka: "UNKNOWN_SERVER_ERROR", Ottla: "NONE", Why: "An unknown isolation level is read as read_uncommitted."},
	{API: "ListOffsets", Scenario: "list_offsets/unknown isolation level", Path: "Topics[loi].Partitions[0].*", Kafka: "-1", Ottla: "0", Why: "As above."},
	{API: "Fetch", Scenario: "fetch/unknown isolation level", Why: "Kafka answers UNKNOWN_SERVER_ERROR, Ottla reads it as read_uncommitted."},
	{API: "DescribeTopicPartitions", Scenario: "describe_topic_partitions/an empty name among others", Why: "One empty name makes Kafka answer UNKNOWN_SERVER_ERROR for every topic; Ottla answers each for itself."},
	{API: "DescribeConfigs", Scenario: "describe_configs/unknown types", Path: "Results[2 dc-none].*", Why: "One unknown type makes Kafka refuse every resource; Ottla answers each for itself."},
	{API: "IncrementalAlterConfigs", Scenario: "incremental_alter_configs/bad values", Path: "Responses[2 iab].Error*", Ottla: "*", Kafka: "UNKNOWN_SERVER_ERROR", Why: crashed},
	{API: "IncrementalAlterConfigs", Scenario: "incremental_alter_configs/bad values", Path: "Responses[2 iab].ErrorMessage", Kafka: "null", Ottla: `"Unknown operations type *`, Why: crashed},
	{API: "Produce", Scenario: "produce/null records", Path: "the outcome", Kafka: "no answer*", Why: silent},
	{API: "AlterConfigs", Scenario: "alter_configs/bad values", Path: "the outcome", Kafka: "no answer*", Why: silent},
	{API: "AddPartitionsToTxn", Scenario: "add_partitions_to_txn/no transactions at all", Path: "the outcome", Kafka: "no answer*", Why: "Kafka answers with its last transaction's result, so never if there is none."},
	{API: "WriteTxnMarkers", Scenario: "write_txn_markers/epochs of markers", Path: "Markers*.ErrorCode", Kafka: "UNKNOWN_SERVER_ERROR", Ottla: "INVALID_PRODUCER_EPOCH", Why: crashed},
	{API: "Fetch", Path: "Responses*.Records.Rest", Ottla: `""`, Why: "Kafka may cut the last batch of an answer off; clients drop such a rest, and Ottla does not send it."},

	{API: "Metadata", Scenario: "metadata/neither name nor id", Why: "A topic with neither name nor id makes Kafka answer UNKNOWN_SERVER_ERROR and nothing else; Ottla refuses that topic."},
	{API: "OffsetForLeaderEpoch", Path: "Topics[ole].Partitions[0].*", Kafka: "-5", Ottla: "-1", Why: "No epoch is negative: to Kafka -5 is one that ended at offset 0, to Ottla it is undefined, as -1 is."},
	{API: "OffsetForLeaderEpoch", Path: "Topics[ole].Partitions[0].EndOffset", Kafka: "0", Ottla: "-1", Why: "As above."},
	{API: "Produce", Path: "Responses*.LogStartOffset", Kafka: "0", Ottla: "-1", Why: "Kafka tells the log's start with some refusals and not with others; no client reads it, Ottla never does."},
	{API: "Produce", Scenario: "idempotent_producer/*", Path: "Responses*.LogAppendTimeMs", Kafka: "<now>", Ottla: "-1", Why: "On topics with CreateTime Kafka answers a duplicate with the batch's largest timestamp as if the log had stamped it, and clients show that in place of each record's own; Ottla answers -1, as the first time."},
	{API: "Produce", Scenario: "produce/every version", Path: "Responses*", Kafka: absent, Why: "Kafka leaves a topic without partitions out of the answer; Ottla repeats it."},
	{API: "Produce", Scenario: "produce/every version", Path: "Responses.count", Kafka: "0", Ottla: "1", Why: "As above."},
	{API: "ListOffsets", Scenario: "transactions/readers *", Path: "Topics[tw].Partitions[0].Offset", Kafka: "2", Ottla: "3", Why: "After DeleteRecords within an open transaction Kafka's last stable offset is below the log's start until something is appended; Ottla's never is."},
	{API: "Fetch", Scenario: "transactions/readers *", Path: "Responses*.LastStableOffset", Kafka: "2", Ottla: "3", Why: "As above."},

	// Twice in one request.
	{API: "Produce", Scenario: "produce/the same partition twice", Why: duplicate},
	{API: "ListOffsets", Scenario: "produce/the same partition twice", Path: "*.Offset", Why: "After that."},
	{API: "Fetch", Scenario: "fetch/the same partition twice", Path: "Responses[fed].Partitions*", Why: duplicate},
	{API: "ListOffsets", Scenario: "list_offsets/the same partition twice", Path: "Topics[lob2].Partitions*", Why: duplicate},
}

// AllowedOfClusters are the differences that are meant between clusters of three, besides those of single brokers.
var AllowedOfClusters = []Allowance{
	{API: "ConsumerGroupHeartbeat", Path: "ErrorMessage", Kafka: "null", Ottla: `"REQUEST_TIMED_OUT: *`, Why: saysMore},
	{API: "DescribeCluster", Path: "ControllerID", Why: anyBroker, Seldom: true},
	{API: "Metadata", Path: "ControllerID", Why: anyBroker, Seldom: true},
	{API: "DescribeQuorum", Path: "Topics*.LeaderID", Why: elected, Seldom: true},
	{API: "DescribeQuorum", Path: "Topics*.LeaderEpoch", Why: elected, Seldom: true},
	{API: "DescribeQuorum", Path: "Topics*.HighWatermark", Why: ownLog},
	{API: "DescribeQuorum", Path: "Topics*.LogEndOffset", Why: ownLog},
	{API: "DescribeQuorum", Path: "Topics*.Voters*Timestamp", Why: ownLog, Seldom: true},
	{API: "DescribeQuorum", Path: "Nodes*.Port", Why: "Each cluster has ports of its own."},
	{API: "FindCoordinator", Path: "*NodeID", Why: spread, Seldom: true},
	{API: "FindCoordinator", Path: "*Port", Why: spread, Seldom: true},
	{API: "AddPartitionsToTxn", Scenario: "12_elsewhere/markers and brokers that do not belong", Path: "ResultsByTransaction*.PartitionErrorCode", Why: spread, Seldom: true},
	{API: "UpdateFeatures", Path: "ErrorMessage", Kafka: "*Local controller *", Ottla: "*Local controller *", Why: elected, Seldom: true},
	{API: "UpdateFeatures", Scenario: "13_reassign/features and brokers", Why: duplicate, Kafka: "*", Ottla: "*transaction.version*"},
	{API: "UpdateFeatures", Scenario: "13_reassign/features and brokers", Why: duplicate, Kafka: "NONE", Ottla: "INVALID_UPDATE_VERSION"},
	{API: "DescribeConfigs", Path: "Results[8 *].Configs[root].ConfigType", Why: "Kafka has no type for levels of loggers here; Ottla's are strings."},
}

const (
	anyBroker = "Brokers name any of them as the controller: each takes requests for it."
	elected   = "Each cluster has elected a controller of its own."
	ownLog    = "Each cluster has a metadata log of its own, in which Kafka writes a record every half a second."
	spread    = "Internal topics are spread over the nodes at random."
)
