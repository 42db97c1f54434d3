package txn

import (
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/wire"
)

// Describe tells the state of a transactional id, and the partitions of its open transaction; once the end is decided,
// those that lack their marker. One that is not known gets TRANSACTIONAL_ID_NOT_FOUND.
func (c *Coordinator) Describe(id string, answer func(wire.DescribeTransactionsResponseTransactionState, error)) statemachine.Output {
	var described wire.DescribeTransactionsResponseTransactionState
	var err error
	if t := c.transactions[id]; t != nil {
		described = t.describe()
	} else {
		err = kafka.Errorf(kafka.TransactionalIDNotFound, "transactional id %s is not known", id)
	}
	var out outcome
	out.then(func(log error) {
		if log != nil {
			described = wire.DescribeTransactionsResponseTransactionState{}
		}
		answer(described, either(log, err))
	})
	return out.Output
}

func (t *transaction) describe() wire.DescribeTransactionsResponseTransactionState {
	d := wire.DescribeTransactionsResponseTransactionState{
		TransactionState: t.state.String(), TransactionTimeoutMs: t.timeout, TransactionStartTimeMs: t.started,
		ProducerID: t.producerID, ProducerEpoch: t.epoch,
	}
	partitions := t.partitions
	if t.state.deciding() {
		partitions = t.unmarked
	}
	for _, topic := range byTopic(partitions) {
		d.Topics = append(d.Topics, wire.DescribeTransactionsResponseTopicData{Topic: topic.Topic, Partitions: topic.PartitionIDs})
	}
	return d
}
