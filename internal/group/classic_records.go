package group

import (
	"time"

	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/wire"
)

// groupRecord is a group's generation with all members and their assignments.
func groupRecord(g *classicGroup, assignments map[string][]byte) statemachine.Record {
	value := &wire.GroupMetadataValue{
		ProtocolType: g.protocolType, Generation: g.generation, Protocol: textOrNil(g.protocol), Leader: textOrNil(g.leader),
		CurrentStateTimestamp: stateTimestamp(g.since),
	}
	for _, m := range g.ordered() {
		value.Members = append(value.Members, wire.GroupMetadataValueMemberMetadata{
			MemberID: m.id, GroupInstanceID: m.instanceID, ClientID: m.clientID, ClientHost: m.clientHost,
			RebalanceTimeout: int32(m.rebalanceTimeout.Milliseconds()), SessionTimeout: int32(m.sessionTimeout.Milliseconds()),
			Subscription: m.metadata(g.protocol), Assignment: assignments[m.id],
		})
	}
	return record(&wire.GroupMetadataKey{Group: g.id}, value, groupValueVersion)
}

// emptyGroupRecord announces a group before its first generation.
func emptyGroupRecord(g *classicGroup) statemachine.Record {
	return record(&wire.GroupMetadataKey{Group: g.id}, &wire.GroupMetadataValue{CurrentStateTimestamp: stateTimestamp(g.since)}, groupValueVersion)
}

func groupTombstone(id string) statemachine.Record {
	return record(&wire.GroupMetadataKey{Group: id}, nil, 0)
}

// noTimestamp stands for a time that the log does not tell: records before version 2 had no CurrentStateTimestamp.
const noTimestamp = -1

func stateTimestamp(since time.Time) int64 {
	if since.IsZero() {
		return noTimestamp
	}
	return since.UnixMilli()
}

func stateSince(timestamp int64) time.Time {
	if timestamp == noTimestamp {
		return time.Time{}
	}
	return time.UnixMilli(timestamp)
}
