package group

import (
	"slices"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/wire"
)

// States of classic groups besides empty, stable and dead.
const (
	preparingRebalance  state = "PreparingRebalance"
	completingRebalance state = "CompletingRebalance"
)

// classicType is the group type of ListGroups.
const classicType = "classic"

// consumerProtocol is the protocol type of consumers: the coordinator understands their subscriptions.
const consumerProtocol = "consumer"

// classicGroup is a group whose members join and sync, and whose leader assigns the partitions. A group that only keeps
// offsets is one without members.
type classicGroup struct {
	*group
	roster
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
	// failures is how many assignments in a row could not be stored, held the time before which the next generation does not
	// begin because of it.
	failures int
	held     time.Time
	// extended is whether somebody joined since the delay of the first rebalance was last looked at.
	extended bool
	join     alarm // end of the join phase
	sync     alarm // end of the sync phase

	subscription subscription
}

var _ kind = (*classicGroup)(nil)

// newClassicGroup makes g a classic group without members.
func newClassicGroup(g *group) *classicGroup {
	cg := &classicGroup{
		group: g, roster: newRoster(), state: empty, previous: dead,
		pendingJoin: map[string]*alarm{}, pendingSync: map[string]bool{},
	}
	g.kind = cg
	return cg
}

// classic returns a group if it is a classic one, otherwise nil.
func (c *Coordinator) classic(id string) *classicGroup {
	if g := c.groups[id]; g != nil {
		cg, _ := g.kind.(*classicGroup)
		return cg
	}
	return nil
}

// newClassic returns the classic group of an id that has none, without members: a new one, or one that takes over the
// offsets of the group that has been there.
func (c *Coordinator) newClassic(id string) *classicGroup {
	g := c.groups[id]
	if g == nil {
		g = newGroup(id)
		c.groups[id] = g
	}
	return newClassicGroup(g)
}

// list implements kind.
func (g *classicGroup) list() (groupType, protocolType string, state state) {
	return classicType, g.protocolType, g.state
}

// checkDelete implements kind.
func (g *classicGroup) checkDelete() error {
	if g.state != empty {
		return kafka.Errorf(kafka.NonEmptyGroup, "The group is not empty.")
	}
	return nil
}

// tombstones implements kind.
func (g *classicGroup) tombstones(out *outcome) { out.write(groupTombstone(g.id)) }

// begin implements kind: members that the log knows have a session's time to be heard of, and a group that has outgrown
// group.max.size rebalances, so that whom there is no room for can commit first.
func (g *classicGroup) begin(c *Coordinator, out *outcome, now time.Time) {
	for _, m := range g.ordered() {
		c.watch(g, m, now, m.sessionTimeout)
	}
	if limit := c.options.Settings().MaxSize; len(g.members) > limit {
		c.prepare(out, now, g, Cause{Kind: GroupOversized, Setting: settingMaxSize, Limit: int64(limit), Value: int64(len(g.members))})
	}
}

// stop implements kind.
func (g *classicGroup) stop(err error) {
	for _, m := range g.ordered() {
		if answer := g.unpark(m); answer != nil {
			answer(joinFailure(m.id, err))
		}
		if answer := m.syncing; answer != nil {
			m.syncing = nil
			answer(syncFailure(err))
		}
	}
}

func (g *classicGroup) become(next state, now time.Time) {
	g.previous, g.state, g.since = g.state, next, now
}

// in reports whether the group is in one of the states.
func (g *classicGroup) in(states ...state) bool { return slices.Contains(states, g.state) }

// simple reports whether the group was only ever used to keep offsets.
func (g *classicGroup) simple() bool { return g.protocolType == "" }

// add makes m a member; the first one leads, and says what kind of group it is.
func (g *classicGroup) add(m *classicMember, protocolType string) {
	if len(g.members) == 0 {
		g.protocolType = protocolType
	}
	if g.leader == "" {
		g.leader = m.id
	}
	g.enter(m)
}

// complete reports whether everybody who is expected has joined.
func (g *classicGroup) complete() bool { return len(g.pendingJoin) == 0 && g.waiting == len(g.members) }

// elect makes sure that the leader is a member that has joined; false if nobody has.
func (g *classicGroup) elect() bool {
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
func (g *classicGroup) agreeable(protocolType string, protocols []wire.JoinGroupRequestProtocol) bool {
	if g.state == empty {
		return protocolType != "" && len(protocols) > 0
	}
	return protocolType == g.protocolType &&
		slices.ContainsFunc(protocols, func(p wire.JoinGroupRequestProtocol) bool { return g.unanimous(p.Name) })
}

// assignments are those of the current generation by member id.
func (g *classicGroup) assignments() map[string][]byte {
	assignments := make(map[string][]byte, len(g.members))
	for id, m := range g.members {
		assignments[id] = m.assignment
	}
	return assignments
}
