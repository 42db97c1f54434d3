package group

import (
	"encoding/binary"
	"unicode/utf8"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/wire"
)

// replayOffset applies the record of a committed offset. It allocates nothing for an offset that takes the place of another.
func (c *Coordinator) replayOffset(offset int64, kind int16, r statemachine.Record) error {
	groupID, tp, err := c.offsetKey(kind, r.Key)
	if err != nil {
		return err
	}
	if r.Value == nil {
		if g := c.groups[string(groupID)]; g != nil {
			delete(g.offsets, tp)
			c.forgetPending(g, tp)
		}
		return nil
	}
	o, err := offsetValue(offset, r.Value)
	if err != nil {
		return err
	}
	g := c.groups[string(groupID)]
	if g == nil {
		g = c.groupOf(string(groupID))
	}
	g.offsets[tp] = o
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
	version, err := wire.RecordType(b) // values begin with their version as keys do with their type
	if err != nil {
		return committed{}, err
	}
	var value wire.OffsetCommitValue
	var r wire.Reader
	r.Reset(b[2:])
	value.Decode(&r, version)
	if err := r.Done(); err != nil {
		return committed{}, err
	}
	return committed{
		offset: value.Offset, leaderEpoch: value.LeaderEpoch, metadata: value.Metadata, at: value.CommitTimestamp,
		expires: value.ExpireTimestamp, topicID: value.TopicID, record: offset,
	}, nil
}

// offsetKey reads the key of an offset's record. groupID is valid as long as b; the name of the topic is one that all groups
// share.
func (c *Coordinator) offsetKey(kind int16, b []byte) (groupID []byte, tp kafka.TopicPartition, err error) {
	if groupID, topic, partition, ok := plainOffsetKey(b); ok {
		return groupID, kafka.TopicPartition{Topic: c.topicName(topic), Partition: partition}, nil
	}
	if kind == legacyOffsetRecord {
		var key wire.LegacyOffsetCommitKey
		err = wire.DecodeRecordKey(b, &key)
		return []byte(key.Group), kafka.TopicPartition{Topic: key.Topic, Partition: key.Partition}, err
	}
	var key wire.OffsetCommitKey
	err = wire.DecodeRecordKey(b, &key)
	return []byte(key.Group), kafka.TopicPartition{Topic: key.Topic, Partition: key.Partition}, err
}

// plainOffsetKey takes a key of an offset's record apart: its type, two texts with their lengths before them, a number. What
// is not like that, or not UTF-8, is left to wire, which says what is wrong.
func plainOffsetKey(b []byte) (groupID, topic []byte, partition int32, ok bool) {
	rest := b[min(2, len(b)):]
	text := func() []byte {
		if len(rest) < 2 {
			return nil
		}
		n := int(binary.BigEndian.Uint16(rest))
		if n > len(rest)-2 {
			return nil
		}
		t := rest[2 : 2+n]
		rest = rest[2+n:]
		return t
	}
	groupID, topic = text(), text()
	if groupID == nil || topic == nil || len(rest) != 4 || !utf8.Valid(groupID) || !utf8.Valid(topic) {
		return nil, nil, 0, false
	}
	return groupID, topic, int32(binary.BigEndian.Uint32(rest)), true
}

// maxTopicNames bounds the names that a coordinator keeps; when there are more it begins anew.
const maxTopicNames = 10_000

// topicName is the name as a string that was made for it once.
func (c *Coordinator) topicName(b []byte) string {
	name, known := c.topicNames[string(b)]
	if !known {
		if len(c.topicNames) >= maxTopicNames {
			clear(c.topicNames)
		}
		name = string(b)
		c.topicNames[name] = name
	}
	return name
}
