package group

import (
	"slices"

	"github.com/ottla/ottla/internal/wire"
)

// replay applies a record to the group; a nil value is a tombstone.
func (g *streamsGroup) replay(kind int16, name string, value []byte) error {
	switch kind {
	case streamsEpochRecord:
		return g.replayEpoch(value)
	case streamsTopologyRecord:
		return g.replayTopology(value)
	case streamsMemberRecord:
		return g.replayMember(name, value)
	case streamsTargetEpochRecord:
		return g.replayTargetEpoch(value)
	case streamsTargetRecord:
		return g.replayTarget(name, value)
	case streamsCurrentRecord:
		return g.replayCurrent(name, value)
	}
	return nil
}

func (g *streamsGroup) replayEpoch(value []byte) error {
	if value == nil {
		return nil // the group ends: see replayStreams
	}
	var v wire.StreamsGroupMetadataValue
	if _, err := wire.DecodeRecordValue(value, &v); err != nil {
		return err
	}
	g.epoch, g.hash, g.validated = v.Epoch, v.MetadataHash, v.ValidatedTopologyEpoch
	g.configs = make(map[string]string, len(v.LastAssignmentConfigs))
	for i := range v.LastAssignmentConfigs {
		g.configs[v.LastAssignmentConfigs[i].Key] = v.LastAssignmentConfigs[i].Value
	}
	return nil
}

func (g *streamsGroup) replayTopology(value []byte) error {
	if value == nil {
		g.topology, g.configured = nil, nil
		return nil
	}
	v := new(wire.StreamsGroupTopologyValue)
	if _, err := wire.DecodeRecordValue(value, v); err != nil {
		return err
	}
	g.topology, g.configured = newTopology(v), nil
	return nil
}

func (g *streamsGroup) replayMember(id string, value []byte) error {
	m := g.members[id]
	if value == nil {
		if m != nil {
			g.remove(m)
		}
		return nil
	}
	var v wire.StreamsGroupMemberMetadataValue
	if _, err := wire.DecodeRecordValue(value, &v); err != nil {
		return err
	}
	next := newStreamsMember(id)
	if m != nil {
		*next = *m
	}
	next.instanceID, next.rackID, next.clientID, next.clientHost = v.InstanceID, v.RackID, v.ClientID, v.ClientHost
	next.rebalanceTimeout, next.topologyEpoch, next.process, next.endpoint = v.RebalanceTimeoutMs, v.TopologyEpoch, v.ProcessID, v.UserEndpoint
	next.tags = make(map[string]string, len(v.ClientTags))
	for i := range v.ClientTags {
		next.tags[v.ClientTags[i].Key] = v.ClientTags[i].Value
	}
	g.put(next)
	return nil
}

func (g *streamsGroup) replayTargetEpoch(value []byte) error {
	if value == nil {
		g.assignmentEpoch, g.assignedAt = -1, 0
		return nil
	}
	var v wire.StreamsGroupTargetAssignmentMetadataValue
	if _, err := wire.DecodeRecordValue(value, &v); err != nil {
		return err
	}
	g.assignmentEpoch, g.assignedAt = v.AssignmentEpoch, v.AssignmentTimestamp
	return nil
}

func (g *streamsGroup) replayTarget(id string, value []byte) error {
	if value == nil {
		delete(g.target, id)
		return nil
	}
	var v wire.StreamsGroupTargetAssignmentMemberValue
	if _, err := wire.DecodeRecordValue(value, &v); err != nil {
		return err
	}
	read := func(list []wire.StreamsGroupTargetAssignmentMemberValueTaskIds) tasks {
		all := make(tasks, len(list))
		for _, t := range list {
			all[t.SubtopologyID] = sortedIDs(append(all[t.SubtopologyID], t.Partitions...))
		}
		return all
	}
	g.target[id] = taskSet{Active: read(v.ActiveTasks), Standby: read(v.StandbyTasks), Warmup: read(v.WarmupTasks)}
	return nil
}

func (g *streamsGroup) replayCurrent(id string, value []byte) error {
	m := g.members[id]
	if value == nil {
		if m != nil {
			g.put(m.gone())
		}
		return nil
	}
	var v wire.StreamsGroupCurrentMemberAssignmentValue
	if _, err := wire.DecodeRecordValue(value, &v); err != nil {
		return err
	}
	next := newStreamsMember(id)
	if m != nil {
		*next = *m
	}
	next.epoch, next.previousEpoch, next.state = v.MemberEpoch, v.PreviousMemberEpoch, readState(v.State)
	next.assigned = readTasks(v.ActiveTasks, v.StandbyTasks, v.WarmupTasks, v.MemberEpoch)
	next.revoking = readTasks(v.ActiveTasksPendingRevocation, v.StandbyTasksPendingRevocation, v.WarmupTasksPendingRevocation, v.MemberEpoch)
	g.put(next)
	return nil
}

// gone is the member between the tombstones that remove it.
func (m *streamsMember) gone() *streamsMember {
	next := *m
	next.epoch, next.previousEpoch, next.assigned, next.revoking = leaving, leaving, heldTasks{}, heldTasks{}
	return &next
}

// readTasks reads tasks; before Kafka 4.3 records did not tell the epochs of active ones, and the member's counts.
func readTasks(active, standby, warmup []wire.StreamsGroupCurrentMemberAssignmentValueTaskIds, memberEpoch int32) heldTasks {
	h := heldTasks{active: activeTasks{}, standby: tasks{}, warmup: tasks{}}
	for _, t := range active {
		for i, p := range t.Partitions {
			epoch := memberEpoch
			if len(t.AssignmentEpochs) == len(t.Partitions) {
				epoch = t.AssignmentEpochs[i]
			}
			h.active.with(taskID{t.SubtopologyID, p}, epoch)
		}
	}
	for _, t := range standby {
		h.standby[t.SubtopologyID] = sortedIDs(slices.Concat(h.standby[t.SubtopologyID], t.Partitions))
	}
	for _, t := range warmup {
		h.warmup[t.SubtopologyID] = sortedIDs(slices.Concat(h.warmup[t.SubtopologyID], t.Partitions))
	}
	return h
}
