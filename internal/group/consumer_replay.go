package group

import (
	"bytes"
	"fmt"

	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/wire"
)

// Types of records of consumer groups (org.apache.kafka.coordinator.group.generated.CoordinatorRecordType).
const (
	consumerEpochRecord       = 3
	consumerLegacyRecord      = 4 // subscription metadata, until Kafka 4.0
	consumerMemberRecord      = 5
	consumerTargetEpochRecord = 6
	consumerTargetRecord      = 7
	consumerCurrentRecord     = 8
	consumerRegexRecord       = 16
)

// replayConsumer applies a record of a consumer group. A group that only keeps offsets becomes one; of any other the log
// would have told the end before.
func (c *Coordinator) replayConsumer(r statemachine.Record) error {
	kind, name, err := consumerKey(r.Key)
	if err != nil {
		return err
	}
	id := consumerGroupOf(r.Key)
	g := c.consumer(id)
	if g == nil {
		if r.Value == nil {
			return nil // the group is gone, and the tombstone is all that compaction has left of it
		}
		if g, err = c.becomeConsumer(id); err != nil {
			return err
		}
	}
	if err := g.replay(kind, name, r.Value); err != nil {
		return fmt.Errorf("consumer group %s: %w", id, err)
	}
	if r.Value == nil {
		switch kind {
		case consumerEpochRecord:
			for member := range g.members {
				c.stopClock(id, member)
			}
			c.forget(g.group)
		case consumerMemberRecord:
			c.stopClock(id, name)
		}
	}
	return nil
}

// becomeConsumer makes the group of an id a consumer group.
func (c *Coordinator) becomeConsumer(id string) (*consumerGroup, error) {
	shared, err := c.yield(id)
	if err != nil {
		return nil, err
	}
	g := newConsumerGroup(shared)
	shared.kind = g
	return g, nil
}

// yield returns the group of an id, which the log says is of another kind from now on; it makes one if there is none. It has
// to be one that only keeps offsets.
func (c *Coordinator) yield(id string) (*group, error) {
	shared := c.groups[id]
	if shared == nil {
		shared = newGroup(id)
		c.groups[id] = shared
	}
	classic, ok := shared.kind.(*classicGroup)
	if !ok || !classic.simple() || len(classic.members) > 0 {
		groupType, _, _ := shared.kind.list()
		return nil, fmt.Errorf("record of another kind of group than %s, which is a %s group", id, groupType)
	}
	for pending := range classic.pendingJoin {
		c.unexpect(classic, pending)
	}
	return shared, nil
}

// consumerKey reads the key of a record of a consumer or streams group: its type, and the member or the regular expression that it is
// about, "" if it is about the group.
func consumerKey(b []byte) (kind int16, name string, err error) {
	if kind, err = wire.RecordType(b); err != nil {
		return 0, "", err
	}
	key := wire.NewGroupKey(kind)
	if err := wire.DecodeRecordKey(b, key); err != nil {
		return 0, "", err
	}
	switch key := key.(type) {
	case *wire.ConsumerGroupMemberMetadataKey:
		name = key.MemberID
	case *wire.ConsumerGroupTargetAssignmentMemberKey:
		name = key.MemberID
	case *wire.ConsumerGroupCurrentMemberAssignmentKey:
		name = key.MemberID
	case *wire.ConsumerGroupRegularExpressionKey:
		name = key.RegularExpression
	case *wire.StreamsGroupMemberMetadataKey:
		name = key.MemberID
	case *wire.StreamsGroupTargetAssignmentMemberKey:
		name = key.MemberID
	case *wire.StreamsGroupCurrentMemberAssignmentKey:
		name = key.MemberID
	}
	return kind, name, nil
}

// consumerGroupOf is the group of a key that has been read before: all of them begin with it.
func consumerGroupOf(b []byte) string {
	n := int(b[2])<<8 | int(b[3])
	return string(b[4 : 4+n])
}

// replay applies a record to the group; a nil value is a tombstone.
func (g *consumerGroup) replay(kind int16, name string, value []byte) error {
	switch kind {
	case consumerEpochRecord:
		return g.replayEpoch(value)
	case consumerLegacyRecord:
		g.legacy = value != nil
	case consumerMemberRecord:
		return g.replayMember(name, value)
	case consumerTargetEpochRecord:
		return g.replayTargetEpoch(value)
	case consumerTargetRecord:
		return g.replayTarget(name, value)
	case consumerCurrentRecord:
		return g.replayCurrent(name, value)
	case consumerRegexRecord:
		return g.replayRegex(name, value)
	}
	return nil
}

