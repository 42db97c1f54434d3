package quorum

import (
	"testing"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/vfs"
)

// A leader that stops is followed by the voter that has most of its log, without an election time-out.
func TestHandOver(t *testing.T) {
	c := newCluster(t, 3, Options{})
	old := c.elect()
	var behind, ahead *node
	for _, n := range c.nodes {
		switch {
		case n == old:
		case behind == nil:
			behind = n
		default:
			ahead = n
		}
	}
	c.cut[behind.id] = true
	old.propose("a")
	c.settle()
	c.cut[behind.id] = false
	old.mu.Lock()
	to := old.successor(0)
	old.mu.node.TransferLeader(to)
	old.mu.Unlock()
	if to != ahead.self {
		t.Fatalf("the successor is node %d, want %d, which has more of the log", old.nodeID(to), ahead.id)
	}
	c.settle()
	if ahead.lead == nil || old.lead != nil {
		t.Fatalf("leads: the old one %v, the successor %v", old.lead != nil, ahead.lead != nil)
	}
	outcome := ahead.propose("b")
	c.settle()
	if *outcome != "committed" {
		t.Errorf("under the successor: %q", *outcome)
	}
	if behind.successor(0) != 0 {
		t.Error("a follower has a successor")
	}
}

func TestNobodyToHandOverTo(t *testing.T) {
	if q := newCluster(t, 1, Options{}).elect(); q.successor(0) != 0 {
		t.Error("a lone voter has a successor")
	}
}

// A static voter whose disk was replaced gets the log anew, once another leads than the one that remembers what it had.
func TestVoterThatLostItsLog(t *testing.T) {
	c := newCluster(t, 3, Options{})
	leader := c.elect()
	for _, v := range []string{"a", "b", "c"} {
		leader.propose(v)
		c.settle()
	}
	c.pass(2)
	var lost int32
	for id := range c.nodes {
		if id != leader.id {
			lost = id
		}
	}
	delete(c.nodes, lost)
	n := c.boot(lost, vfs.NewMemory())
	c.refused = func(from, to *node, err error) {
		if to == n && kafka.CodeOf(err) == kafka.OffsetOutOfRange {
			from.Forgotten(to.self)
			return
		}
		t.Errorf("node %d: %v", to.id, err)
	}
	c.pass(3 * electionTicks)
	if n.lead != nil {
		t.Error("the node that lost its log leads")
	}
	c.agree("a b c")
}
