package quorum

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	pb "go.etcd.io/raft/v3/raftpb"
)

// TestRandomMembership changes the voters while nodes crash, are cut off, and messages are lost and overtake each other. It must
// never have two leaders in an epoch, lose or reorder what was committed, or show a node what others do not get. OTTLA_SEED runs
// one schedule, OTTLA_SEEDS so many; raft draws its election timeouts by itself, so a schedule comes about the same, not exactly.
func TestRandomMembership(t *testing.T) {
	first, count := 1, 25
	if text := os.Getenv("OTTLA_SEED"); text != "" {
		first, _ = strconv.Atoi(text)
		count = 1
	}
	if text := os.Getenv("OTTLA_SEEDS"); text != "" {
		count, _ = strconv.Atoi(text)
	}
	changes := 0
	for seed := range count {
		ok := t.Run(fmt.Sprint("seed ", first+seed), func(t *testing.T) {
			m := newMembership(t, uint64(first+seed))
			for range 150 {
				m.step()
			}
			m.finish()
			changes += m.changes
		})
		if !ok {
			return
		}
	}
	if count > 10 && changes < count {
		t.Errorf("%d changes of the voters in %d schedules: they change too little to find anything", changes, count)
	}
}

// membership is a random schedule with what must be true of it.
type membership struct {
	*cluster
	random  *rand.Rand
	next    int             // value to propose
	sure    []string        // values that were acknowledged
	leaders map[int32]int32 // node by epoch
	pending map[string]*string
	changes int
}

const membershipNodes = 5

func newMembership(t *testing.T, seed uint64) *membership {
	o := Options{}
	m := &membership{random: rand.New(rand.NewPCG(seed, 853)), leaders: map[int32]int32{}, pending: map[string]*string{}}
	if seed%3 == 0 {
		o.SnapshotBytes = 600
	}
	m.cluster = newDynamic(t, membershipNodes, o)
	m.refused = func(_, _ *node, _ error) {}
	return m
}

// any is a node that runs.
func (m *membership) any() *node {
	ids := slices.Sorted(maps.Keys(m.nodes))
	return m.nodes[ids[m.random.IntN(len(ids))]]
}

func (m *membership) step() {
	n := m.any()
	switch m.random.IntN(14) {
	case 0:
		m.crash(n.id)
	case 1:
		m.cut[n.id] = true
	case 2, 3:
		m.cut = map[int32]bool{}
	case 4, 5, 6:
		if n := m.leading(); n != nil {
			m.next++
			value := fmt.Sprint("v", m.next)
			if next, err := n.lead.Append(batch(value)); err == nil {
				n.lead.Await(next, func(err error) {
					if err == nil {
						m.sure = append(m.sure, value)
					}
				})
			}
		}
	case 7, 8:
		if n := m.leading(); n != nil {
			m.count(n.add(int32(1 + m.random.IntN(membershipNodes))))
		}
	case 9:
		if n := m.leading(); n != nil {
			m.count(n.remove(int32(1 + m.random.IntN(membershipNodes))))
		}
	default:
		for range 1 + m.random.IntN(4) {
			for _, id := range slices.Sorted(maps.Keys(m.nodes)) {
				if m.random.IntN(5) > 0 { // clocks do not agree
					m.nodes[id].tick()
					m.nodes[id].askLeader()
					m.nodes[id].fetchOnce()
				}
			}
			m.stir(20)
		}
	}
	m.stir(m.random.IntN(30))
	m.check()
}

// leading is a node that takes itself for the leader, if there is one.
func (m *membership) leading() *node {
	var all []*node
	for _, id := range slices.Sorted(maps.Keys(m.nodes)) {
		if m.nodes[id].lead != nil {
			all = append(all, m.nodes[id])
		}
	}
	if len(all) == 0 {
		return nil
	}
	return all[m.random.IntN(len(all))]
}

func (m *membership) count(outcome *string) { m.pending[fmt.Sprintf("%p", outcome)] = outcome }

// stir lets single nodes work and single messages arrive, in any order; some are lost.
func (m *membership) stir(times int) {
	for range times {
		if len(m.wire) == 0 || m.random.IntN(2) == 0 {
			n := m.any()
			if _, err := n.turn(); err != nil {
				m.t.Fatalf("node %d: %v", n.id, err)
			}
			untilSnapshot(n)
			continue
		}
		i := m.random.IntN(min(len(m.wire), 6))
		message := m.wire[i]
		m.wire = slices.Delete(slices.Clone(m.wire), i, i+1)
		if m.random.IntN(12) > 0 {
			m.hand([]*pb.Message{message})
		} else if n := m.find(message.GetFrom()); n != nil && message.GetType() == pb.MsgSnap {
			n.ReportSnapshot(message.GetTo(), false)
		}
	}
}

// check compares the nodes with each other.
func (m *membership) check() {
	m.t.Helper()
	var longest []string
	for _, id := range slices.Sorted(maps.Keys(m.nodes)) {
		n := m.nodes[id]
		if n.lead != nil {
			epoch := n.lead.Epoch()
			if other, known := m.leaders[epoch]; known && other != id {
				m.t.Fatalf("nodes %d and %d lead in epoch %d", other, id, epoch)
			}
			m.leaders[epoch] = id
		}
		a, b := longest, n.applied
		if len(b) > len(a) {
			a, b = b, a
		}
		if !slices.Equal(a[:len(b)], b) {
			m.t.Fatalf("node %d applied %q, another one %q", id, n.applied, longest)
		}
		longest = a
	}
	for key, outcome := range m.pending {
		if *outcome == "done" {
			m.changes++
		}
		if *outcome != "" {
			delete(m.pending, key)
		}
	}
}

// finish heals everything: there is a leader, and all have what was acknowledged, in its order.
func (m *membership) finish() {
	m.t.Helper()
	defer m.describe()
	m.cut = map[int32]bool{}
	m.pass(5 * electionTicks)
	leader := m.elect()
	leader.propose("end")
	m.pass(4 * electionTicks)
	m.check()
	want := leader.applied
	if len(want) == 0 || want[len(want)-1] != "end" {
		m.t.Fatalf("node %d leads and applied %q", leader.id, want)
	}
	m.agree(strings.Join(want, " "))
	at := 0
	for _, value := range m.sure {
		i := slices.Index(want[at:], value)
		if i < 0 {
			m.t.Fatalf("%s was acknowledged after %q; there is %q", value, m.sure[:at], want)
		}
		at += i + 1
	}
	for id, n := range m.nodes {
		if n.votersOf() != leader.votersOf() {
			m.t.Errorf("node %d knows the voters %q, the leader %q", id, n.votersOf(), leader.votersOf())
		}
	}
}

// describe tells the state of all nodes if something was wrong.
func (m *membership) describe() {
	if !m.t.Failed() {
		return
	}
	for _, id := range slices.Sorted(maps.Keys(m.nodes)) {
		n := m.nodes[id]
		s := n.mu.node.Status()
		m.t.Logf("node %d (%x): %v in term %d, leader %x, config %v, voters %s of entry %d, applied %d, log to %d, committed %d, %q",
			id, n.self, s.RaftState, s.HardState.GetTerm(), s.Lead, s.Config, n.votersOf(), n.mu.voting.index, n.last.index, n.storage.endPosition().index, s.HardState.GetCommit(), n.log)
	}
}
