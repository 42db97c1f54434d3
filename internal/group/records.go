package group

import (
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

func offsetRecord(groupID string, tp kafka.TopicPartition, o committed) statemachine.Record {
	value := &wire.OffsetCommitValue{
		Offset: o.offset, LeaderEpoch: o.leaderEpoch, Metadata: o.metadata, CommitTimestamp: o.at, ExpireTimestamp: -1, TopicID: o.topicID,
	}
	version := int16(offsetValueVersion)
	if o.expires >= 0 {
		value.ExpireTimestamp, value.TopicID, value.LeaderEpoch = o.expires, kafka.ZeroUUID, -1
		version = expiringOffsetValueVersion
	}
	return record(&wire.OffsetCommitKey{Group: groupID, Topic: tp.Topic, Partition: tp.Partition}, value, version)
}

func offsetTombstone(groupID string, tp kafka.TopicPartition) statemachine.Record {
	return record(&wire.OffsetCommitKey{Group: groupID, Topic: tp.Topic, Partition: tp.Partition}, nil, 0)
}
