package config

import (
	"slices"

	"github.com/ottla/ottla/internal/kafka"
)

// Group is the effective configuration of one group. It never changes and can be shared.
type Group struct {
	settings[OfGroup]
	overrides map[string]string
	broker    *Broker
}

// groupBound says between which broker settings a group's own setting must lie. Bounds on intervals of assignments
// count only when the group sets one.
type groupBound struct {
	key      GroupInt
	min, max BrokerInt // min without a Row sets no bound
	ifSet    bool
}

var groupBounds = []groupBound{
	{ConsumerHeartbeatIntervalMs, GroupConsumerMinHeartbeatIntervalMs, GroupConsumerMaxHeartbeatIntervalMs, false},
	{ConsumerSessionTimeoutMs, GroupConsumerMinSessionTimeoutMs, GroupConsumerMaxSessionTimeoutMs, false},
	{ConsumerAssignmentIntervalMs, GroupConsumerMinAssignmentIntervalMs, GroupConsumerMaxAssignmentIntervalMs, true},
	{ShareHeartbeatIntervalMs, GroupShareMinHeartbeatIntervalMs, GroupShareMaxHeartbeatIntervalMs, false},
	{ShareSessionTimeoutMs, GroupShareMinSessionTimeoutMs, GroupShareMaxSessionTimeoutMs, false},
	{ShareRecordLockDurationMs, GroupShareMinRecordLockDurationMs, GroupShareMaxRecordLockDurationMs, false},
	{ShareDeliveryCountLimit, GroupShareMinDeliveryCountLimit, GroupShareMaxDeliveryCountLimit, false},
	{SharePartitionMaxRecordLocks, GroupShareMinPartitionMaxRecordLocks, GroupShareMaxPartitionMaxRecordLocks, false},
	{ShareAssignmentIntervalMs, GroupShareMinAssignmentIntervalMs, GroupShareMaxAssignmentIntervalMs, true},
	{StreamsHeartbeatIntervalMs, GroupStreamsMinHeartbeatIntervalMs, GroupStreamsMaxHeartbeatIntervalMs, false},
	{StreamsSessionTimeoutMs, GroupStreamsMinSessionTimeoutMs, GroupStreamsMaxSessionTimeoutMs, false},
	{StreamsNumStandbyReplicas, BrokerInt{}, GroupStreamsMaxStandbyReplicas, false},
	{StreamsAssignmentIntervalMs, GroupStreamsMinAssignmentIntervalMs, GroupStreamsMaxAssignmentIntervalMs, true},
}

func newBaseGroup(b *Broker) *Group {
	g := &Group{broker: b}
	g.values = inherited(groupTable, b)
	return g
}

// Group returns the effective configuration of a group with these settings of its own. A stored setting outside of
// the broker's bounds, which may have been tightened since, counts as the nearest bound.
func (b *Broker) Group(overrides map[string]string) *Group {
	if len(overrides) == 0 {
		return b.group
	}
	g := &Group{broker: b, overrides: overrides}
	g.values = applyOverrides(groupTable, b.group.values, overrides, GroupConfig)
	for _, k := range groupBounds {
		v := &g.values[k.key.index]
		if v.source != GroupConfig {
			continue
		}
		if k.min.Row != nil {
			v.number = max(v.number, int64(b.Int(k.min)))
		}
		v.number = min(v.number, int64(b.Int(k.max)))
	}
	return g
}

// CheckGroup checks all settings of a group together, before they are stored: names, values and the broker's bounds.
// Errors are INVALID_CONFIG with Kafka's texts (GroupConfig.validate).
func (b *Broker) CheckGroup(overrides map[string]string) error {
	for _, name := range sortedKeys(overrides) {
		if groupTable.byName[name] == nil {
			return kafka.Errorf(kafka.InvalidConfig, "Unknown group config name: %s", name)
		}
	}
	values := slices.Clone(b.group.values)
	for _, name := range sortedKeys(overrides) {
		r := groupTable.byName[name]
		v, err := parse(r, overrides[name])
		if err != nil {
			return invalidConfig(err)
		}
		values[r.index] = v
	}
	g := settings[OfGroup]{values}
	for _, k := range groupBounds {
		if _, set := overrides[k.key.Name]; k.ifSet && !set {
			continue
		}
		n := g.Int(k.key)
		if k.min.Row != nil && n < b.Int(k.min) {
			return kafka.Errorf(kafka.InvalidConfig, "%s must be greater than or equal to %s", k.key.Name, k.min.Name)
		}
		if n > b.Int(k.max) {
			return kafka.Errorf(kafka.InvalidConfig, "%s must be less than or equal to %s", k.key.Name, k.max.Name)
		}
	}
	for _, pair := range [][2]GroupInt{{ConsumerSessionTimeoutMs, ConsumerHeartbeatIntervalMs}, {ShareSessionTimeoutMs, ShareHeartbeatIntervalMs},
		{StreamsSessionTimeoutMs, StreamsHeartbeatIntervalMs}} {
		if g.Int(pair[0]) <= g.Int(pair[1]) {
			return kafka.Errorf(kafka.InvalidConfig, "%s must be greater than %s", pair[0].Name, pair[1].Name)
		}
	}
	return nil
}
