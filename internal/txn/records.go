package txn

import (
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/wire"
)

// flexibleVersion is the first transaction.version with values of version 1, which hold the fields of TV2
// (TransactionVersion.transactionLogValueVersion).
const flexibleVersion = 1

// statusRecord is the record of a transactional id.
func statusRecord(id string, s *status, transactionVersion int16) statemachine.Record {
	value := &wire.TransactionLogValue{
		ProducerID: s.producerID, PreviousProducerID: noProducerID, NextProducerID: noProducerID, NextProducerEpoch: noProducerEpoch,
		ProducerEpoch: s.epoch, TransactionTimeoutMs: s.timeout, TransactionStatus: int8(s.state),
		TransactionLastUpdateTimestampMs: s.updated, TransactionStartTimestampMs: s.started,
	}
	if s.state != Empty {
		value.TransactionPartitions = byTopic(s.partitions)
	}
	version := int16(0)
	if transactionVersion >= flexibleVersion {
		version = 1
		value.PreviousProducerID, value.NextProducerID, value.ClientTransactionVersion = s.previousID, s.nextID, s.version
	}
	return encode(&wire.TransactionLogKey{TransactionalID: id}, value, version)
}

func tombstone(id string) statemachine.Record {
	return encode(&wire.TransactionLogKey{TransactionalID: id}, nil, 0)
}

// encode makes a record of a key and a value; a nil value makes a tombstone. All texts are short enough for it: they come from
// requests that encode them alike.
func encode(key, value wire.Message, version int16) statemachine.Record {
	var r statemachine.Record
	var err error
	if r.Key, err = wire.EncodeRecordKey(key); err != nil {
		panic("BUG: " + err.Error())
	}
	if value == nil {
		return r
	}
	if r.Value, err = wire.EncodeRecordValue(value, version); err != nil {
		panic("BUG: " + err.Error())
	}
	return r
}

// byTopic groups sorted partitions. It is never nil: only an empty transaction has none in the log.
func byTopic(partitions []kafka.TopicPartition) []wire.TransactionLogValuePartitionsSchema {
	topics := []wire.TransactionLogValuePartitionsSchema{}
	for _, tp := range partitions {
		if n := len(topics); n == 0 || topics[n-1].Topic != tp.Topic {
			topics = append(topics, wire.TransactionLogValuePartitionsSchema{Topic: tp.Topic})
		}
		last := &topics[len(topics)-1]
		last.PartitionIDs = append(last.PartitionIDs, tp.Partition)
	}
	return topics
}
