package group

import (
	"slices"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/wire"
)

// state is the state of a classic group; the texts are those of DescribeGroups and ListGroups.
type state string

const (
	empty               state = "Empty"
	preparingRebalance  state = "PreparingRebalance"
	completingRebalance state = "CompletingRebalance"
	stable              state = "Stable"
	dead                state = "Dead"
)

// consumerProtocol is the protocol type of consumers: the coordinator understands their subscriptions.
const consumerProtocol = "consumer"

// group is a classic group and its committed offsets.
type group struct {
	roster
	id           string
	state        state
	previous     state
	since        time.Time // when it came into its state; zero: the log does not tell
	generation   int32
	protocolType string // "" until somebody joined
	protocol     string // chosen for the generation; "" if there is none
	leader       string // member id, "" if there are no members

	pendingJoin map[string]*alarm // member ids given to newcomers that have not come back with them (KIP-394)
	pendingSync map[string]bool   // members of the generation that have not synced
	// assigning is set while the leader's assignments are on their way into the log.
	assigning bool
	// extended is whether somebody joined since the delay of the first rebalance was last looked at.
	extended bool
	join     alarm // end of the join phase
	sync     alarm // end of the sync phase

	subscription subscription
	offsets      map[kafka.TopicPartition]committed
}

func newGroup(id string) *group {
	return &group{
		roster: newRoster(), id: id, state: empty, previous: dead,
		pendingJoin: map[string]*alarm{}, pendingSync: map[string]bool{},
		offsets: map[kafka.TopicPartition]committed{},
	}
}

func (g *group) become(next state, now time.Time) {
	g.previous, g.state, g.since = g.state, next, now
}

// in reports whether the group is in one of the states.
func (g *group) in(states ...state) bool { return slices.Contains(states, g.state) }

// simple reports whether the group was only ever used to keep offsets.
func (g *group) simple() bool { return g.protocolType == "" }

// add makes m a member; the first one leads, and says what kind of group it is.
func (g *group) add(m *member, protocolType string) {
	if len(g.members) == 0 {
		g.protocolType = protocolType
	}
	if g.leader == "" {
		g.leader = m.id
	}
	g.enter(m)
}

// complete reports whether everybody who is expected has joined.
func (g *group) complete() bool { return len(g.pendingJoin) == 0 && g.waiting == len(g.members) }

// elect makes sure that the leader is a member that has joined; false if nobody has.
func (g *group) elect() bool {
	if m := g.members[g.leader]; m != nil && m.joining != nil {
		return true
	}
	for _, m := range g.ordered() {
		if m.joining != nil {
			g.leader = m.id
			return true
		}
	}
	return false
}

// agreeable reports whether somebody who joins with these protocols finds one that every member supports.
func (g *group) agreeable(protocolType string, protocols []wire.JoinGroupRequestProtocol) bool {
	if g.state == empty {
		return protocolType != "" && len(protocols) > 0
	}
	return protocolType == g.protocolType &&
		slices.ContainsFunc(protocols, func(p wire.JoinGroupRequestProtocol) bool { return g.unanimous(p.Name) })
}

// assignments are those of the current generation by member id.
func (g *group) assignments() map[string][]byte {
	assignments := make(map[string][]byte, len(g.members))
	for id, m := range g.members {
		assignments[id] = m.assignment
	}
	return assignments
}

// textOrNil is the nullable form of a text.
func textOrNil(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// textOf is the text of a nullable one.
func textOf(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
