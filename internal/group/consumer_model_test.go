package group

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/ottla/ottla/internal/causes"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/wire"
)

// TestRandomConsumers lets members of the new protocol, and some of the classic one, join, change their minds, lose answers,
// fall silent and restart, over a log that is slow and refuses and with coordinators that move, while topics come, grow and go.
// What must hold is in consumerModel.check; in the end all who are still there share all partitions.
func TestRandomConsumers(t *testing.T) {
	seeds, steps := 60, 300
	if testing.Short() {
		seeds = 20
	}
	for seed := range seeds {
		first := runConsumerModel(t, uint64(seed), steps)
		if t.Failed() {
			t.Fatalf("seed %d; the last answers were\n%s", seed, tail(first, 30))
		}
		if seed%10 == 0 && !slices.Equal(first, runConsumerModel(t, uint64(seed), steps)) {
			t.Fatalf("seed %d: two runs differ", seed)
		}
	}
}

type consumerModel struct {
	*bench
	rand     *rand.Rand
	clients  []*modelConsumer
	journal  []string
	asked    int
	answered int
	held     bool
	calmed   bool // clients do not change their minds any more
	epochs   map[*consumerGroup]int32
	topics   int
	// Of TestRandomMigrations:
	migrates  bool // clients change their protocol when they start
	converted int  // how often the group changed its kind
	kind      string
}

// modelConsumer is what a client of the new protocol knows.
type modelConsumer struct {
	name, id string
	lives    int // how often it has started
	instance *string
	classic  bool
	joined   bool // of the classic protocol: it has a generation
	synced   bool // and its assignment
	leads    []string
	epoch    int32      // or generation
	owns     partitions // what it consumes
	told     bool       // it was told an assignment in this life
	topics   []string
	regex    string
	waits    bool
}

func runConsumerModel(t *testing.T, seed uint64, steps int) []string {
	return newConsumerModel(t, seed).run(steps)
}

func newConsumerModel(t *testing.T, seed uint64) *consumerModel {
	m := &consumerModel{bench: newBench(t), rand: rand.New(rand.NewPCG(seed, 11)), epochs: map[*consumerGroup]int32{}}
	m.consumer.AssignmentInterval = []time.Duration{0, time.Second}[m.rand.IntN(2)]
	m.settings.InitialRebalanceDelay = 0
	m.createTopic("t0", 4)
	m.topics = 1
	for i := range 6 {
		c := &modelConsumer{name: fmt.Sprint("c", i), classic: i == 5 && m.rand.IntN(2) == 0}
		if i >= 4 {
			id := fmt.Sprint("i", i)
			c.instance = &id
		}
		m.restartClient(c)
		m.clients = append(m.clients, c)
	}
	return m
}

func (m *consumerModel) run(steps int) []string {
	for range steps {
		m.step()
		m.check()
	}
	m.calm()
	m.engine.Stop(kafka.Errorf(kafka.NotCoordinator, "the end"))
	if m.asked != m.answered {
		m.t.Errorf("%d requests, %d answers", m.asked, m.answered)
	}
	return m.journal
}

func (m *consumerModel) restartClient(c *modelConsumer) {
	c.lives++
	c.waits = false
	if m.migrates && m.rand.IntN(2) == 0 {
		c.classic = !c.classic
	}
	c.id, c.epoch, c.owns, c.told = fmt.Sprint(c.name, "-", c.lives), 0, partitions{}, false
	c.joined, c.synced, c.leads = false, false, nil
	c.topics, c.regex = []string{"t0"}, ""
	switch m.rand.IntN(4) {
	case 0:
		c.topics = []string{"t0", "t1"}
	case 1:
		if !c.classic {
			c.topics, c.regex = nil, "t[0-2]"
		}
	}
}

func (m *consumerModel) say(format string, args ...any) {
	m.journal = append(m.journal, fmt.Sprintf(format, args...))
}

func (m *consumerModel) step() {
	c := m.clients[m.rand.IntN(len(m.clients))]
	switch n := m.rand.IntN(100); {
	case n < 70:
		m.beat(c, m.rand.IntN(12) == 0)
	case n < 73: // it dies, and comes back later under another id
		m.restartClient(c)
	case n < 76:
		m.leave(c)
	case n < 85:
		m.advance(time.Duration(m.rand.IntN(4000)) * time.Millisecond)
	case n < 87:
		m.advance(time.Duration(m.rand.IntN(60)) * time.Second)
	case n < 91:
		m.changeTopics()
	case n < 96:
		m.log.FailAppends(nil)
		m.held = false
		m.log.Release()
		m.work()
	default:
		m.trouble()
	}
}

func (m *consumerModel) changeTopics() {
	name := fmt.Sprint("t", m.rand.IntN(3))
	switch topic := m.image.Topic(name); {
	case topic == nil:
		m.createTopic(name, 1+m.rand.IntN(3))
	case m.rand.IntN(2) == 0 && len(topic.Partitions) < 6:
		m.createTopic(name, len(topic.Partitions)+1)
	case name != "t0":
		m.deleteTopic(name)
	}
	m.say("topic %s", name)
}

