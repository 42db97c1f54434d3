package txn

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/wire"
)

// statusRecordType is the only type of records in __transaction_state
// (org.apache.kafka.coordinator.transaction.generated.CoordinatorRecordType); maxValueVersion the newest version of its
// values.
const (
	statusRecordType = 0
	maxValueVersion  = 1
)

// Replay implements statemachine.Machine. A record of a type or version that Kafka 4.3 does not have is left from some
// later version, and ignored as Kafka does.
func (c *Coordinator) Replay(offset int64, r statemachine.Record) error {
	kind, err := wire.RecordType(r.Key)
	if err != nil {
		return err
	}
	if kind != statusRecordType {
		c.options.Logger.Warn("record of an unknown type ignored", "type", kind, "offset", offset)
		return nil
	}
	var key wire.TransactionLogKey
	if err := wire.DecodeRecordKey(r.Key, &key); err != nil {
		return err
	}
	if r.Value == nil {
		delete(c.transactions, key.TransactionalID)
		delete(c.open, key.TransactionalID)
		return nil
	}
	if len(c.written) > 0 && c.written[0].id == key.TransactionalID {
		next := c.written[0]
		c.written = c.written[1:]
		if next.cause != nil {
			c.causes.Note(c.now, next.id, *next.cause)
		}
		c.enter(next.id, next.status)
		return nil
	}
	if len(r.Value) >= 2 {
		if version := int16(binary.BigEndian.Uint16(r.Value)); version < 0 || version > maxValueVersion {
			c.options.Logger.Warn("record of an unknown version ignored", "version", version, "offset", offset)
			return nil
		}
	}
	var value wire.TransactionLogValue
	if _, err := wire.DecodeRecordValue(r.Value, &value); err != nil {
		return err
	}
	next, err := statusOf(&value)
	if err != nil {
		return fmt.Errorf("transactional id %s: %w", key.TransactionalID, err)
	}
	c.enter(key.TransactionalID, next)
	return nil
}

// enter makes a status that of a transactional id.
func (c *Coordinator) enter(id string, next status) {
	t := c.transactions[id]
	if t == nil {
		t = &transaction{id: id}
		c.transactions[id] = t
	}
	*t = transaction{id: id, status: next}
	if next.state.deciding() {
		t.unmarked = slices.Clone(next.partitions)
	}
	if next.state == Ongoing || next.state.deciding() {
		c.open[id] = t
	} else {
		delete(c.open, id)
	}
}

func statusOf(v *wire.TransactionLogValue) (status, error) {
	s := status{
		state: State(v.TransactionStatus), producerID: v.ProducerID, previousID: v.PreviousProducerID, nextID: v.NextProducerID,
		epoch: v.ProducerEpoch, lastEpoch: noProducerEpoch, timeout: v.TransactionTimeoutMs,
		started: v.TransactionStartTimestampMs, updated: v.TransactionLastUpdateTimestampMs, version: v.ClientTransactionVersion,
	}
	if s.state < Empty || s.state > CompleteAbort {
		return s, kafka.Errorf(kafka.CorruptMessage, "%d is no state of a transaction in the log", v.TransactionStatus)
	}
	if s.state == Empty {
		return s, nil
	}
	for _, topic := range v.TransactionPartitions {
		for _, id := range topic.PartitionIDs {
			s.partitions = append(s.partitions, kafka.TopicPartition{Topic: topic.Topic, Partition: id})
		}
	}
	s.partitions = (&status{}).with(s.partitions)
	return s, nil
}
