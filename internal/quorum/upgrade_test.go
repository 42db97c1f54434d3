package quorum

import (
	"errors"
	"testing"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/vfs"
)

// newStatic starts three static voters, who know each other by node id alone.
func newStatic(t *testing.T) *cluster {
	c := newClusterOn(t, 0, Options{}, func(t *testing.T, disk *vfs.Memory) journal { return openFileJournal(t, disk) })
	for id := range int32(3) {
		c.next.Voters = append(c.next.Voters, Voter{NodeID: id + 1})
	}
	for id := range int32(3) {
		c.boot(id+1, vfs.NewMemory())
	}
	return c
}

func TestStaticQuorumBecomesDynamic(t *testing.T) {
	c := newStatic(t)
	leader := c.elect()
	leader.propose("a")
	c.pass(2)
	if got := leader.lead.KRaftVersion(); got != 0 {
		t.Errorf("kraft.version %d", got)
	}
	if err := leader.lead.UpgradeKRaftVersion(1, false); !errors.Is(err, kafka.InvalidUpdateVersion) {
		t.Errorf("the voters have not told of themselves: %v", err)
	}
	for id := range c.nodes {
		got := changed(func(done func(error)) error {
			return leader.UpdateVoter(Member{Voter: voter(id), Endpoints: endpoints(id), MaxKRaft: 1}, done)
		})
		if *got != "done" {
			t.Errorf("node %d tells of itself: %q", id, *got)
		}
	}
	if err := leader.lead.UpgradeKRaftVersion(1, true); err != nil || leader.lead.KRaftVersion() != 0 {
		t.Errorf("validating: %v, then version %d", err, leader.lead.KRaftVersion())
	}
	if err := leader.lead.UpgradeKRaftVersion(1, false); err != nil {
		t.Fatal(err)
	}
	leader.propose("b")
	c.pass(2)
	for id, n := range c.nodes {
		if s := n.Status(); s.KRaftVersion != 1 || s.Voters[2].Voter != voter(3) || len(s.Voters[2].Endpoints) != 1 {
			t.Errorf("node %d: %+v", id, s)
		}
	}
	for id := range int32(3) { // they have votes under the names that they had
		c.crash(id + 1)
		c.pass(1)
	}
	leader = c.elect()
	c.next.Dynamic = true
	c.boot(4, vfs.NewMemory())
	c.pass(6)
	c.grow(4)
	leader = c.elect()
	for _, id := range []int32{1, 2, 3} {
		if id != leader.id {
			gone := leader.remove(id)
			c.pass(3)
			if *gone != "done" {
				t.Errorf("removing %d: %q", id, *gone)
			}
			break
		}
	}
	leader.propose("c")
	c.pass(3)
	for id, n := range c.nodes {
		if len(n.applied) != 3 && n.votesNow() {
			t.Errorf("node %d applied %q", id, n.applied)
		}
	}
}

func (n *node) votesNow() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.votes()
}