func (m *consumerModel) trouble() {
	switch m.rand.IntN(5) {
	case 0:
		m.log.FailAppends(kafka.Errorf(kafka.NotEnoughReplicas, "a test has it so"))
	case 1, 2:
		m.held = true
		m.log.Hold()
	default:
		m.say("restart")
		before := m.durable()
		m.restart()
		m.work()
		clear(m.epochs)
		for id, was := range before {
			if is := m.durable()[id]; !reflect.DeepEqual(was, is) {
				m.t.Errorf("group %s was\n%+v and after a restart is\n%+v", id, was, is)
			}
		}
	}
}

// durable is what a restart must find.
func (m *consumerModel) durable() map[string]map[string]string {
	all := map[string]map[string]string{}
	for id := range m.machine.groups {
		g := m.machine.consumer(id)
		if g == nil {
			continue
		}
		texts := map[string]string{"": fmt.Sprint(g.epoch, g.hash, g.assignmentEpoch, g.assignedAt, g.statics, g.regexes)}
		for id, member := range g.members {
			classic := member.classic != nil
			texts[id] = fmt.Sprint(member.epoch, member.previousEpoch, member.state, member.topics, member.regex, member.assigned, member.revoking, g.target[id], classic)
		}
		all[id] = texts
	}
	return all
}

// beat is a heartbeat, or for a client that is not in the group a join. If lost is set, the client never hears the answer.
func (m *consumerModel) beat(c *modelConsumer, lost bool) {
	if c.waits {
		return
	}
	if c.classic {
		m.classicTurn(c, lost)
		return
	}
	rq := &wire.ConsumerGroupHeartbeatRequest{GroupID: "g", MemberID: c.id, MemberEpoch: c.epoch, InstanceID: c.instance, RebalanceTimeoutMs: -1}
	rq.TopicPartitions = []wire.ConsumerGroupHeartbeatRequestTopicPartitions{}
	for _, topic := range topicsInOrder(c.owns) {
		rq.TopicPartitions = append(rq.TopicPartitions, wire.ConsumerGroupHeartbeatRequestTopicPartitions{TopicID: topic, Partitions: c.owns[topic]})
	}
	if c.epoch == 0 || m.rand.IntN(10) == 0 {
		if !m.calmed && m.rand.IntN(4) == 0 && c.regex == "" {
			c.topics = [][]string{{"t0"}, {"t0", "t1"}, {"t2"}, {}}[m.rand.IntN(4)]
		}
		regex := c.regex
		rq.RebalanceTimeoutMs, rq.SubscribedTopicRegex = 20_000, &regex
		rq.SubscribedTopicNames = append([]string{}, c.topics...)
	}
	life := c.lives
	c.waits = true
	m.asked++
	number := m.asked
	m.do(func(g *Coordinator, now time.Time) statemachine.Output {
		return g.ConsumerHeartbeat(now, ConsumerHeartbeat{ConsumerGroupHeartbeatRequest: rq, Version: 1, Client: causes.Client{ID: c.name}}, func(r *wire.ConsumerGroupHeartbeatResponse, err error) {
			m.answered++
			if life == c.lives {
				c.waits = false
			}
			m.say("%d %s at %d owning %s -> %s", number, rq.MemberID, rq.MemberEpoch, printTopics(ownedPartitions(rq.TopicPartitions)), answerText(r, err))
			if !lost && life == c.lives {
				m.heard(c, r, err)
			}
		})
	}, func(error) {
		m.answered++
		if life == c.lives {
			c.waits = false
		}
	})
}

func answerText(r *wire.ConsumerGroupHeartbeatResponse, err error) string {
	if err != nil {
		return kafka.CodeOf(err).String()
	}
	if r.Assignment == nil {
		return fmt.Sprint("epoch ", r.MemberEpoch)
	}
	given := partitions{}
	for _, t := range r.Assignment.TopicPartitions {
		given[t.TopicID] = t.Partitions
	}
	return fmt.Sprint("epoch ", r.MemberEpoch, " ", printTopics(given))
}

// heard has the client do what it is told: it gives up at once what it is not given any more.
func (m *consumerModel) heard(c *modelConsumer, r *wire.ConsumerGroupHeartbeatResponse, err error) {
	switch kafka.CodeOf(err) {
	case kafka.None:
		c.epoch = r.MemberEpoch
		if r.Assignment != nil {
			c.owns, c.told = partitions{}, true
			for _, t := range r.Assignment.TopicPartitions {
				c.owns[t.TopicID] = t.Partitions
			}
		}
	case kafka.FencedMemberEpoch, kafka.UnknownMemberID, kafka.GroupIDNotFound, kafka.FencedInstanceID:
		c.epoch, c.owns, c.told = 0, partitions{}, false
	}
}

