package config

// Rows: idempotent producers and transactions.
var (
	ProducerIDExpirationMs = BrokerInt{&Row{
		Name: "producer.id.expiration.ms", Type: Int, Default: "86400000", Valid: atLeast(1), Importance: Low, Update: ClusterWide, Unit: Milliseconds,
		Doc: "Time without writes after which a partition forgets a producer id.",
	}}
	ProducerIDExpirationCheckIntervalMs = BrokerInt{&Row{
		Name: "producer.id.expiration.check.interval.ms", Type: Int, Default: "600000", Valid: atLeast(1), Importance: Low, Internal: true, Unit: Milliseconds,
		Doc:    "Interval at which expired producer ids are looked for.",
		Status: NoEffect, Why: "expired producer ids are looked for with log.retention.check.interval.ms",
	}}
	TransactionMaxTimeoutMs = BrokerInt{&Row{
		Name: "transaction.max.timeout.ms", Type: Int, Default: "900000", Valid: atLeast(1), Unit: Milliseconds,
		Doc: "Longest transaction timeout that a producer may ask for.",
	}}
	TransactionalIDExpirationMs = BrokerInt{&Row{
		Name: "transactional.id.expiration.ms", Type: Int, Default: "604800000", Valid: atLeast(1), Unit: Milliseconds,
		Doc: "Time without use after which a transactional id is forgotten.",
	}}
	TransactionAbortTimedOutTransactionCleanupIntervalMs = BrokerInt{&Row{
		Name: "transaction.abort.timed.out.transaction.cleanup.interval.ms", Type: Int, Default: "10000", Valid: atLeast(1), Importance: Low, Unit: Milliseconds,
		Doc: "Interval at which transactions that took too long are looked for and aborted.",
	}}
	TransactionRemoveExpiredTransactionCleanupIntervalMs = BrokerInt{&Row{
		Name: "transaction.remove.expired.transaction.cleanup.interval.ms", Type: Int, Default: "3600000", Valid: atLeast(1), Importance: Low, Unit: Milliseconds,
		Doc: "Interval at which expired transactional ids are looked for.",
	}}
	TransactionPartitionVerificationEnable = BrokerBool{&Row{
		Name: "transaction.partition.verification.enable", Type: Boolean, Default: "true", Importance: Low, Update: ClusterWide,
		Doc: "Whether a partition asks the coordinator if a transaction includes it before it takes the transaction's records.",
	}}
	TransactionTwoPhaseCommitEnable = BrokerBool{&Row{
		Name: "transaction.two.phase.commit.enable", Type: Boolean, Default: "false", Importance: Low,
		Doc: "Whether producers may take part in two-phase commits that an outside coordinator ends; they ask for it with InitProducerId version 6, which is served only with unstable.api.versions.enable.",
	}}
	TransactionStateLogNumPartitions = BrokerInt{&Row{
		Name: "transaction.state.log.num.partitions", Type: Int, Default: "50", Valid: atLeast(1),
		Doc: "Number of partitions of the transactions topic; do not change it once the topic exists.",
	}}
	TransactionStateLogReplicationFactor = BrokerInt{&Row{
		Name: "transaction.state.log.replication.factor", Type: Short, Default: "3", Valid: atLeast(1),
		Doc: "Number of replicas of the transactions topic; 1 on a lone node unless it is set.",
	}}
	TransactionStateLogMinISR = BrokerInt{&Row{
		Name: "transaction.state.log.min.isr", Type: Int, Default: "2", Valid: atLeast(1),
		Doc: "Number of replicas in sync without which the transactions topic is not written; 1 on a lone node unless it is set.",
	}}
	TransactionStateLogSegmentBytes = BrokerInt{&Row{
		Name: "transaction.state.log.segment.bytes", Type: Int, Default: "104857600", Valid: atLeast(1), Unit: Bytes,
		Doc: "Size at which a segment of the transactions topic is closed.",
	}}
	TransactionStateLogLoadBufferSize = BrokerInt{&Row{
		Name: "transaction.state.log.load.buffer.size", Type: Int, Default: "5242880", Valid: atLeast(1), Unit: Bytes,
		Doc:    "Bytes that Kafka reads at once when it loads the transactions topic.",
		Status: NoEffect, Why: "the log is read in batches that need no setting",
	}}
	AddPartitionsToTxnRetryBackoffMs = BrokerInt{&Row{
		Name: "add.partitions.to.txn.retry.backoff.ms", Type: Int, Default: "20", Valid: atLeast(1), Unit: Milliseconds,
		Doc:    "Pause before a partition is added to a transaction again after a failure.",
		Status: NoEffect, Why: "the broker waits for the end of the last transaction instead of asking for it again and again",
	}}
	AddPartitionsToTxnRetryBackoffMaxMs = BrokerInt{&Row{
		Name: "add.partitions.to.txn.retry.backoff.max.ms", Type: Int, Default: "100", Valid: atLeast(0), Unit: Milliseconds,
		Doc: "Longest time that adding a partition to a transaction waits for the end of the producer's last transaction.",
	}}
)

var transactionRows = []*Row{
	ProducerIDExpirationMs.Row, ProducerIDExpirationCheckIntervalMs.Row, TransactionMaxTimeoutMs.Row,
	TransactionalIDExpirationMs.Row, TransactionAbortTimedOutTransactionCleanupIntervalMs.Row,
	TransactionRemoveExpiredTransactionCleanupIntervalMs.Row, TransactionPartitionVerificationEnable.Row,
	TransactionTwoPhaseCommitEnable.Row, TransactionStateLogNumPartitions.Row, TransactionStateLogReplicationFactor.Row,
	TransactionStateLogMinISR.Row, TransactionStateLogSegmentBytes.Row, TransactionStateLogLoadBufferSize.Row,
	AddPartitionsToTxnRetryBackoffMs.Row, AddPartitionsToTxnRetryBackoffMaxMs.Row,
}
