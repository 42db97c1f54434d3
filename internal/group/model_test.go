package group

import (
	"bytes"
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

// TestRandomSchedules lets clients that do the right thing, the wrong thing and nothing at all meet a log that is slow,
// refuses and fails, and coordinators that move. What must hold is in model.check and in the answers' checks.
func TestRandomSchedules(t *testing.T) {
	seeds, steps := 150, 400
	if testing.Short() {
		seeds = 20
	}
	for seed := range seeds {
		first := runModel(t, uint64(seed), steps)
		if t.Failed() {
			t.Fatalf("seed %d; the last answers were\n%s", seed, tail(first, 30))
		}
		if seed%10 == 0 && !slices.Equal(first, runModel(t, uint64(seed), steps)) {
			t.Fatalf("seed %d: two runs differ", seed)
		}
	}
}

func tail(lines []string, n int) string {
	text := ""
	for _, l := range lines[max(0, len(lines)-n):] {
		text += l + "\n"
	}
	return text
}

// model is what a test knows about a run.
type model struct {
	*bench
	rand      *rand.Rand
	clients   []*modelClient
	requests  []*request
	journal   []string
	committed int64 // offset of the log that is committed
	held      bool
	owners    map[string]*modelClient // by group and member id
	seen      map[*classicGroup]int32 // generation
}

type modelClient struct {
	group      string
	name       string
	instance   *string
	memberID   string
	generation int32
	leads      []string // members of the generation, if this client leads it
	waits      bool     // for the answer of its last request
	next       func(m *model, c *modelClient)
}

// request is one request and how often it was answered.
type request struct {
	text    string
	answers int
}

func runModel(t *testing.T, seed uint64, steps int) []string {
	m := &model{
		bench: newBench(t), rand: rand.New(rand.NewPCG(seed, 7)), owners: map[string]*modelClient{}, seen: map[*classicGroup]int32{},
	}
	m.settings.InitialRebalanceDelay = []time.Duration{0, 3 * time.Second}[m.rand.IntN(2)]
	m.settings.MaxSize = []int{1 << 30, 3}[m.rand.IntN(2)]
	m.settings.OffsetsRetention = 20 * time.Minute
	for g := range 2 {
		for c := range 5 {
			client := &modelClient{group: fmt.Sprint("g", g), name: fmt.Sprint("c", c), generation: -1}
			if c >= 3 {
				id := fmt.Sprint("i", c-3) // two clients with the same instance id now and then
				client.instance = &id
			}
			m.clients = append(m.clients, client)
		}
	}
	for range steps {
		m.step()
		m.check()
	}
	m.engine.Stop(kafka.Errorf(kafka.NotCoordinator, "the end"))
	for _, r := range m.requests {
		if r.answers != 1 {
			t.Errorf("%s: answered %d times", r.text, r.answers)
		}
	}
	return m.journal
}

// ask notes a request; the function that it returns notes its answer.
func (m *model) ask(format string, args ...any) func(answer string) {
	r := &request{text: fmt.Sprintf("%d ", len(m.requests)) + fmt.Sprintf(format, args...)}
	m.requests = append(m.requests, r)
	m.journal = append(m.journal, r.text)
	return func(answer string) {
		r.answers++
		if r.answers > 1 {
			m.t.Errorf("%s: answered again: %s", r.text, answer)
		}
		m.journal = append(m.journal, r.text+" -> "+answer)
	}
}

func (m *model) step() {
	c := m.clients[m.rand.IntN(len(m.clients))]
	switch n := m.rand.IntN(100); {
	case n < 60: // what a client does that behaves
		switch {
		case c.waits:
		case c.memberID == "" || c.next == nil:
			m.join(c)
		default:
			c.next(m, c)
		}
	case n < 65:
		m.join(c)
	case n < 70:
		m.sync(c)
	case n < 72:
		m.leave(c)
	case n < 82:
		m.commit(c)
	case n < 84:
		done := m.ask("delete %s", c.group)
		m.do(func(g *Coordinator, _ time.Time) statemachine.Output {
			return g.Delete(causes.Client{}, c.group, func(err error) { done(kafka.CodeOf(err).String()) })
		}, func(err error) { done("not run") })
	case n < 94:
		m.clock.Advance(time.Duration(m.rand.IntN(8000)) * time.Millisecond)
	case n < 95:
		m.clock.Advance(time.Duration(m.rand.IntN(15)) * time.Minute)
	case n < 97:
		m.log.FailAppends(nil)
		m.held = false
		m.log.Release()
	default:
		m.trouble()
	}
}

// trouble is what happens to the log and to the coordinator.
func (m *model) trouble() {
	switch m.rand.IntN(6) {
	case 0:
		m.log.FailAppends(kafka.Errorf(kafka.NotEnoughReplicas, "a test has it so"))
	case 1:
		m.log.FailAppends(nil)
	case 2:
		m.held = true
		m.log.Hold()
	case 3:
		m.committed += int64(m.rand.IntN(int(m.log.End()-m.committed) + 1))
		m.log.Commit(m.committed)
	case 4:
		m.held = false
		m.log.Release()
	case 5:
		m.journal = append(m.journal, "restart")
		if m.rand.IntN(3) == 0 {
			m.log.FailCommits(kafka.Errorf(kafka.KafkaStorageError, "a test has it so"))
			m.log.FailCommits(nil)
		}
		before := snapshot(m.machine)
		m.restart()
		m.compare(before, snapshot(m.machine))
		clear(m.seen)
	}
}

func (m *model) join(c *modelClient) {
	id := c.memberID
	if m.rand.IntN(10) == 0 {
		id = ""
	}
	protocols := []wire.JoinGroupRequestProtocol{{Name: "a", Metadata: []byte{1, 2, byte(m.rand.IntN(2))}}, {Name: "b", Metadata: []byte{3}}}
	if m.rand.IntN(8) == 0 {
		protocols = protocols[m.rand.IntN(2):]
	}
	done := m.ask("%s/%s joins as %q", c.group, c.name, id)
	rq := Join{
		GroupID: c.group, MemberID: id, InstanceID: c.instance, Client: causes.Client{ID: c.name}, Protocols: protocols, ProtocolType: consumerProtocol,
		SessionTimeout: time.Duration(6+m.rand.IntN(20)) * time.Second, Rebalance: time.Duration(5+m.rand.IntN(20)) * time.Second,
		RequireMemberID: m.rand.IntN(2) == 0, SkipAssignment: m.rand.IntN(2) == 0,
		Reply: func(r *wire.JoinGroupResponse) {
			c.waits = false
			m.joined(c, id, r)
			done(printJoin(r))
		},
	}
	c.waits = true
	m.do(func(g *Coordinator, now time.Time) statemachine.Output {
		out := g.Join(now, rq)
		for _, p := range protocols {
			clear(p.Metadata)
		}
		return out
	}, func(error) { c.waits = false; done("not run") })
}

func (m *model) joined(c *modelClient, asked string, r *wire.JoinGroupResponse) {
	c.next = (*model).join
	switch kafka.ErrorCode(r.ErrorCode) {
	case kafka.None, kafka.MemberIDRequired:
		if r.ErrorCode == 0 {
			c.next = (*model).sync
		}
		key := c.group + " " + r.MemberID
		if owner := m.owners[key]; owner != nil && asked != r.MemberID {
			m.t.Errorf("%s is given to %s, and was to %s before", key, c.name, owner.name)
		}
		m.owners[key] = c
		c.memberID, c.generation, c.leads = r.MemberID, r.GenerationID, nil
		for _, member := range r.Members {
			c.leads = append(c.leads, member.MemberID)
			if len(member.Metadata) == 0 || member.Metadata[0] == 0 {
				m.t.Errorf("%s: the leader sees metadata %v of a request that was answered long ago", key, member.Metadata)
			}
		}
	case kafka.UnknownMemberID, kafka.FencedInstanceID, kafka.GroupMaxSizeReached:
		c.memberID = ""
	}
}

func (m *model) sync(c *modelClient) {
	rq := &wire.SyncGroupRequest{GroupID: c.group, MemberID: c.memberID, GenerationID: c.generation, GroupInstanceID: c.instance}
	for _, id := range c.leads {
		rq.Assignments = append(rq.Assignments, wire.SyncGroupRequestAssignment{MemberID: id, Assignment: fmt.Appendf(nil, "%s at %d", id, len(m.requests))})
	}
	done := m.ask("%s/%s syncs as %q at %d", c.group, c.name, c.memberID, c.generation)
	c.waits = true
	m.do(func(g *Coordinator, now time.Time) statemachine.Output {
		out := g.Sync(now, causes.Client{}, rq, func(r *wire.SyncGroupResponse) {
			c.waits, c.next = false, (*model).join
			if r.ErrorCode == 0 {
				c.next = (*model).beat
				m.assigned(c.group, rq.MemberID, rq.GenerationID, r.Assignment)
			}
			done(printSync(r))
		})
		for _, a := range rq.Assignments {
			clear(a.Assignment)
		}
		return out
	}, func(error) { c.waits = false; done("not run") })
}

// assigned checks that an assignment which is handed out stands in a committed record of its generation.
func (m *model) assigned(group, memberID string, generation int32, assignment []byte) {
	if !m.held {
		m.committed = m.log.End()
	}
	for _, b := range m.log.Batches() {
		if b.LastOffset() >= m.committed {
			break
		}
		for r := range b.Records(1 << 20) {
			var key wire.GroupMetadataKey
			var value wire.GroupMetadataValue
			if wire.DecodeRecordKey(r.Key, &key) != nil || r.Value == nil || key.Group != group {
				continue
			}
			if _, err := wire.DecodeRecordValue(r.Value, &value); err != nil || value.Generation != generation {
				continue
			}
			for _, saved := range value.Members {
				if saved.MemberID == memberID && bytes.Equal(saved.Assignment, assignment) {
					return
				}
			}
		}
	}
	m.t.Errorf("%s of %s is assigned %q at generation %d, which no committed record says", memberID, group, assignment, generation)
}

func (m *model) beat(c *modelClient) {
	rq := &wire.HeartbeatRequest{GroupID: c.group, MemberID: c.memberID, GenerationID: c.generation, GroupInstanceID: c.instance}
	done := m.ask("%s/%s beats as %q at %d", c.group, c.name, c.memberID, c.generation)
	m.do(func(g *Coordinator, now time.Time) statemachine.Output {
		return g.Heartbeat(now, causes.Client{}, rq, func(err error) {
			if err != nil {
				c.next = (*model).join
			}
			done(kafka.CodeOf(err).String())
		})
	}, func(error) { c.waits = false; done("not run") })
}

func (m *model) leave(c *modelClient) {
	members := []wire.LeaveGroupRequestMemberIdentity{{MemberID: c.memberID, GroupInstanceID: c.instance}}
	if m.rand.IntN(3) == 0 {
		for _, other := range m.clients {
			if other.group == c.group && other != c {
				members = append(members, wire.LeaveGroupRequestMemberIdentity{MemberID: other.memberID})
			}
		}
	}
	done := m.ask("%s/%s leaves as %q, and %d more", c.group, c.name, c.memberID, len(members)-1)
	m.do(func(g *Coordinator, now time.Time) statemachine.Output {
		return g.Leave(now, causes.Client{}, c.group, members, func(r []wire.LeaveGroupResponseMemberResponse, err error) { done(printLeave(r, err)) })
	}, func(error) { c.waits = false; done("not run") })
}

func (m *model) commit(c *modelClient) {
	rq := &wire.OffsetCommitRequest{
		GroupID: c.group, MemberID: c.memberID, GenerationIDOrMemberEpoch: c.generation, GroupInstanceID: c.instance, RetentionTimeMs: noRetention,
		Topics: []wire.OffsetCommitRequestTopic{{Name: "t", Partitions: []wire.OffsetCommitRequestPartition{{
			PartitionIndex: int32(m.rand.IntN(3)), CommittedOffset: int64(len(m.requests)), CommittedLeaderEpoch: -1,
		}}}},
	}
	if m.rand.IntN(4) == 0 {
		rq.MemberID, rq.GenerationIDOrMemberEpoch, rq.GroupInstanceID = "", -1, nil
	}
	if m.rand.IntN(4) == 0 {
		rq.RetentionTimeMs = 60_000
	}
	done := m.ask("%s/%s commits as %q at %d", c.group, c.name, rq.MemberID, rq.GenerationIDOrMemberEpoch)
	m.do(func(g *Coordinator, now time.Time) statemachine.Output {
		return g.CommitOffsets(now, causes.Client{}, 9, rq, func(_ *wire.OffsetCommitResponse, err error) { done(kafka.CodeOf(err).String()) })
	}, func(error) { c.waits = false; done("not run") })
}

// durable is what of a group a restart must not change.
type durable struct {
	offsets map[kafka.TopicPartition]committed
	// Of a stable group:
	stable     bool
	generation int32
	leader     string
	members    map[string]string // assignment by member id
}

func snapshot(c *Coordinator) map[string]durable {
	all := map[string]durable{}
	for id, shared := range c.groups {
		d := durable{offsets: maps.Clone(shared.offsets)}
		if g := c.classic(id); g != nil && g.state == stable {
			d.stable, d.generation, d.leader, d.members = true, g.generation, g.leader, map[string]string{}
			for id, m := range g.members {
				d.members[id] = string(m.assignment)
			}
		}
		all[id] = d
	}
	return all
}

func (m *model) compare(before, after map[string]durable) {
	for id, was := range before {
		is := after[id]
		if len(was.offsets)+len(is.offsets) > 0 && !maps.Equal(was.offsets, is.offsets) {
			m.t.Errorf("%s: committed offsets %v are %v after a restart", id, was.offsets, is.offsets)
		}
		if was.stable && (!is.stable || is.generation != was.generation || is.leader != was.leader || !reflect.DeepEqual(is.members, was.members)) {
			m.t.Errorf("%s: %+v is %+v after a restart", id, was, is)
		}
	}
}
