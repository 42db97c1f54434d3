package group

import (
	"encoding/binary"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/wire"
)

// Versions of the values that are written (GroupCoordinatorRecordHelpers of Kafka 4.3).
const (
	groupValueVersion          = 3
	offsetValueVersion         = 4
	expiringOffsetValueVersion = 1 // the only one with an expiry time of its own
)

// record encodes a key and a value; a nil value makes a tombstone. All texts are short enough for it: those of requests
// by their own encoding, member ids because Join looks.
func record(key, value wire.Message, version int16) statemachine.Record {
	var r statemachine.Record
	var err error
	if value == nil {
		r.Key, err = wire.EncodeRecordKey(key)
	} else {
		r.Key, r.Value, err = wire.EncodeRecord(key, value, version)
	}
	if err != nil {
		panic("BUG: " + err.Error())
	}
	return r
}

// offsetRecord is the record of a committed offset, in memory of its own.
func offsetRecord(groupID string, tp kafka.TopicPartition, o committed) statemachine.Record {
	return new(offsetEncoder).record(groupID, tp, o)
}

// maxEncoder is how much memory an offsetEncoder keeps for the next step.
const maxEncoder = 64 << 10

// offsetEncoder makes the records of committed offsets of one step, in memory that the next step's records take again.
type offsetEncoder struct{ w wire.Writer }

func (e *offsetEncoder) reset() {
	if e.w.Reset(); cap(e.w.Buf) > maxEncoder {
		e.w = wire.Writer{}
	}
}

func (e *offsetEncoder) record(groupID string, tp kafka.TopicPartition, o committed) statemachine.Record {
	value := wire.OffsetCommitValue{
		Offset: o.offset, LeaderEpoch: o.leaderEpoch, Metadata: o.metadata, CommitTimestamp: o.at, ExpireTimestamp: -1, TopicID: o.topicID,
	}
	version := int16(offsetValueVersion)
	if o.expires >= 0 {
		value.ExpireTimestamp, value.TopicID, value.LeaderEpoch = o.expires, kafka.ZeroUUID, -1
		version = expiringOffsetValueVersion
	}
	start := len(e.w.Buf)
	e.w.Buf = binary.BigEndian.AppendUint16(e.w.Buf, offsetRecordType)
	key := wire.OffsetCommitKey{Group: groupID, Topic: tp.Topic, Partition: tp.Partition}
	key.Encode(&e.w, 0)
	middle := len(e.w.Buf)
	e.w.Buf = binary.BigEndian.AppendUint16(e.w.Buf, uint16(version))
	value.Encode(&e.w, version)
	if err := e.w.Err(); err != nil {
		panic("BUG: " + err.Error())
	}
	end := len(e.w.Buf)
	return statemachine.Record{Key: e.w.Buf[start:middle:middle], Value: e.w.Buf[middle:end:end]}
}

func offsetTombstone(groupID string, tp kafka.TopicPartition) statemachine.Record {
	return record(&wire.OffsetCommitKey{Group: groupID, Topic: tp.Topic, Partition: tp.Partition}, nil, 0)
}
