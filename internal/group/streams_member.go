package group

import (
	"maps"
	"slices"

	"github.com/ottla/ottla/internal/causes"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/wire"
)

// streamsMember is one member of a streams group, a thread of the application, as the log says. It is never changed: Replay
// puts another in its place.
type streamsMember struct {
	id            string
	epoch         int32 // of the target assignment that it was last reconciled with
	previousEpoch int32
	state         memberState // as of a consumerMember

	instanceID, rackID *string
	rebalanceTimeout   int32 // in milliseconds, -1 if not known
	clientID           string
	clientHost         string
	topologyEpoch      int32
	process            string
	endpoint           *wire.StreamsGroupMemberMetadataValueEndpoint // for interactive queries
	tags               map[string]string

	assigned heldTasks
	revoking heldTasks // tasks that it still has to give up
}

func newStreamsMember(id string) *streamsMember {
	return &streamsMember{id: id, rebalanceTimeout: -1, topologyEpoch: -1}
}

// reconciledTo reports whether the member has what the target of an epoch gives it.
func (m *streamsMember) reconciledTo(epoch int32) bool {
	return m.state == reconciled && m.epoch == epoch
}

// sameMetadata reports whether two members are the same but for epochs and tasks.
func (m *streamsMember) sameMetadata(other *streamsMember) bool {
	return sameText(m.rackID, other.rackID) && sameText(m.instanceID, other.instanceID) && m.rebalanceTimeout == other.rebalanceTimeout &&
		m.clientID == other.clientID && m.clientHost == other.clientHost && m.topologyEpoch == other.topologyEpoch &&
		m.process == other.process && sameEndpoint(m.endpoint, other.endpoint) && maps.Equal(m.tags, other.tags)
}

// sameTasks reports whether two members are the same in epochs and tasks.
func (m *streamsMember) sameTasks(other *streamsMember) bool {
	return m.epoch == other.epoch && m.previousEpoch == other.previousEpoch && m.state == other.state &&
		m.assigned.equal(other.assigned) && m.revoking.equal(other.revoking)
}

func sameEndpoint(a, b *wire.StreamsGroupMemberMetadataValueEndpoint) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Host == b.Host && a.Port == b.Port
}

// at is the member at another epoch.
func (m *streamsMember) at(epoch int32, state memberState, assigned, revoking heldTasks) *streamsMember {
	next := *m
	next.previousEpoch, next.epoch, next.state, next.assigned, next.revoking = m.epoch, epoch, state, assigned, revoking
	return &next
}

// told is the member after a heartbeat: what the request does not say stays as it was.
func (m *streamsMember) told(rq *wire.StreamsGroupHeartbeatRequest, from causes.Client) *streamsMember {
	next := *m
	if rq.RackID != nil {
		next.rackID = rq.RackID
	}
	if rq.RebalanceTimeoutMs != -1 {
		next.rebalanceTimeout = rq.RebalanceTimeoutMs
	}
	if rq.Topology != nil {
		next.topologyEpoch = rq.Topology.Epoch
	}
	if rq.ProcessID != nil {
		next.process = *rq.ProcessID
	}
	if rq.UserEndpoint != nil {
		next.endpoint = &wire.StreamsGroupMemberMetadataValueEndpoint{Host: rq.UserEndpoint.Host, Port: rq.UserEndpoint.Port}
	}
	if rq.ClientTags != nil {
		next.tags = make(map[string]string, len(rq.ClientTags))
		for i := range rq.ClientTags {
			next.tags[rq.ClientTags[i].Key] = rq.ClientTags[i].Value
		}
	}
	next.clientID, next.clientHost = from.ID, from.Host
	return &next
}

// checkEpoch fences a member that is not at its epoch. The epoch before is fine if the member owns no more than it is given:
// the answer that told it the new one may have been lost.
func (m *streamsMember) checkEpoch(epoch int32, owned *taskSet) error {
	switch {
	case epoch == joining || epoch == m.epoch:
		return nil
	case epoch > m.epoch:
		return kafka.Errorf(kafka.FencedMemberEpoch, "The streams group member has a greater member epoch (%d) than the one known by the group coordinator (%d). The member must abandon all its partitions and rejoin.", epoch, m.epoch)
	case epoch != m.previousEpoch || owned == nil || !contains(m.assigned.active.tasks(), owned.Active) ||
		!contains(m.assigned.standby, owned.Standby) || !contains(m.assigned.warmup, owned.Warmup):
		return kafka.Errorf(kafka.FencedMemberEpoch, "The streams group member has a smaller member epoch (%d) than the one known by the group coordinator (%d). The member must abandon all its partitions and rejoin.", epoch, m.epoch)
	}
	return nil
}

// ownedTasks are those that a request names; nil if it does not say.
func ownedTasks(rq *wire.StreamsGroupHeartbeatRequest) *taskSet {
	if rq.ActiveTasks == nil || rq.StandbyTasks == nil || rq.WarmupTasks == nil {
		return nil
	}
	return &taskSet{Active: namedTasks(rq.ActiveTasks), Standby: namedTasks(rq.StandbyTasks), Warmup: namedTasks(rq.WarmupTasks)}
}

func namedTasks(list []wire.StreamsGroupHeartbeatRequestTaskIds) tasks {
	named := make(tasks, len(list))
	for _, t := range list {
		named[t.SubtopologyID] = append(named[t.SubtopologyID], t.Partitions...)
	}
	for id := range named {
		named[id] = sortedIDs(named[id])
	}
	return named
}

// orderedStreams lists members by id.
func orderedStreams(members map[string]*streamsMember) []*streamsMember {
	list := make([]*streamsMember, 0, len(members))
	for _, id := range slices.Sorted(maps.Keys(members)) {
		list = append(list, members[id])
	}
	return list
}
