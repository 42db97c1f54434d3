package api

import (
	"time"

	"github.com/ottla/ottla/internal/config"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/txn"
)

// transactionStep is one call of a method of the transaction coordinator.
type transactionStep func(c *txn.Coordinator, now time.Time) statemachine.Output

// askTransaction has the coordinator of a transactional id run a step. failed is called instead, with the reason, if the id
// is empty, or if this broker is not its coordinator or is still loading it.
func (a *API) askTransaction(transactionalID string, step transactionStep, failed func(error)) {
	engine, err := a.transactionEngine(transactionalID)
	if err != nil {
		failed(err)
		return
	}
	engine.Do(step, failed)
}

func (a *API) transactionEngine(transactionalID string) (*statemachine.Engine[*txn.Coordinator], error) {
	if transactionalID == "" {
		return nil, kafka.Errorf(kafka.InvalidRequest, "the transactional id is empty")
	}
	topic := a.Metadata.Current().Topic(kafka.TransactionsTopic)
	if topic == nil {
		return nil, kafka.Errorf(kafka.NotCoordinator, "%s does not exist yet, so no broker coordinates transactions: look for the coordinator first", kafka.TransactionsTopic)
	}
	return a.Transactions.Get(kafka.CoordinatorPartition(transactionalID, len(topic.Partitions)))
}

// transactionCoordinatorElsewhere returns the broker that coordinates a transactional id, if it is another one.
func (a *API) transactionCoordinatorElsewhere(transactionalID string) (node int32, elsewhere bool) {
	return a.coordinatorElsewhere(kafka.TransactionsTopic, transactionalID)
}

// coordinatorElsewhere returns the broker that leads the partition of an internal topic to which a name belongs, if it is another one.
func (a *API) coordinatorElsewhere(internal, name string) (node int32, elsewhere bool) {
	topic := a.Metadata.Current().Topic(internal)
	if a.Peer == nil || topic == nil || name == "" {
		return -1, false
	}
	p := topic.Partition(kafka.CoordinatorPartition(name, len(topic.Partitions)))
	if p == nil || p.Leader < 0 || p.Leader == a.Node {
		return -1, false
	}
	return p.Leader, true
}

// TransactionSettings are what transaction coordinators obey at the moment.
func (a *API) TransactionSettings() txn.Settings {
	c := a.Config()
	return txn.Settings{
		MaxTimeout:     c.Duration(config.TransactionMaxTimeoutMs),
		TwoPhaseCommit: c.Bool(config.TransactionTwoPhaseCommitEnable),
		IDExpiration:   c.Duration(config.TransactionalIDExpirationMs),
		AbortInterval:  c.Duration(config.TransactionAbortTimedOutTransactionCleanupIntervalMs),
		ExpiryInterval: c.Duration(config.TransactionRemoveExpiredTransactionCleanupIntervalMs),
		Version:        a.Metadata.Current().Feature(transactionVersion),
	}
}

// transactionVersion is the feature that says which generation of the protocol of transactions the cluster speaks.
const transactionVersion = "transaction.version"

// NewProducerID calls done with a producer id that nobody has had, now or when the controller has given some.
func (a *API) NewProducerID(done func(id int64, err error)) { a.producerIDs.next(done) }
