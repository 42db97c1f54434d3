package config

import (
	"fmt"
	"slices"
	"strings"
)

// bounded is a setting with the two that bound what single groups may be given.
type bounded struct{ min, value, max BrokerInt }

func (b *Broker) checkBounds(all ...bounded) error {
	for _, k := range all {
		if err := check(
			rule{b.Int(k.max) >= b.Int(k.min), fmt.Sprintf("%s must be greater than or equal to %s", k.max.Name, k.min.Name)},
			rule{b.Int(k.value) >= b.Int(k.min), fmt.Sprintf("%s must be greater than or equal to %s", k.value.Name, k.min.Name)},
			rule{b.Int(k.value) <= b.Int(k.max), fmt.Sprintf("%s must be less than or equal to %s", k.value.Name, k.max.Name)},
		); err != nil {
			return err
		}
	}
	return nil
}

// checkGroups checks the bounds of all kinds of groups (GroupCoordinatorConfig).
func (b *Broker) checkGroups() error {
	if err := b.checkBounds(
		bounded{GroupConsumerMinHeartbeatIntervalMs, GroupConsumerHeartbeatIntervalMs, GroupConsumerMaxHeartbeatIntervalMs},
		bounded{GroupConsumerMinSessionTimeoutMs, GroupConsumerSessionTimeoutMs, GroupConsumerMaxSessionTimeoutMs},
		bounded{GroupConsumerMinAssignmentIntervalMs, GroupConsumerAssignmentIntervalMs, GroupConsumerMaxAssignmentIntervalMs},
		bounded{GroupShareMinHeartbeatIntervalMs, GroupShareHeartbeatIntervalMs, GroupShareMaxHeartbeatIntervalMs},
		bounded{GroupShareMinSessionTimeoutMs, GroupShareSessionTimeoutMs, GroupShareMaxSessionTimeoutMs},
		bounded{GroupShareMinAssignmentIntervalMs, GroupShareAssignmentIntervalMs, GroupShareMaxAssignmentIntervalMs},
		bounded{GroupStreamsMinHeartbeatIntervalMs, GroupStreamsHeartbeatIntervalMs, GroupStreamsMaxHeartbeatIntervalMs},
		bounded{GroupStreamsMinSessionTimeoutMs, GroupStreamsSessionTimeoutMs, GroupStreamsMaxSessionTimeoutMs},
		bounded{GroupStreamsMinAssignmentIntervalMs, GroupStreamsAssignmentIntervalMs, GroupStreamsMaxAssignmentIntervalMs},
	); err != nil {
		return err
	}
	less := func(a, c BrokerInt) rule {
		return rule{b.Int(a) < b.Int(c), fmt.Sprintf("%s must be less than %s", a.Name, c.Name)}
	}
	classic := slices.ContainsFunc(b.List(GroupCoordinatorRebalanceProtocols), func(s string) bool { return strings.EqualFold(s, "classic") })
	assignors := len(b.List(GroupShareAssignors))
	foreign := slices.IndexFunc(b.List(GroupConsumerAssignors), func(s string) bool { return s != "uniform" && s != "range" })
	return check(
		less(GroupConsumerHeartbeatIntervalMs, GroupConsumerSessionTimeoutMs),
		less(GroupShareHeartbeatIntervalMs, GroupShareSessionTimeoutMs),
		less(GroupStreamsHeartbeatIntervalMs, GroupStreamsSessionTimeoutMs),
		rule{assignors == 1, fmt.Sprintf("%s must contain exactly one assignor, but found %d", GroupShareAssignors.Name, assignors)},
		rule{b.Int(GroupStreamsNumStandbyReplicas) <= b.Int(GroupStreamsMaxStandbyReplicas),
			fmt.Sprintf("%s must be less than or equal to %s", GroupStreamsNumStandbyReplicas.Name, GroupStreamsMaxStandbyReplicas.Name)},
		rule{foreign < 0, fmt.Sprintf("%s may name the assignors uniform and range; classes in Java cannot be loaded", GroupConsumerAssignors.Name)},
		rule{classic, "Disabling the 'classic' protocol is not supported."},
	)
}

// checkShareGroups checks the limits of share groups (ShareGroupConfig).
func (b *Broker) checkShareGroups() error {
	atLeast := func(a, c BrokerInt) rule {
		return rule{b.Int(a) >= b.Int(c), fmt.Sprintf("%s must be greater than or equal to %s", a.Name, c.Name)}
	}
	return check(
		atLeast(GroupShareMaxDeliveryCountLimit, GroupShareDeliveryCountLimit),
		atLeast(GroupShareDeliveryCountLimit, GroupShareMinDeliveryCountLimit),
		atLeast(GroupShareMaxPartitionMaxRecordLocks, GroupSharePartitionMaxRecordLocks),
		atLeast(GroupSharePartitionMaxRecordLocks, GroupShareMinPartitionMaxRecordLocks),
		atLeast(GroupShareRecordLockDurationMs, GroupShareMinRecordLockDurationMs),
		atLeast(GroupShareMaxRecordLockDurationMs, GroupShareRecordLockDurationMs),
		atLeast(GroupShareMaxShareSessions, GroupShareMaxSize),
	)
}
