package group

import (
	"encoding/binary"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/ottla/ottla/internal/causes"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/wire"
)

// TestRandomMigrations is TestRandomConsumers with clients that change between the classic and the new protocol whenever they
// start: groups go over and back with members in them, whose joins, syncs and heartbeats cross the change.
func TestRandomMigrations(t *testing.T) {
	seeds, steps := 60, 300
	if testing.Short() {
		seeds = 30
	}
	converted := 0
	for seed := range seeds {
		m := newConsumerModel(t, uint64(seed))
		m.migrates = true
		for _, c := range m.clients {
			m.restartClient(c)
		}
		journal := m.run(steps)
		if t.Failed() {
			t.Fatalf("seed %d; the last answers were\n%s", seed, tail(journal, 40))
		}
		converted += m.converted
	}
	if converted < seeds {
		t.Errorf("only %d conversions in %d runs", converted, seeds)
	}
}

// classicTurn is what a client of the classic protocol does next: it joins, giving up what it had; it syncs, as the leader with
// an assignment; and it sends heartbeats until one tells it to join again. If lost is set, it never hears the answer.
func (m *consumerModel) classicTurn(c *modelConsumer, lost bool) {
	m.asked++
	c.waits = true
	life := c.lives
	// heard has f called with the answer, unless it comes to another life of the client.
	heard := func(f func()) {
		m.answered++
		if life != c.lives {
			return
		}
		c.waits = false
		if !lost {
			f()
		}
	}
	failed := func(error) { heard(func() {}) }
	switch {
	case c.joined && c.synced:
		m.beatClassic(c, heard, failed)
	case c.joined:
		m.syncClassic(c, heard, failed)
	default:
		c.owns = partitions{}
		m.joinClassic(c, heard, failed)
	}
}

func (m *consumerModel) joinClassic(c *modelConsumer, heard func(func()), failed func(error)) {
	join := Join{
		GroupID: "g", InstanceID: c.instance, Client: causes.Client{ID: c.name}, SessionTimeout: 10 * time.Second, Rebalance: 10 * time.Second,
		ProtocolType: consumerProtocol, Protocols: []wire.JoinGroupRequestProtocol{{Name: "range", Metadata: subscriptionTo(c.topics...)}},
		Reply: func(r *wire.JoinGroupResponse) {
			m.say("%s joins by the classic protocol as %q -> %s at %d", c.name, r.MemberID, code(r.ErrorCode), r.GenerationID)
			heard(func() { m.heardJoin(c, r) })
		},
	}
	if c.told {
		join.MemberID = c.id
	}
	m.do(func(g *Coordinator, now time.Time) statemachine.Output { return g.Join(now, join) }, failed)
}

func (m *consumerModel) heardJoin(c *modelConsumer, r *wire.JoinGroupResponse) {
	switch kafka.ErrorCode(r.ErrorCode) {
	case kafka.None:
		c.id, c.epoch, c.told, c.joined, c.synced = r.MemberID, r.GenerationID, true, true, false
		c.leads = nil
		if r.Leader == r.MemberID && !r.SkipAssignment {
			for _, member := range r.Members {
				c.leads = append(c.leads, member.MemberID)
			}
		}
	case kafka.UnknownMemberID, kafka.FencedInstanceID:
		c.told = false
	}
}

func (m *consumerModel) syncClassic(c *modelConsumer, heard func(func()), failed func(error)) {
	rq := &wire.SyncGroupRequest{GroupID: "g", MemberID: c.id, GenerationID: c.epoch, GroupInstanceID: c.instance}
	for i, id := range c.leads {
		rq.Assignments = append(rq.Assignments, wire.SyncGroupRequestAssignment{MemberID: id, Assignment: m.dealt(i, len(c.leads))})
	}
	m.do(func(g *Coordinator, now time.Time) statemachine.Output {
		return g.Sync(now, causes.Client{ID: c.name}, rq, func(r *wire.SyncGroupResponse) {
			given := partitions{}
			if r.ErrorCode == 0 {
				given = must[partitions](m.t)(readAssignment(m.image, r.Assignment))
			}
			m.say("%s syncs at %d -> %s %s", rq.MemberID, rq.GenerationID, code(r.ErrorCode), printTopics(given))
			heard(func() {
				c.synced = r.ErrorCode == 0
				if c.joined = c.synced; c.synced {
					c.owns = given
				} else {
					c.toldOff(r.ErrorCode)
				}
			})
		})
	}, failed)
}

