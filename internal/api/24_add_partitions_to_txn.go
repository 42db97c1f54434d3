package api

import (
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/txn"
	"github.com/ottla/ottla/internal/wire"
)

// addPartitionsToTxn answers AddPartitionsToTxn 0-5: partitions become part of a transaction. Clients send versions up to 3,
// one transaction each; version 2 knows PRODUCER_FENCED. Brokers send versions 4 and 5 for several transactions at once, to
// add or only to verify partitions (KIP-890). A transaction gets all its partitions or none.
func (a *API) addPartitionsToTxn(c Call, rq *wire.AddPartitionsToTxnRequest) {
	if c.version >= 4 {
		a.addPartitionsToTxns(c, rq.Transactions)
		return
	}
	transaction := wire.AddPartitionsToTxnRequestAddPartitionsToTxnTransaction{
		TransactionalID: rq.V3AndBelowTransactionalID, ProducerID: rq.V3AndBelowProducerID, ProducerEpoch: rq.V3AndBelowProducerEpoch,
		Topics: rq.V3AndBelowTopics,
	}
	a.addToTransaction(c, &transaction, func(errs []error) {
		c.Reply(&wire.AddPartitionsToTxnResponse{ResultsByTopicV3AndBelow: addedResults(c, transaction.Topics, errs)})
	})
}

func (a *API) addPartitionsToTxns(c Call, transactions []wire.AddPartitionsToTxnRequestAddPartitionsToTxnTransaction) {
	response := &wire.AddPartitionsToTxnResponse{ResultsByTransaction: make([]wire.AddPartitionsToTxnResponseAddPartitionsToTxnResult, len(transactions))}
	all := newGather(len(transactions), func() { c.Reply(response) })
	for i := range transactions {
		transaction := &transactions[i]
		a.addToTransaction(c, transaction, func(errs []error) {
			response.ResultsByTransaction[i] = wire.AddPartitionsToTxnResponseAddPartitionsToTxnResult{
				TransactionalID: transaction.TransactionalID, TopicResults: addedResults(c, transaction.Topics, errs),
			}
			all.one()
		})
	}
	all.one()
}

// addToTransaction adds or verifies the partitions of one transaction; done gets an error of each partition in the order of
// the request, or nil. If one does not exist, nothing happens to the others: OPERATION_NOT_ATTEMPTED.
func (a *API) addToTransaction(c Call, rq *wire.AddPartitionsToTxnRequestAddPartitionsToTxnTransaction, done func(errs []error)) {
	add := &txn.AddPartitions{
		TransactionalID: rq.TransactionalID, Producer: statemachine.Producer{ID: rq.ProducerID, Epoch: rq.ProducerEpoch}, VerifyOnly: rq.VerifyOnly,
		Patience: a.transactionPatience(),
	}
	if c.version >= 4 { // a broker asks, not the producer itself
		add.Version = 2
	} else {
		add.Client = clientOf(c)
	}
	image := a.Metadata.Current()
	var missing []error
	for _, topic := range rq.Topics {
		for _, id := range topic.Partitions {
			tp := kafka.TopicPartition{Topic: topic.Name, Partition: id}
			add.Partitions = append(add.Partitions, tp)
			var err error
			if image.Partition(tp) == nil {
				err = kafka.Errorf(kafka.UnknownTopicOrPartition, "%s does not exist", tp)
			}
			missing = append(missing, err)
		}
	}
	if notAttempted(missing) {
		done(missing)
		return
	}
	a.askTransaction(rq.TransactionalID, func(t *txn.Coordinator, now time.Time) statemachine.Output {
		return t.AddPartitions(now, add, done)
	}, func(err error) {
		for i := range missing {
			missing[i] = err
		}
		done(missing)
	})
}

// notAttempted reports whether one of the errors is set, and sets the others then.
func notAttempted(errs []error) bool {
	failed := false
	for _, err := range errs {
		failed = failed || err != nil
	}
	for i := range errs {
		if failed && errs[i] == nil {
			errs[i] = kafka.OperationNotAttempted
		}
	}
	return failed
}

func addedResults(c Call, topics []wire.AddPartitionsToTxnRequestAddPartitionsToTxnTopic, errs []error) []wire.AddPartitionsToTxnResponseAddPartitionsToTxnTopicResult {
	results := make([]wire.AddPartitionsToTxnResponseAddPartitionsToTxnTopicResult, len(topics))
	n := 0
	for i, topic := range topics {
		results[i].Name = topic.Name
		results[i].ResultsByPartition = make([]wire.AddPartitionsToTxnResponseAddPartitionsToTxnPartitionResult, len(topic.Partitions))
		for j, id := range topic.Partitions {
			result := &results[i].ResultsByPartition[j]
			result.PartitionIndex = id
			if errs != nil {
				result.PartitionErrorCode = fencedCode(errs[n], c.version >= 2)
			}
			n++
		}
	}
	return results
}
