package api

import (
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/wire"
)

// verify asks the coordinator of a transaction whether the partitions that the request writes to belong to it, and waits for
// the answer: the requests that follow on this connection are appended after this one's records, as the producer numbered them.
// Kafka, too, serves no other request of a connection meanwhile. The error is about the request as a whole.
func (p *produce) verify(rq *wire.ProduceRequest) error {
	if rq.TransactionalID == nil || !hasTransactionalRecords(rq) {
		return nil
	}
	p.verifies = p.api.verifiesTransactions()
	q := &p.question
	q.transactionalID, q.client, q.support, q.producer = *rq.TransactionalID, clientOf(p.call), produceSupport(p.call.version), noProducer
	for i := range rq.TopicData {
		topic := &rq.TopicData[i]
		name, err := p.api.topicName(topic.Name, topic.TopicID, p.call.version >= 13)
		for j := range topic.PartitionData {
			place := membershipPlace{TopicPartition: kafka.TopicPartition{Topic: name, Partition: topic.PartitionData[j].Index}, err: err}
			if b := record.Batch(topic.PartitionData[j].Records); transactional(b) && b.HasProducerID() {
				producer := statemachine.Producer{ID: b.ProducerID(), Epoch: b.ProducerEpoch()}
				if place.asked = true; q.producer != noProducer && q.producer != producer {
					return kafka.Errorf(kafka.InvalidProducerIDMapping, "Transactional records contained more than one producer ID")
				}
				q.producer, place.sequence = producer, b.BaseSequence()
			}
			q.places = append(q.places, place)
		}
	}
	if ask := p.api.unverified(q); len(ask) > 0 {
		answered := make(chan struct{})
		p.api.askCoordinator(q, ask, func() { close(answered) })
		<-answered
	}
	for i := range q.places {
		q.places[i].err = q.support.forProduce(q.places[i].err)
	}
	return nil
}

var noProducer = statemachine.Producer{ID: record.NoProducerID, Epoch: record.NoProducerEpoch}

// forProduce is an error of the coordinator as a producer is told it: what it should try again is NOT_ENOUGH_REPLICAS, which
// old clients know, and which does not have them ask for metadata (ReplicaManager.handleProduceAppend). Kafka lets
// OPERATION_NOT_ATTEMPTED through, which costs the producer its transaction: because of a partition that the coordinator does not know
// of yet, or that has just been deleted, it says that of the request's other partitions.
func (s transactionSupport) forProduce(err error) error {
	switch code := kafka.CodeOf(err); code {
	case kafka.InvalidTxnState:
		return kafka.Errorf(code, "Partition was not added to the transaction")
	case kafka.ConcurrentTransactions:
		if s == addsPartitions {
			return err
		}
		fallthrough
	case kafka.NetworkException, kafka.CoordinatorLoadInProgress, kafka.CoordinatorNotAvailable, kafka.NotCoordinator,
		kafka.OperationNotAttempted:
		return kafka.Errorf(kafka.NotEnoughReplicas, "Unable to verify the partition has been added to the transaction. Underlying error: %v", err)
	}
	return err
}

func hasTransactionalRecords(rq *wire.ProduceRequest) bool {
	for i := range rq.TopicData {
		for j := range rq.TopicData[i].PartitionData {
			if transactional(rq.TopicData[i].PartitionData[j].Records) {
				return true
			}
		}
	}
	return false
}

// transactional reports whether bytes of a client begin with a batch of a transaction.
func transactional(b record.Batch) bool {
	return len(b) >= record.HeaderSize && b.Attributes().Transactional()
}
