package group

import (
	"maps"
	"slices"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/statemachine"
)

// consumerType is the group type of ListGroups.
const consumerType = "consumer"

// States of consumer groups besides empty, stable and dead.
const (
	assigning   state = "Assigning"   // the target assignment is of an older epoch than the group
	reconciling state = "Reconciling" // members do not have yet what the target assignment gives them
)

// consumerGroup is a group whose members tell their subscriptions in heartbeats, and whose coordinator assigns the partitions
// (KIP-848, org.apache.kafka.coordinator.group.modern.consumer.ConsumerGroup). All of it but what is marked as soft is what
// the log says, and changes in Replay alone; steps work on it as it is, and on the records that they write.
type consumerGroup struct {
	*group
	epoch           int32 // grows with every change of members, subscriptions, or topics
	hash            int64 // of the topics that the members subscribe to, at that epoch
	assignmentEpoch int32 // of the target assignment
	assignedAt      int64 // when it was made, in milliseconds; 0: not known
	members         map[string]*consumerMember
	statics         map[string]string // member id by group.instance.id
	target          map[string]partitions
	regexes         map[string]resolvedRegex
	legacy          bool // the log has a ConsumerGroupPartitionMetadata record, which Kafka wrote before 4.1

	// What follows is counted from the above.
	subscribers  map[string]int // members that name a topic
	matched      map[string]int // resolved regular expressions that match a topic
	regexMembers map[string]int // members by regular expression
	assignors    map[string]int // members by the assignor that they prefer
	owners       held           // the epoch in which its owner holds a partition
	classics     int            // members that use the classic protocol
	protocols    map[string]int // how many of those support a protocol

	// soft
	hashes  topicHashes
	checked int64 // offset of the image whose topics are known to have hash
}

// resolvedRegex is what a regular expression matched.
type resolvedRegex struct {
	topics  []string // in order
	version int64    // offset of the image
	at      int64    // when, in milliseconds
}

var _ kind = (*consumerGroup)(nil)

// newConsumerGroup makes a consumer group without members that the coordinator does not know.
func newConsumerGroup(g *group) *consumerGroup {
	return &consumerGroup{
		group: g, epoch: 1, assignmentEpoch: 1, checked: -1,
		members: map[string]*consumerMember{}, statics: map[string]string{}, target: map[string]partitions{}, regexes: map[string]resolvedRegex{},
		subscribers: map[string]int{}, matched: map[string]int{}, regexMembers: map[string]int{}, assignors: map[string]int{},
		owners: held{}, protocols: map[string]int{}, hashes: topicHashes{},
	}
}

// consumer returns a group if it is a consumer group, otherwise nil.
func (c *Coordinator) consumer(id string) *consumerGroup {
	if g := c.groups[id]; g != nil {
		cg, _ := g.kind.(*consumerGroup)
		return cg
	}
	return nil
}

// put makes m a member, or puts it in the place of its former self.
func (g *consumerGroup) put(m *consumerMember) {
	g.count(g.members[m.id], -1)
	g.members[m.id] = m
	g.count(m, 1)
	if m.instanceID != nil {
		g.statics[*m.instanceID] = m.id
	}
}

// remove undoes put.
func (g *consumerGroup) remove(m *consumerMember) {
	g.count(m, -1)
	delete(g.members, m.id)
	if m.instanceID != nil && g.statics[*m.instanceID] == m.id {
		delete(g.statics, *m.instanceID)
	}
}

func (g *consumerGroup) count(m *consumerMember, by int) {
	if m == nil {
		return
	}
	for _, topic := range m.topics {
		add(g.subscribers, topic, by)
	}
	if m.regex != "" {
		add(g.regexMembers, m.regex, by)
	}
	if m.assignor != nil {
		add(g.assignors, *m.assignor, by)
	}
	if m.classic != nil {
		g.classics += by
		for _, p := range m.classic.SupportedProtocols {
			add(g.protocols, p.Name, by)
		}
	}
	for _, h := range []held{m.assigned, m.revoking} {
		g.own(h, m.epoch, by > 0)
	}
}

// own notes in which epoch partitions are held, or that they are not held in it any more.
func (g *consumerGroup) own(h held, epoch int32, holds bool) {
	for topic, ids := range h {
		for id := range ids {
			current, owned := g.owners[topic][id]
			switch {
			case holds && (!owned || current < epoch):
				g.owners.with(topic, id, epoch)
			case !holds && owned && current == epoch:
				delete(g.owners[topic], id)
			}
		}
		if len(g.owners[topic]) == 0 {
			delete(g.owners, topic)
		}
	}
}

