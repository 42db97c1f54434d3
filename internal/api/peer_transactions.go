package api

import (
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/txn"
	"github.com/ottla/ottla/internal/wire"
)

// What transactions need of other brokers: markers in the partitions that those lead, and the word of the coordinator
// on one of them. The requests are Kafka's (TransactionMarkerChannelManager, AddPartitionsToTxnManager).

// sendMarkers has another broker write a marker in some of its partitions, and calls wrote once for each. Whatever keeps the
// request from its answer is an error with which the coordinator tries again, maybe on another broker by then: a marker
// that comes twice does no harm.
func (a *API) sendMarkers(leader int32, m txn.Marker, at []int, wrote func(i int, err error)) {
	marker := wire.WriteTxnMarkersRequestWritableTxnMarker{
		ProducerID: m.Producer.ID, ProducerEpoch: m.Producer.Epoch, TransactionResult: m.Commit,
		CoordinatorEpoch: m.CoordinatorEpoch, TransactionVersion: int8(m.Version),
	}
	for _, i := range at {
		tp := m.Partitions[i]
		if last := len(marker.Topics) - 1; last >= 0 && marker.Topics[last].Name == tp.Topic {
			marker.Topics[last].PartitionIndexes = append(marker.Topics[last].PartitionIndexes, tp.Partition)
			continue
		}
		marker.Topics = append(marker.Topics, wire.WriteTxnMarkersRequestWritableTxnMarkerTopic{Name: tp.Topic, PartitionIndexes: []int32{tp.Partition}})
	}
	response := new(wire.WriteTxnMarkersResponse)
	a.Peer(leader, &wire.WriteTxnMarkersRequest{Markers: []wire.WriteTxnMarkersRequestWritableTxnMarker{marker}}, response, func(err error) {
		codes := map[kafka.TopicPartition]int16{}
		for _, result := range response.Markers {
			for _, topic := range result.Topics {
				for _, p := range topic.Partitions {
					codes[kafka.TopicPartition{Topic: topic.Name, Partition: p.PartitionIndex}] = p.ErrorCode
				}
			}
		}
		for _, i := range at {
			wrote(i, answered(err, codes, leader, m.Partitions[i]))
		}
	})
}

// askCoordinatorOn asks the coordinator on another broker, and calls answer with an error for each partition, in their order.
func (a *API) askCoordinatorOn(node int32, question *txn.AddPartitions, answer func(errs []error)) {
	transaction := wire.AddPartitionsToTxnRequestAddPartitionsToTxnTransaction{
		TransactionalID: question.TransactionalID, ProducerID: question.Producer.ID, ProducerEpoch: question.Producer.Epoch,
		VerifyOnly: question.VerifyOnly,
	}
	for _, tp := range question.Partitions {
		if last := len(transaction.Topics) - 1; last >= 0 && transaction.Topics[last].Name == tp.Topic {
			transaction.Topics[last].Partitions = append(transaction.Topics[last].Partitions, tp.Partition)
			continue
		}
		transaction.Topics = append(transaction.Topics, wire.AddPartitionsToTxnRequestAddPartitionsToTxnTopic{Name: tp.Topic, Partitions: []int32{tp.Partition}})
	}
	response := new(wire.AddPartitionsToTxnResponse)
	rq := &wire.AddPartitionsToTxnRequest{Transactions: []wire.AddPartitionsToTxnRequestAddPartitionsToTxnTransaction{transaction}}
	a.Peer(node, rq, response, func(err error) {
		if err == nil && response.ErrorCode != 0 {
			err = kafka.ErrorCode(response.ErrorCode)
		}
		codes := map[kafka.TopicPartition]int16{}
		for _, result := range response.ResultsByTransaction {
			for _, topic := range result.TopicResults {
				for _, p := range topic.ResultsByPartition {
					codes[kafka.TopicPartition{Topic: topic.Name, Partition: p.PartitionIndex}] = p.PartitionErrorCode
				}
			}
		}
		errs := make([]error, len(question.Partitions))
		for i, tp := range question.Partitions {
			errs[i] = answered(err, codes, node, tp)
		}
		answer(errs)
	})
}

// answered is what another broker says of one partition; err is why there is no answer.
func answered(err error, codes map[kafka.TopicPartition]int16, node int32, tp kafka.TopicPartition) error {
	if err != nil {
		return kafka.Errorf(kafka.NetworkException, "broker %d has not answered: %v", node, err)
	}
	code, ok := codes[tp]
	if !ok {
		return kafka.Errorf(kafka.UnknownServerError, "broker %d says nothing of %s", node, tp)
	}
	if code == 0 {
		return nil
	}
	return kafka.ErrorCode(code)
}
