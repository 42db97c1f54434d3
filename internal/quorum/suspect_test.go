package quorum

import "testing"

// hurried lets short ticks pass, as the loop does.
func (c *cluster) hurried(ticks int) {
	for range ticks {
		for _, n := range c.nodes {
			if n.Quorum.hurried() {
				n.hurry()
			}
		}
		c.settle()
	}
}

// A leader whose process is seen to be dead is replaced without any time-out, if a majority sees it.
func TestSuspectedLeaderIsReplaced(t *testing.T) {
	c := newCluster(t, 3, Options{})
	old := c.elect()
	old.propose("a")
	c.settle()
	c.cut[old.id] = true
	var others []*node
	for _, n := range c.nodes {
		if n != old {
			others = append(others, n)
		}
	}
	others[0].Suspect(old.id)
	c.hurried(hurriedTicks)
	if others[0].lead != nil || others[1].lead != nil {
		t.Fatal("one suspicious voter made itself the leader, although the other had heard from the old one")
	}
	for _, n := range others {
		n.Suspect(old.id)
		n.Suspect(n.id) // nobody suspects itself
	}
	c.hurried(2 * electionTicks)
	if (others[0].lead != nil) == (others[1].lead != nil) {
		t.Fatalf("after %d short ticks there must be one leader", 2*electionTicks)
	}
	for _, n := range others {
		if n.Quorum.hurried() {
			n.hurry()
		}
		if n.Quorum.hurried() {
			t.Errorf("node %d hurries on under a new leader", n.id)
		}
	}
}

// A leader that lives stays, whoever suspects it.
func TestSuspectedLeaderThatLives(t *testing.T) {
	c := newCluster(t, 3, Options{})
	leader := c.elect()
	epoch := leader.lead.Epoch()
	for _, n := range c.nodes {
		if n != leader {
			n.Suspect(leader.id)
			break
		}
	}
	c.pass(1) // a heartbeat
	c.hurried(hurriedTicks)
	c.pass(3 * electionTicks)
	if leader.lead == nil || leader.lead.Epoch() != epoch {
		t.Fatalf("the leader of epoch %d was deposed by a voter that heard from it", epoch)
	}
}

// Every node is told once that it has all that was committed when it joined, and not before it has.
func TestCaughtUp(t *testing.T) {
	c := newCluster(t, 3, Options{})
	leader := c.elect()
	c.pass(2)
	for id, n := range c.nodes {
		if len(n.caughtUp) != 1 {
			t.Errorf("node %d was told %d times", id, len(n.caughtUp))
		}
	}
	var away int32
	for id := range c.nodes {
		if id != leader.id {
			away = id
		}
	}
	c.cut[away] = true
	for _, v := range []string{"a", "b", "c"} {
		leader.propose(v)
		c.settle()
	}
	n := c.crash(away)
	c.pass(2)
	if len(n.caughtUp) != 0 {
		t.Fatalf("a node that reaches nobody says that it has caught up: %q", n.caughtUp)
	}
	c.cut[away] = false
	c.pass(2 * electionTicks)
	if len(n.caughtUp) != 1 || n.caughtUp[0] != "a b c" {
		t.Fatalf("caught up with %q, want once with %q", n.caughtUp, "a b c")
	}
}
