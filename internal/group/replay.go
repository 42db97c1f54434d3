package group

import (
	"bytes"
	"fmt"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/wire"
)

// Types of records in __consumer_offsets (org.apache.kafka.coordinator.group.generated.CoordinatorRecordType).
const (
	legacyOffsetRecord = 0
	offsetRecordType   = 1
	groupRecordType    = 2
)

// Replay implements statemachine.Machine. A record of a type that Kafka 4.3 does not have is left from some later
// version, and ignored as Kafka does. One of a group protocol that is not served here is an error: a group must not be
// taken for something else than it is.
func (c *Coordinator) Replay(offset int64, r statemachine.Record) error {
	kind, err := wire.RecordType(r.Key)
	if err != nil {
		return err
	}
	switch kind {
	case legacyOffsetRecord, offsetRecordType:
		return c.replayOffset(kind, r)
	case groupRecordType:
		return c.replayGroup(r)
	}
	if wire.NewGroupKey(kind) == nil {
		c.options.Logger.Warn("record of an unknown type ignored", "type", kind, "offset", offset)
		return nil
	}
	return fmt.Errorf("record type %d of __consumer_offsets belongs to a group protocol that this version does not serve", kind)
}

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

func (c *Coordinator) replayGroup(r statemachine.Record) error {
	var key wire.GroupMetadataKey
	if err := wire.DecodeRecordKey(r.Key, &key); err != nil {
		return err
	}
	g := c.groups[key.Group]
	if r.Value == nil {
		if g != nil {
			c.drop(g)
		}
		return nil
	}
	if c.live && g != nil {
		return nil // this coordinator's own record: the step that wrote it has done all
	}
	var value wire.GroupMetadataValue
	if _, err := wire.DecodeRecordValue(r.Value, &value); err != nil {
		return err
	}
	if g == nil {
		g = newGroup(key.Group)
		c.groups[key.Group] = g
	}
	g.restore(&value)
	return nil
}

// restore makes the group what a record says it was. Of members that claim the same id the last one counts.
func (g *group) restore(v *wire.GroupMetadataValue) {
	g.state, g.previous = empty, dead
	if len(v.Members) > 0 {
		g.state = stable
	}
	g.since = stateSince(v.CurrentStateTimestamp)
	g.generation, g.protocolType = v.Generation, v.ProtocolType
	g.protocol = textOf(v.Protocol)
	g.roster = newRoster()
	for i := range v.Members {
		m := restoredMember(&v.Members[i], g.protocol)
		if other := g.members[m.id]; other != nil {
			g.leave(other)
		}
		if m.static() && g.statics[*m.instanceID] != "" {
			g.leave(g.members[g.statics[*m.instanceID]])
		}
		g.enter(m)
	}
	g.leader = textOf(v.Leader)
	if g.members[g.leader] == nil {
		g.leader = g.oldest()
	}
	g.subscription = g.subscribe()
}

func restoredMember(saved *wire.GroupMetadataValueMemberMetadata, protocolName string) *member {
	m := &member{
		id: saved.MemberID, instanceID: saved.GroupInstanceID, clientID: saved.ClientID, clientHost: saved.ClientHost,
		sessionTimeout: time.Duration(saved.SessionTimeout) * time.Millisecond,
		protocols:      []protocol{{protocolName, bytes.Clone(saved.Subscription)}},
		assignment:     bytes.Clone(saved.Assignment),
	}
	m.rebalanceTimeout = m.sessionTimeout // version 0 did not tell it
	if saved.RebalanceTimeout >= 0 {
		m.rebalanceTimeout = time.Duration(saved.RebalanceTimeout) * time.Millisecond
	}
	return m
}

// drop forgets a group. Nobody is in it: only groups without members are deleted. Offsets that were not deleted with it
// stay, as those of a group that only keeps offsets: Kafka writes such a tombstone when a group changes its protocol.
func (c *Coordinator) drop(g *group) {
	for id := range g.pendingJoin {
		c.unexpect(g, id)
	}
	c.alarms.cancel(&g.join)
	c.endSync(g)
	g.state = dead
	delete(c.groups, g.id)
	if len(g.offsets) > 0 {
		simple := newGroup(g.id)
		simple.offsets = g.offsets
		c.groups[g.id] = simple
	}
}