func (m *consumerModel) leave(c *modelConsumer) {
	if c.waits || c.classic || c.epoch == 0 {
		return
	}
	epoch := int32(leaving)
	if c.instance != nil && m.rand.IntN(2) == 0 {
		epoch = leavingForAWhile
	}
	rq := &wire.ConsumerGroupHeartbeatRequest{GroupID: "g", MemberID: c.id, MemberEpoch: epoch, InstanceID: c.instance, RebalanceTimeoutMs: -1}
	m.asked++
	id := c.id
	m.restartClient(c)
	m.do(func(g *Coordinator, now time.Time) statemachine.Output {
		return g.ConsumerHeartbeat(now, ConsumerHeartbeat{ConsumerGroupHeartbeatRequest: rq, Version: 1}, func(_ *wire.ConsumerGroupHeartbeatResponse, err error) {
			m.answered++
			m.say("%s leaves with %d -> %s", id, epoch, kafka.CodeOf(err))
		})
	}, func(error) { m.answered++ })
}

// check checks what holds between any two steps.
func (m *consumerModel) check() {
	m.t.Helper()
	alarms := 0
	for _, clock := range m.machine.clocks {
		alarms += count(clock.session) + count(clock.rebalance) + count(clock.join) + count(clock.sync)
	}
	classics := &model{bench: m.bench, seen: map[*classicGroup]int32{}}
	for id, shared := range m.machine.groups {
		switch g := shared.kind.(type) {
		case *classicGroup:
			alarms += classics.checkGroup(g)
		case *consumerGroup:
			if g.id != id || g.epoch < m.epochs[g] {
				m.t.Errorf("%s: epoch %d after %d", id, g.epoch, m.epochs[g])
			}
			m.epochs[g] = g.epoch
			m.checkConsumer(g)
		}
		if kind, _, _ := shared.kind.list(); id == "g" && kind != m.kind {
			m.kind = kind
			m.converted++
		}
	}
	if m.machine.live && alarms != len(m.machine.alarms.heap) {
		m.t.Errorf("%d alarms are on, groups account for %d", len(m.machine.alarms.heap), alarms)
	}
}

func (m *consumerModel) checkConsumer(g *consumerGroup) {
	owner := map[string]string{}
	again := newConsumerGroup(&group{id: g.id})
	for _, member := range orderedMembers(g.members) {
		again.put(member)
		for _, h := range []held{member.assigned, member.revoking} {
			for topic, ids := range h {
				for id := range ids {
					key := fmt.Sprint(topic, id)
					if owner[key] != "" {
						m.t.Errorf("%s and %s hold partition %d of %s", owner[key], member.id, id, topic)
					}
					owner[key] = member.id
				}
			}
		}
		if clock := m.machine.clocks[memberKey{g.id, member.id}]; m.machine.live && (clock == nil || clock.session.slot == 0) && !m.troubled() {
			m.t.Errorf("nobody watches %s", member.id)
		}
		if member.epoch > g.assignmentEpoch || g.assignmentEpoch > g.epoch {
			m.t.Errorf("%s is at epoch %d, the target at %d, the group at %d", member.id, member.epoch, g.assignmentEpoch, g.epoch)
		}
	}
	for regex, r := range g.regexes {
		again.resolve(regex, &r)
	}
	same := maps.Equal(again.subscribers, g.subscribers) && maps.Equal(again.matched, g.matched) && maps.Equal(again.regexMembers, g.regexMembers) &&
		maps.Equal(again.statics, g.statics) && maps.Equal(again.protocols, g.protocols) && again.classics == g.classics && again.owners.equal(g.owners)
	if !same {
		m.t.Errorf("miscounted: %+v is %+v", again, g)
	}
	// A client that is in the group consumes nothing that the group does not count as its.
	for _, c := range m.clients {
		member := g.members[c.id]
		if member == nil || member.epoch == leavingForAWhile || c.epoch == 0 {
			continue
		}
		for topic, ids := range c.owns {
			for _, id := range ids {
				_, has := member.assigned[topic][id]
				_, had := member.revoking[topic][id]
				if !has && !had {
					m.t.Errorf("%s consumes %s[%d], which it does not have", c.id, topic, id)
				}
			}
		}
	}
}

// troubled reports whether the log is not what it should be.
func (m *consumerModel) troubled() bool { return m.held }

// calm ends all trouble: in the end the group is stable, and its members have every partition that they subscribe to.
func (m *consumerModel) calm() {
	m.log.FailAppends(nil)
	m.held, m.calmed = false, true
	m.log.Release()
	m.work()
	m.advance(2 * time.Minute) // whoever is silent is out
	if !m.migrates {
		m.clients = slices.DeleteFunc(m.clients, func(c *modelConsumer) bool { return c.classic })
	}
	for range 40 {
		for _, c := range m.clients {
			m.beat(c, false)
			m.check()
		}
		m.advance(3 * time.Second)
	}
	if m.migrates {
		m.checkMigrated()
	}
	g := m.machine.consumer("g")
	if m.migrates && g == nil {
		return
	}
	if g == nil || g.state() != stable {
		m.t.Errorf("the group is not stable in the end: %+v", g)
		return
	}
	for _, name := range g.topicNames() {
		topic := m.image.Topic(name)
		if topic == nil {
			continue
		}
		if got := len(g.owners[topic.ID]); got != len(topic.Partitions) {
			m.t.Errorf("%d of %d partitions of %s have an owner", got, len(topic.Partitions), name)
		}
	}
}
