package group

import (
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/wire"
)

func (c *Coordinator) replayOffset(kind int16, r statemachine.Record) error {
	groupID, tp, err := offsetKey(kind, r.Key)
	if err != nil {
		return err
	}
	g := c.groups[groupID]
	if r.Value == nil {
		if g != nil {
			delete(g.offsets, tp)
		}
		return nil
	}
	var value wire.OffsetCommitValue
	if _, err := wire.DecodeRecordValue(r.Value, &value); err != nil {
		return err
	}
	if g == nil {
		g = newGroup(groupID) // one that only keeps offsets
		c.groups[groupID] = g
	}
	g.offsets[tp] = committed{
		offset: value.Offset, leaderEpoch: value.LeaderEpoch, metadata: value.Metadata, at: value.CommitTimestamp,
		expires: value.ExpireTimestamp, topicID: value.TopicID,
	}
	return nil
}

func offsetKey(kind int16, b []byte) (groupID string, tp kafka.TopicPartition, err error) {
	if kind == legacyOffsetRecord {
		var key wire.LegacyOffsetCommitKey
		err = wire.DecodeRecordKey(b, &key)
		return key.Group, kafka.TopicPartition{Topic: key.Topic, Partition: key.Partition}, err
	}
	var key wire.OffsetCommitKey
	err = wire.DecodeRecordKey(b, &key)
	return key.Group, kafka.TopicPartition{Topic: key.Topic, Partition: key.Partition}, err
}
