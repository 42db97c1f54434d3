package group

import (
	"maps"
	"slices"
	"time"

	"github.com/ottla/ottla/internal/causes"
	"github.com/ottla/ottla/internal/wire"
)

// memberState says how far a member is with its target assignment; the numbers are those of the records
// (org.apache.kafka.coordinator.group.modern.MemberState).
type memberState int8

const (
	reconciled memberState = 0   // it has what its epoch's target gives it
	revoking   memberState = 1   // it has to give up partitions first
	waiting    memberState = 2   // others have to give up partitions first
	unknown    memberState = 127 // a later version wrote it
)

// Member epochs with a meaning of their own in requests.
const (
	joining          = 0
	leaving          = -1
	leavingForAWhile = -2 // a static member that will be back within its session timeout
)

// consumerMember is one member of a consumer group, as the log says. It is never changed: Replay puts another in its place.
type consumerMember struct {
	id            string
	epoch         int32 // of the target assignment that it was last reconciled with
	previousEpoch int32
	state         memberState

	instanceID, rackID *string
	rebalanceTimeout   int32 // in milliseconds, -1 if not known
	clientID           string
	clientHost         string
	topics             []string // names that it subscribes to, in order
	regex              string   // that it subscribes to, "" if to none
	assignor           *string  // that it prefers

	assigned held
	revoking held // partitions that it still has to give up

	// classic is set for a member that uses the classic protocol.
	classic *wire.ConsumerGroupMemberMetadataValueClassicMemberMetadata
}

func newConsumerMember(id string) *consumerMember {
	return &consumerMember{id: id, previousEpoch: -1, rebalanceTimeout: -1}
}

// reconciledTo reports whether the member has what the target of an epoch gives it.
func (m *consumerMember) reconciledTo(epoch int32) bool {
	return m.state == reconciled && m.epoch == epoch
}

// sameMetadata reports whether two members are the same but for epochs and partitions.
func (m *consumerMember) sameMetadata(other *consumerMember) bool {
	return sameText(m.instanceID, other.instanceID) && sameText(m.rackID, other.rackID) && m.rebalanceTimeout == other.rebalanceTimeout &&
		m.clientID == other.clientID && m.clientHost == other.clientHost && slices.Equal(m.topics, other.topics) &&
		m.regex == other.regex && sameText(m.assignor, other.assignor) && sameClassic(m.classic, other.classic)
}

// sameAssignment reports whether two members are the same in epochs and partitions.
func (m *consumerMember) sameAssignment(other *consumerMember) bool {
	return m.epoch == other.epoch && m.previousEpoch == other.previousEpoch && m.state == other.state &&
		m.assigned.equal(other.assigned) && m.revoking.equal(other.revoking)
}

func sameText(a, b *string) bool {
	if a == nil || b == nil {
		return a == b
	}
	return *a == *b
}

func sameClassic(a, b *wire.ConsumerGroupMemberMetadataValueClassicMemberMetadata) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.SessionTimeoutMs == b.SessionTimeoutMs &&
		slices.EqualFunc(a.SupportedProtocols, b.SupportedProtocols, func(p, q wire.ConsumerGroupMemberMetadataValueClassicProtocol) bool {
			return p.Name == q.Name && string(p.Metadata) == string(q.Metadata)
		})
}

// as is the member at another epoch.
func (m *consumerMember) at(epoch int32, state memberState, assigned, pending held) *consumerMember {
	next := *m
	next.previousEpoch, next.epoch, next.state, next.assigned, next.revoking = m.epoch, epoch, state, assigned, pending
	return &next
}

// told is the member after a heartbeat: what the request does not say stays as it was.
func (m *consumerMember) told(rq *wire.ConsumerGroupHeartbeatRequest, from causes.Client) *consumerMember {
	next := *m
	if rq.InstanceID != nil {
		next.instanceID = rq.InstanceID
	}
	if rq.RackID != nil {
		next.rackID = rq.RackID
	}
	if rq.RebalanceTimeoutMs != -1 {
		next.rebalanceTimeout = rq.RebalanceTimeoutMs
	}
	if rq.ServerAssignor != nil {
		next.assignor = rq.ServerAssignor
	}
	if rq.SubscribedTopicNames != nil {
		next.topics = distinctTexts(rq.SubscribedTopicNames)
	}
	if rq.SubscribedTopicRegex != nil {
		next.regex = *rq.SubscribedTopicRegex
	}
	next.clientID, next.clientHost, next.classic = from.ID, from.Host, nil
	return &next
}

// distinctTexts copies texts in order, each once.
func distinctTexts(texts []string) []string {
	sorted := slices.Sorted(slices.Values(texts))
	return slices.Compact(sorted)
}

// sessionTimeout is for how long the member may be silent.
func (c *Coordinator) sessionTimeout(groupID string, m *consumerMember) time.Duration {
	if m.classic != nil {
		return time.Duration(m.classic.SessionTimeoutMs) * time.Millisecond
	}
	return c.options.Consumer(groupID).SessionTimeout
}

// orderedMembers lists members by id.
func orderedMembers(members map[string]*consumerMember) []*consumerMember {
	list := make([]*consumerMember, 0, len(members))
	for _, id := range slices.Sorted(maps.Keys(members)) {
		list = append(list, members[id])
	}
	return list
}
