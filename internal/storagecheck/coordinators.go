package storagecheck

import (
	"fmt"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/wire"
)

// coordinatorRecords are the keys and values of a coordinator's topic, by record type; nil for a type that Kafka 4.3 does not
// have: coordinators pass over records of such types.
type coordinatorRecords struct{ key, value func(kind int16) wire.Message }

var coordinatorTopics = map[string]coordinatorRecords{
	kafka.OffsetsTopic:      {wire.NewGroupKey, wire.NewGroupValue},
	kafka.TransactionsTopic: {wire.NewTransactionKey, wire.NewTransactionValue},
}

// understand decodes the records of a coordinator's topic as the coordinator does when it loads them.
func (p *partition) understand(file string, position int64, b record.Batch) {
	records, is := coordinatorTopics[p.tp.Topic]
	if !is || b.Attributes().Control() {
		return
	}
	for r, err := range b.Records(maxBatchBytes) {
		if err != nil {
			return // entered already, by content
		}
		key, value, err := records.decode(r)
		if err != nil {
			p.add(Damaged, file, "Its coordinator does not load the partition: the groups or transactional ids in it have none until the record is gone.",
				"a record that is none of a coordinator's: %s", reasonOf(err)).at(position, int64(b.Length())).offsets(r.Offset, r.Offset)
			continue
		}
		if key, is := key.(*wire.TransactionLogKey); is {
			status, _ := value.(*wire.TransactionLogValue)
			p.noteStatus(key.TransactionalID, status)
		}
	}
}

// decode reads a record; value is nil for a tombstone, both are for a type that is passed over.
func (c coordinatorRecords) decode(r record.Record) (key, value wire.Message, err error) {
	kind, err := wire.RecordType(r.Key)
	if err != nil {
		return nil, nil, err
	}
	if key = c.key(kind); key == nil {
		return nil, nil, nil
	}
	if err := wire.DecodeRecordKey(r.Key, key); err != nil {
		return nil, nil, fmt.Errorf("key: %w", err)
	}
	if r.Value == nil {
		return key, nil, nil
	}
	value = c.value(kind)
	if _, err := wire.DecodeRecordValue(r.Value, value); err != nil {
		return nil, nil, fmt.Errorf("value: %w", err)
	}
	return key, value, nil
}
