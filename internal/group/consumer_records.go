package group

import (
	"maps"
	"slices"

	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/wire"
)

// consumerValueVersion is the version of all values of consumer groups (GroupCoordinatorRecordHelpers of Kafka 4.3).
const consumerValueVersion = 0

func (g *consumerGroup) epochRecord(epoch int32, hash int64) statemachine.Record {
	return record(&wire.ConsumerGroupMetadataKey{GroupID: g.id}, &wire.ConsumerGroupMetadataValue{Epoch: epoch, MetadataHash: hash}, consumerValueVersion)
}

func (g *consumerGroup) memberRecord(m *consumerMember) statemachine.Record {
	return record(&wire.ConsumerGroupMemberMetadataKey{GroupID: g.id, MemberID: m.id}, &wire.ConsumerGroupMemberMetadataValue{
		InstanceID: m.instanceID, RackID: m.rackID, ClientID: m.clientID, ClientHost: m.clientHost, SubscribedTopicNames: m.topics,
		SubscribedTopicRegex: &m.regex, RebalanceTimeoutMs: m.rebalanceTimeout, ServerAssignor: m.assignor, ClassicMemberMetadata: m.classic,
	}, consumerValueVersion)
}

func (g *consumerGroup) targetRecord(memberID string, target partitions) statemachine.Record {
	value := new(wire.ConsumerGroupTargetAssignmentMemberValue)
	for _, topic := range topicsInOrder(target) {
		value.TopicPartitions = append(value.TopicPartitions, wire.ConsumerGroupTargetAssignmentMemberValueTopicPartition{TopicID: topic, Partitions: target[topic]})
	}
	return record(&wire.ConsumerGroupTargetAssignmentMemberKey{GroupID: g.id, MemberID: memberID}, value, consumerValueVersion)
}

func (g *consumerGroup) targetEpochRecord(epoch int32, at int64) statemachine.Record {
	return record(&wire.ConsumerGroupTargetAssignmentMetadataKey{GroupID: g.id},
		&wire.ConsumerGroupTargetAssignmentMetadataValue{AssignmentEpoch: epoch, AssignmentTimestamp: at}, consumerValueVersion)
}

func (g *consumerGroup) currentRecord(m *consumerMember) statemachine.Record {
	return record(&wire.ConsumerGroupCurrentMemberAssignmentKey{GroupID: g.id, MemberID: m.id}, &wire.ConsumerGroupCurrentMemberAssignmentValue{
		MemberEpoch: m.epoch, PreviousMemberEpoch: m.previousEpoch, State: int8(m.state),
		AssignedPartitions: currentPartitions(m.assigned), PartitionsPendingRevocation: currentPartitions(m.revoking),
	}, consumerValueVersion)
}

func currentPartitions(h held) []wire.ConsumerGroupCurrentMemberAssignmentValueTopicPartitions {
	var list []wire.ConsumerGroupCurrentMemberAssignmentValueTopicPartitions
	for _, topic := range topicsInOrder(h) {
		entry := wire.ConsumerGroupCurrentMemberAssignmentValueTopicPartitions{TopicID: topic, Partitions: slices.Sorted(maps.Keys(h[topic]))}
		entry.AssignmentEpochs = make([]int32, 0, len(entry.Partitions))
		for _, id := range entry.Partitions {
			entry.AssignmentEpochs = append(entry.AssignmentEpochs, h[topic][id])
		}
		list = append(list, entry)
	}
	return list
}

func (g *consumerGroup) regexRecord(regex string, to resolvedRegex) statemachine.Record {
	return record(&wire.ConsumerGroupRegularExpressionKey{GroupID: g.id, RegularExpression: regex},
		&wire.ConsumerGroupRegularExpressionValue{Topics: to.topics, Version: to.version, Timestamp: to.at}, consumerValueVersion)
}

func (g *consumerGroup) regexTombstone(regex string) statemachine.Record {
	return record(&wire.ConsumerGroupRegularExpressionKey{GroupID: g.id, RegularExpression: regex}, nil, 0)
}

func (g *consumerGroup) legacyTombstone() statemachine.Record {
	return record(&wire.ConsumerGroupPartitionMetadataKey{GroupID: g.id}, nil, 0)
}

func (g *consumerGroup) currentTombstone(memberID string) statemachine.Record {
	return record(&wire.ConsumerGroupCurrentMemberAssignmentKey{GroupID: g.id, MemberID: memberID}, nil, 0)
}

func (g *consumerGroup) targetTombstone(memberID string) statemachine.Record {
	return record(&wire.ConsumerGroupTargetAssignmentMemberKey{GroupID: g.id, MemberID: memberID}, nil, 0)
}

func (g *consumerGroup) memberTombstone(memberID string) statemachine.Record {
	return record(&wire.ConsumerGroupMemberMetadataKey{GroupID: g.id, MemberID: memberID}, nil, 0)
}

// writeRemoval removes a member from the log, in the order in which Kafka wants to read it.
func (g *consumerGroup) writeRemoval(out *outcome, memberID string) {
	out.write(g.currentTombstone(memberID))
	out.write(g.targetTombstone(memberID))
	out.write(g.memberTombstone(memberID))
}

// tombstones implements kind. The order is the one in which Kafka wants to read them.
func (g *consumerGroup) tombstones(out *outcome) {
	ids := slices.Sorted(maps.Keys(g.members))
	for _, id := range ids {
		out.write(g.currentTombstone(id))
	}
	for _, id := range ids {
		out.write(g.targetTombstone(id))
	}
	out.write(record(&wire.ConsumerGroupTargetAssignmentMetadataKey{GroupID: g.id}, nil, 0))
	for _, id := range ids {
		out.write(g.memberTombstone(id))
	}
	for _, regex := range slices.Sorted(maps.Keys(g.regexes)) {
		out.write(g.regexTombstone(regex))
	}
	out.write(g.legacyTombstone())
	out.write(record(&wire.ConsumerGroupMetadataKey{GroupID: g.id}, nil, 0))
}

// writeAll writes the whole group, as it comes into being from a classic one.
func (g *consumerGroup) writeAll(out *outcome) {
	members := orderedMembers(g.members)
	for _, m := range members {
		out.write(g.memberRecord(m))
	}
	out.write(g.epochRecord(g.epoch, g.hash))
	for _, m := range members {
		out.write(g.targetRecord(m.id, g.target[m.id]))
	}
	out.write(g.targetEpochRecord(g.assignmentEpoch, g.assignedAt))
	for _, m := range members {
		out.write(g.currentRecord(m))
	}
}