func add(counts map[string]int, name string, by int) {
	if counts[name] += by; counts[name] <= 0 {
		delete(counts, name)
	}
}

// resolve notes what a regular expression matches; nil: it is not asked for any more.
func (g *consumerGroup) resolve(regex string, to *resolvedRegex) {
	if old, ok := g.regexes[regex]; ok {
		for _, topic := range old.topics {
			add(g.matched, topic, -1)
		}
		delete(g.regexes, regex)
	}
	if to != nil {
		g.regexes[regex] = *to
		for _, topic := range to.topics {
			add(g.matched, topic, 1)
		}
	}
}

// topicNames lists the topics that the group is subscribed to, in order.
func (g *consumerGroup) topicNames() []string {
	names := slices.AppendSeq(slices.Collect(maps.Keys(g.subscribers)), maps.Keys(g.matched))
	slices.Sort(names)
	return slices.Compact(names)
}

// subscription is what a member subscribes to by name, together with what its regular expression matches.
func (g *consumerGroup) subscription(m *consumerMember) []string {
	if m.regex == "" {
		return m.topics
	}
	matched := g.regexes[m.regex].topics
	if len(m.topics) == 0 {
		return matched
	}
	return distinctTexts(slices.Concat(m.topics, matched))
}

// assignor is the one that assigns the partitions.
func (g *consumerGroup) assignor(configured []string) string {
	return preferred(g.assignors, configured)
}

// preferred is the assignor that most members prefer, of those that are configured; the default one if nobody does.
func preferred(counts map[string]int, configured []string) string {
	best := configured[0]
	for _, name := range configured {
		if counts[name] > counts[best] {
			best = name
		}
	}
	return best
}

func (g *consumerGroup) state() state {
	switch {
	case len(g.members) == 0:
		return empty
	case g.epoch > g.assignmentEpoch:
		return assigning
	}
	for _, m := range g.members {
		if !m.reconciledTo(g.assignmentEpoch) {
			return reconciling
		}
	}
	return stable
}

// clone is a copy that a step may put members into.
func (g *consumerGroup) clone() *consumerGroup {
	next := *g
	next.members, next.statics, next.target, next.regexes = maps.Clone(g.members), maps.Clone(g.statics), maps.Clone(g.target), maps.Clone(g.regexes)
	next.subscribers, next.matched, next.regexMembers = maps.Clone(g.subscribers), maps.Clone(g.matched), maps.Clone(g.regexMembers)
	next.assignors, next.protocols, next.hashes = maps.Clone(g.assignors), maps.Clone(g.protocols), maps.Clone(g.hashes)
	next.owners = make(held, len(g.owners))
	for topic, ids := range g.owners {
		next.owners[topic] = maps.Clone(ids)
	}
	return &next
}

// apply replays the records of a step on a copy, to see what they make of it.
func (g *consumerGroup) apply(records []statemachine.Record) {
	for _, r := range records {
		kind, name, err := consumerKey(r.Key)
		if err == nil {
			err = g.replay(kind, name, r.Value)
		}
		if err != nil {
			panic("BUG: a record that was just written cannot be read: " + err.Error())
		}
	}
}

// list implements kind.
func (g *consumerGroup) list() (groupType, protocolType string, state state) {
	return consumerType, consumerProtocol, g.state()
}

// consumes implements kind.
func (g *consumerGroup) consumes(topic string) bool {
	return g.subscribers[topic] > 0 || g.matched[topic] > 0
}

// checkDelete implements kind.
func (g *consumerGroup) checkDelete() error {
	if len(g.members) > 0 {
		return kafka.Errorf(kafka.NonEmptyGroup, "The group is not empty.")
	}
	return nil
}

// checkDeleteOffsets implements kind: topics that are subscribed to are looked at one by one.
func (g *consumerGroup) checkDeleteOffsets() error { return nil }

// expirySince implements kind: since the commit, unless the group consumes the topic.
func (g *consumerGroup) expirySince(topic string, o committed) (since int64, expires bool) {
	return o.at, !g.consumes(topic)
}

// abandoned implements kind.
func (g *consumerGroup) abandoned() bool { return len(g.members) == 0 }

// begin implements kind: members have a session's time to be heard of, and go on with giving up partitions.
func (g *consumerGroup) begin(c *Coordinator, _ *outcome, now time.Time) {
	for _, m := range orderedMembers(g.members) {
		c.awaitMember(now, g.id, m)
		if m.state == revoking && m.classic == nil {
			c.awaitRevocation(now, g.id, m)
		}
	}
}

// stop implements kind: no request waits.
func (g *consumerGroup) stop(error) {}
