package group

import (
	"maps"
	"slices"

	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/wire"
)

// Types of records of streams groups (org.apache.kafka.coordinator.group.generated.CoordinatorRecordType).
const (
	streamsEpochRecord       = 17
	streamsMemberRecord      = 19
	streamsTargetEpochRecord = 20
	streamsTargetRecord      = 21
	streamsCurrentRecord     = 22
	streamsTopologyRecord    = 23
)

// streamsValueVersion is the version of all values of streams groups (StreamsCoordinatorRecordHelpers of Kafka 4.3).
const streamsValueVersion = 0

func (g *streamsGroup) epochRecord(epoch int32, hash int64, validated int32, configs map[string]string) statemachine.Record {
	value := &wire.StreamsGroupMetadataValue{
		Epoch: epoch, MetadataHash: hash, ValidatedTopologyEpoch: validated, LastAssignmentConfigs: []wire.StreamsGroupMetadataValueLastAssignmentConfig{},
	}
	for _, key := range sortedKeys(configs) {
		value.LastAssignmentConfigs = append(value.LastAssignmentConfigs, wire.StreamsGroupMetadataValueLastAssignmentConfig{Key: key, Value: configs[key]})
	}
	return record(&wire.StreamsGroupMetadataKey{GroupID: g.id}, value, streamsValueVersion)
}

func (g *streamsGroup) topologyRecord(v *wire.StreamsGroupTopologyValue) statemachine.Record {
	return record(&wire.StreamsGroupTopologyKey{GroupID: g.id}, v, streamsValueVersion)
}

func (g *streamsGroup) memberRecord(m *streamsMember) statemachine.Record {
	value := &wire.StreamsGroupMemberMetadataValue{
		InstanceID: m.instanceID, RackID: m.rackID, ClientID: m.clientID, ClientHost: m.clientHost, RebalanceTimeoutMs: m.rebalanceTimeout,
		TopologyEpoch: m.topologyEpoch, ProcessID: m.process, UserEndpoint: m.endpoint,
	}
	for _, key := range sortedKeys(m.tags) {
		value.ClientTags = append(value.ClientTags, wire.StreamsGroupMemberMetadataValueKeyValue{Key: key, Value: m.tags[key]})
	}
	return record(&wire.StreamsGroupMemberMetadataKey{GroupID: g.id, MemberID: m.id}, value, streamsValueVersion)
}

func (g *streamsGroup) targetRecord(memberID string, t taskSet) statemachine.Record {
	list := func(all tasks) []wire.StreamsGroupTargetAssignmentMemberValueTaskIds {
		var ids []wire.StreamsGroupTargetAssignmentMemberValueTaskIds
		for _, id := range sortedKeys(all) {
			ids = append(ids, wire.StreamsGroupTargetAssignmentMemberValueTaskIds{SubtopologyID: id, Partitions: all[id]})
		}
		return ids
	}
	return record(&wire.StreamsGroupTargetAssignmentMemberKey{GroupID: g.id, MemberID: memberID}, &wire.StreamsGroupTargetAssignmentMemberValue{
		ActiveTasks: list(t.Active), StandbyTasks: list(t.Standby), WarmupTasks: list(t.Warmup),
	}, streamsValueVersion)
}

func (g *streamsGroup) targetEpochRecord(epoch int32, at int64) statemachine.Record {
	return record(&wire.StreamsGroupTargetAssignmentMetadataKey{GroupID: g.id},
		&wire.StreamsGroupTargetAssignmentMetadataValue{AssignmentEpoch: epoch, AssignmentTimestamp: at}, streamsValueVersion)
}

func (g *streamsGroup) currentRecord(m *streamsMember) statemachine.Record {
	return record(&wire.StreamsGroupCurrentMemberAssignmentKey{GroupID: g.id, MemberID: m.id}, &wire.StreamsGroupCurrentMemberAssignmentValue{
		MemberEpoch: m.epoch, PreviousMemberEpoch: m.previousEpoch, State: writtenState(m.state),
		ActiveTasks: currentActive(m.assigned.active), StandbyTasks: currentTasks(m.assigned.standby), WarmupTasks: currentTasks(m.assigned.warmup),
		ActiveTasksPendingRevocation: currentActive(m.revoking.active), StandbyTasksPendingRevocation: currentTasks(m.revoking.standby),
		WarmupTasksPendingRevocation: currentTasks(m.revoking.warmup),
	}, streamsValueVersion)
}

func currentTasks(all tasks) []wire.StreamsGroupCurrentMemberAssignmentValueTaskIds {
	var list []wire.StreamsGroupCurrentMemberAssignmentValueTaskIds
	for _, id := range sortedKeys(all) {
		list = append(list, wire.StreamsGroupCurrentMemberAssignmentValueTaskIds{SubtopologyID: id, Partitions: all[id]})
	}
	return list
}

func currentActive(a activeTasks) []wire.StreamsGroupCurrentMemberAssignmentValueTaskIds {
	var list []wire.StreamsGroupCurrentMemberAssignmentValueTaskIds
	for _, id := range sortedKeys(a) {
		entry := wire.StreamsGroupCurrentMemberAssignmentValueTaskIds{SubtopologyID: id, Partitions: slices.Sorted(maps.Keys(a[id]))}
		entry.AssignmentEpochs = make([]int32, 0, len(entry.Partitions))
		for _, p := range entry.Partitions {
			entry.AssignmentEpochs = append(entry.AssignmentEpochs, a[id][p])
		}
		list = append(list, entry)
	}
	return list
}

func (g *streamsGroup) currentTombstone(memberID string) statemachine.Record {
	return record(&wire.StreamsGroupCurrentMemberAssignmentKey{GroupID: g.id, MemberID: memberID}, nil, 0)
}

func (g *streamsGroup) targetTombstone(memberID string) statemachine.Record {
	return record(&wire.StreamsGroupTargetAssignmentMemberKey{GroupID: g.id, MemberID: memberID}, nil, 0)
}

func (g *streamsGroup) memberTombstone(memberID string) statemachine.Record {
	return record(&wire.StreamsGroupMemberMetadataKey{GroupID: g.id, MemberID: memberID}, nil, 0)
}

// writeRemoval removes a member from the log, in the order in which Kafka wants to read it.
func (g *streamsGroup) writeRemoval(out *outcome, memberID string) {
	out.write(g.currentTombstone(memberID))
	out.write(g.targetTombstone(memberID))
	out.write(g.memberTombstone(memberID))
}

// tombstones implements kind. The order is the one in which Kafka wants to read them.
func (g *streamsGroup) tombstones(out *outcome) {
	ids := sortedKeys(g.members)
	for _, id := range ids {
		out.write(g.currentTombstone(id))
	}
	for _, id := range ids {
		out.write(g.targetTombstone(id))
	}
	out.write(record(&wire.StreamsGroupTargetAssignmentMetadataKey{GroupID: g.id}, nil, 0))
	for _, id := range ids {
		out.write(g.memberTombstone(id))
	}
	out.write(record(&wire.StreamsGroupMetadataKey{GroupID: g.id}, nil, 0))
	out.write(record(&wire.StreamsGroupTopologyKey{GroupID: g.id}, nil, 0))
}

// Records of streams groups count the states of members from 1 (org.apache.kafka.coordinator.group.streams.MemberState), those
// of consumer groups from 0.
const firstStreamsState = 1

func writtenState(s memberState) int8 {
	if s == unknown {
		return int8(unknown)
	}
	return int8(s) + firstStreamsState
}

func readState(written int8) memberState {
	if s := memberState(written - firstStreamsState); s >= reconciled && s <= waiting {
		return s
	}
	return unknown
}
