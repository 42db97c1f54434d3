package quorum

import "testing"

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
	to := old.successor()
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
	if behind.successor() != 0 {
		t.Error("a follower has a successor")
	}
}

func TestNobodyToHandOverTo(t *testing.T) {
	if q := newCluster(t, 1, Options{}).elect(); q.successor() != 0 {
		t.Error("a lone voter has a successor")
	}
}