// dealt is what the leader of a classic group gives the i-th of n members: every n-th partition of every topic.
func (m *consumerModel) dealt(i, n int) []byte {
	var a wire.ConsumerProtocolAssignment
	next := 0
	for _, name := range []string{"t0", "t1", "t2"} {
		topic := m.image.Topic(name)
		if topic == nil {
			continue
		}
		given := wire.ConsumerProtocolAssignmentTopicPartition{Topic: name}
		for id := range topic.Partitions {
			if next%n == i {
				given.Partitions = append(given.Partitions, int32(id))
			}
			next++
		}
		a.AssignedPartitions = append(a.AssignedPartitions, given)
	}
	var w wire.Writer
	a.Encode(&w, 1)
	return append(binary.BigEndian.AppendUint16(nil, 1), w.Bytes()...)
}

func (m *consumerModel) beatClassic(c *modelConsumer, heard func(func()), failed func(error)) {
	rq := &wire.HeartbeatRequest{GroupID: "g", MemberID: c.id, GenerationID: c.epoch, GroupInstanceID: c.instance}
	m.do(func(g *Coordinator, now time.Time) statemachine.Output {
		return g.Heartbeat(now, causes.Client{ID: c.name}, rq, func(err error) {
			m.say("%s beats by the classic protocol at %d -> %s", rq.MemberID, rq.GenerationID, kafka.CodeOf(err))
			heard(func() {
				if err != nil {
					c.joined = false
					c.toldOff(int16(kafka.CodeOf(err)))
				}
			})
		})
	}, failed)
}

// toldOff has the client of the classic protocol give up everything, and its member id if nobody knows that.
func (c *modelConsumer) toldOff(code int16) {
	switch kafka.ErrorCode(code) {
	case kafka.UnknownMemberID, kafka.FencedInstanceID:
		c.told, c.owns = false, partitions{}
	case kafka.IllegalGeneration:
		c.owns = partitions{}
	}
}

// checkMigrated checks in the end that every partition has one consumer, by whatever protocol.
func (m *consumerModel) checkMigrated() {
	consumers := map[string]string{}
	for _, c := range m.clients {
		for _, topic := range topicsInOrder(c.owns) {
			for _, id := range c.owns[topic] {
				key := fmt.Sprint(printTopics(partitions{topic: {id}}))
				if consumers[key] != "" {
					m.t.Errorf("%s and %s consume %s", consumers[key], c.name, key)
				}
				consumers[key] = c.name
			}
		}
	}
	subscribed := map[string]bool{}
	for _, c := range m.clients {
		for _, name := range c.topics {
			subscribed[name] = true
		}
		if c.regex != "" {
			subscribed["t0"], subscribed["t1"], subscribed["t2"] = true, true, true
		}
	}
	for name := range subscribed {
		topic := m.image.Topic(name)
		if topic == nil {
			continue
		}
		for id := range topic.Partitions {
			if key := printTopics(partitions{topicID(name): {int32(id)}}); consumers[key] == "" {
				m.t.Errorf("nobody consumes %s", key)
			}
		}
	}
	if g := m.machine.classic("g"); g != nil && g.state != stable {
		m.t.Errorf("the classic group is %s in the end", g.state)
	}
	if slices.ContainsFunc(m.clients, func(c *modelConsumer) bool { return !c.classic }) && m.machine.consumer("g") == nil {
		m.t.Error("there are consumers of the new protocol, and the group is classic")
	}
}
