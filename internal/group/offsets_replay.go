package group

import (
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/wire"
)

func (c *Coordinator) replayOffset(offset int64, kind int16, r statemachine.Record) error {
	groupID, tp, err := offsetKey(kind, r.Key)
	if err != nil {
		return err
	}
	if r.Value == nil {
		if g := c.groups[groupID]; g != nil {
			delete(g.offsets, tp)
			c.forgetPending(g, tp)
		}
		return nil
	}
	o, err := offsetValue(offset, r.Value)
	if err != nil {
		return err
	}
	c.groupOf(groupID).offsets[tp] = o
	return nil
}

// groupOf is the group of an id; one that nobody knows only keeps offsets.
func (c *Coordinator) groupOf(id string) *group {
	g := c.groups[id]
	if g == nil {
		g = newGroup(id)
		c.groups[id] = g
	}
	return g
}

func offsetValue(offset int64, b []byte) (committed, error) {
	var value wire.OffsetCommitValue
	if _, err := wire.DecodeRecordValue(b, &value); err != nil {
		return committed{}, err
	}
	return committed{
		offset: value.Offset, leaderEpoch: value.LeaderEpoch, metadata: value.Metadata, at: value.CommitTimestamp,
		expires: value.ExpireTimestamp, topicID: value.TopicID, record: offset,
	}, nil
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
