package group

import "time"

// mayDowngrade reports whether a consumer group becomes a classic one when only these members are left: there are some, all
// of the classic protocol, and group.consumer.migration.policy and group.max.size allow it.
func (c *Coordinator) mayDowngrade(left map[string]*consumerMember) bool {
	settings := c.options.Settings()
	if len(left) == 0 || !settings.Downgrade || len(left) > settings.MaxSize {
		return false
	}
	for _, m := range left {
		if m.classic == nil {
			return false
		}
	}
	return true
}

// downgrade makes a classic group of a consumer group whose remaining members all use the classic protocol
// (GroupMetadataManager.convertToClassicGroup). They keep what the target assignment gives them; with rebalance they are
// asked to join again.
func (c *Coordinator) downgrade(out *outcome, now time.Time, g *consumerGroup, left map[string]*consumerMember, rebalance bool, causes []Cause) {
	g.tombstones(out)
	next := g.toClassic(c, left)
	next.since = now
	assignments := make(map[string][]byte, len(left))
	for id := range left {
		assignments[id] = writeAssignment(c.look(), g.target[id], next.members[id].metadata(next.protocol))
	}
	out.write(groupRecord(next, assignments))
	converted := Cause{Kind: GroupConverted, Reason: "from the consumer to the classic protocol, as group.consumer.migration.policy allows", Epoch: g.epoch}
	c.tell(now, g.id, g.epoch, converted)
	if !rebalance {
		return
	}
	generation := next.generation
	out.then(func(err error) {
		if err != nil {
			return
		}
		c.inStep(func(out *outcome, now time.Time) {
			if g := c.classic(next.id); g != nil && g.state == stable && g.generation == generation {
				c.prepare(out, now, g, causes...)
			}
		})
	})
}

// toClassic is the classic group that some members make up, as its record will say.
func (g *consumerGroup) toClassic(c *Coordinator, left map[string]*consumerMember) *classicGroup {
	next := newClassicGroup(&group{id: g.id})
	next.state, next.generation = stable, g.epoch
	for _, m := range orderedMembers(left) {
		cm := &classicMember{
			id: m.id, instanceID: m.instanceID, clientID: m.clientID, clientHost: m.clientHost,
			rebalanceTimeout: time.Duration(m.rebalanceTimeout) * time.Millisecond,
			sessionTimeout:   time.Duration(m.classic.SessionTimeoutMs) * time.Millisecond,
		}
		for _, p := range m.classic.SupportedProtocols {
			cm.protocols = append(cm.protocols, protocol{p.Name, p.Metadata})
		}
		next.add(cm, consumerProtocol)
	}
	next.protocol = next.choose()
	return next
}

// adopt has a classic group that has just come into being by a downgrade watch its members.
func (c *Coordinator) adopt(g *classicGroup) {
	for _, m := range g.ordered() {
		c.watch(g, m, c.now, m.sessionTimeout)
	}
}