func (g *consumerGroup) replayEpoch(value []byte) error {
	if value == nil {
		return nil // the group ends: see replayConsumer
	}
	var v wire.ConsumerGroupMetadataValue
	if _, err := wire.DecodeRecordValue(value, &v); err != nil {
		return err
	}
	g.epoch, g.hash = v.Epoch, v.MetadataHash
	return nil
}

func (g *consumerGroup) replayMember(id string, value []byte) error {
	m := g.members[id]
	if value == nil {
		if m != nil {
			g.remove(m)
		}
		return nil
	}
	var v wire.ConsumerGroupMemberMetadataValue
	if _, err := wire.DecodeRecordValue(value, &v); err != nil {
		return err
	}
	next := newConsumerMember(id)
	if m != nil {
		*next = *m
		g.remove(m) // its instance id may be another from now on
	}
	next.instanceID, next.rackID, next.clientID, next.clientHost = v.InstanceID, v.RackID, v.ClientID, v.ClientHost
	next.topics, next.regex, next.assignor = distinctTexts(v.SubscribedTopicNames), textOf(v.SubscribedTopicRegex), v.ServerAssignor
	next.rebalanceTimeout, next.classic = v.RebalanceTimeoutMs, v.ClassicMemberMetadata
	if next.classic != nil {
		for i := range next.classic.SupportedProtocols {
			p := &next.classic.SupportedProtocols[i]
			p.Metadata = bytes.Clone(p.Metadata)
		}
	}
	g.put(next)
	return nil
}

func (g *consumerGroup) replayTargetEpoch(value []byte) error {
	if value == nil {
		g.assignmentEpoch, g.assignedAt = -1, 0
		return nil
	}
	var v wire.ConsumerGroupTargetAssignmentMetadataValue
	if _, err := wire.DecodeRecordValue(value, &v); err != nil {
		return err
	}
	g.assignmentEpoch, g.assignedAt = v.AssignmentEpoch, v.AssignmentTimestamp
	return nil
}

func (g *consumerGroup) replayTarget(id string, value []byte) error {
	if value == nil {
		delete(g.target, id)
		return nil
	}
	var v wire.ConsumerGroupTargetAssignmentMemberValue
	if _, err := wire.DecodeRecordValue(value, &v); err != nil {
		return err
	}
	target := make(partitions, len(v.TopicPartitions))
	for _, t := range v.TopicPartitions {
		target[t.TopicID] = sortedIDs(append(target[t.TopicID], t.Partitions...))
	}
	g.target[id] = target
	return nil
}

func (g *consumerGroup) replayCurrent(id string, value []byte) error {
	m := g.members[id]
	if value == nil {
		if m != nil {
			gone := *m
			gone.epoch, gone.previousEpoch, gone.assigned, gone.revoking = leaving, leaving, nil, nil
			g.put(&gone)
		}
		return nil
	}
	var v wire.ConsumerGroupCurrentMemberAssignmentValue
	if _, err := wire.DecodeRecordValue(value, &v); err != nil {
		return err
	}
	next := newConsumerMember(id)
	if m != nil {
		*next = *m
	}
	next.epoch, next.previousEpoch, next.state = v.MemberEpoch, v.PreviousMemberEpoch, memberState(v.State)
	if next.state < reconciled || next.state > waiting {
		next.state = unknown
	}
	next.assigned, next.revoking = heldOf(v.AssignedPartitions, v.MemberEpoch), heldOf(v.PartitionsPendingRevocation, v.MemberEpoch)
	g.put(next)
	return nil
}

// heldOf reads partitions; before Kafka 4.3 records did not tell their epochs, and the member's counts.
func heldOf(list []wire.ConsumerGroupCurrentMemberAssignmentValueTopicPartitions, memberEpoch int32) held {
	h := make(held, len(list))
	for _, t := range list {
		for i, id := range t.Partitions {
			epoch := max(memberEpoch, 0)
			if len(t.AssignmentEpochs) == len(t.Partitions) {
				epoch = t.AssignmentEpochs[i]
			}
			h.with(t.TopicID, id, epoch)
		}
	}
	return h
}

func (g *consumerGroup) replayRegex(regex string, value []byte) error {
	if value == nil {
		g.resolve(regex, nil)
		return nil
	}
	var v wire.ConsumerGroupRegularExpressionValue
	if _, err := wire.DecodeRecordValue(value, &v); err != nil {
		return err
	}
	g.resolve(regex, &resolvedRegex{topics: distinctTexts(v.Topics), version: v.Version, at: v.Timestamp})
	return nil
}
