package group

import (
	"bytes"
	"time"

	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/wire"
)

func (c *Coordinator) replayGroup(r statemachine.Record) error {
	var key wire.GroupMetadataKey
	if err := wire.DecodeRecordKey(r.Key, &key); err != nil {
		return err
	}
	g := c.classic(key.Group)
	if r.Value == nil {
		if g != nil {
			c.drop(g)
		}
		return nil
	}
	var value wire.GroupMetadataValue
	if _, err := wire.DecodeRecordValue(r.Value, &value); err != nil {
		return err
	}
	downgraded := c.live && len(value.Members) > 0 && (g == nil || g.simple() && len(g.members) == 0)
	if c.live && g != nil && !downgraded {
		return nil // this coordinator's own record: the step that wrote it has done all
	}
	if g == nil {
		g = c.newClassic(key.Group)
	}
	g.restore(&value)
	if downgraded {
		c.adopt(g)
	}
	return nil
}

// restore makes the group what a record says it was. Of members that claim the same id the last one counts.
func (g *classicGroup) restore(v *wire.GroupMetadataValue) {
	g.state, g.previous = empty, dead
	if len(v.Members) > 0 {
		g.state = stable
	}
	g.since = stateSince(v.CurrentStateTimestamp)
	g.generation, g.protocolType = v.Generation, v.ProtocolType
	g.protocol = textOf(v.Protocol)
	g.roster = newRoster()
	for i := range v.Members {
		m := restoredMember(&v.Members[i], g.protocol)
		if other := g.members[m.id]; other != nil {
			g.leave(other)
		}
		if m.static() && g.statics[*m.instanceID] != "" {
			g.leave(g.members[g.statics[*m.instanceID]])
		}
		g.enter(m)
	}
	g.leader = textOf(v.Leader)
	if g.members[g.leader] == nil {
		g.leader = g.oldest()
	}
	g.subscription = g.subscribe()
}

func restoredMember(saved *wire.GroupMetadataValueMemberMetadata, protocolName string) *classicMember {
	m := &classicMember{
		id: saved.MemberID, instanceID: saved.GroupInstanceID, clientID: saved.ClientID, clientHost: saved.ClientHost,
		sessionTimeout: time.Duration(saved.SessionTimeout) * time.Millisecond,
		protocols:      []protocol{{protocolName, bytes.Clone(saved.Subscription)}},
		assignment:     bytes.Clone(saved.Assignment),
	}
	m.rebalanceTimeout = m.sessionTimeout // version 0 did not tell it
	if saved.RebalanceTimeout >= 0 {
		m.rebalanceTimeout = time.Duration(saved.RebalanceTimeout) * time.Millisecond
	}
	return m
}

// drop forgets a classic group: one without members was deleted, or one with members has become a consumer group.
func (c *Coordinator) drop(g *classicGroup) {
	for _, m := range g.members {
		c.alarms.cancel(&m.session)
	}
	for id := range g.pendingJoin {
		c.unexpect(g, id)
	}
	c.alarms.cancel(&g.join)
	c.endSync(g)
	g.state = dead
	c.forget(g.group)
}
