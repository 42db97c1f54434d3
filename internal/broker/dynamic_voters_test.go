package broker

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/vfs"
)

// newDynamicNodes describes nodes that find each other at the first one's controller; that is a quorum of its own when it starts.
func newDynamicNodes(t testing.TB, n int, sets ...string) *nodes {
	c := newNodes(t, n, append(sets, "controlled.shutdown.enable=false")...)
	c.bootstrap = c.all[0].controller
	return c
}

// ask sends a request to a broker.
func (c *nodes) ask(n *testNode, rq kmsg.Request) kmsg.Response {
	c.t.Helper()
	l := n.Listeners()[0]
	client, err := kgo.NewClient(kgo.SeedBrokers(net.JoinHostPort(l.Host, strconv.Itoa(l.Port))))
	if err != nil {
		c.t.Fatal(err)
	}
	defer client.Close()
	rs, err := client.SeedBrokers()[0].Request(c.t.Context(), rq)
	if err != nil {
		c.t.Fatal(err)
	}
	return rs
}

func (c *nodes) addVoter(through, n *testNode) error {
	host, port, _ := net.SplitHostPort(n.controller)
	number, _ := strconv.Atoi(port)
	rq := kmsg.NewPtrAddRaftVoterRequest()
	rq.ClusterID, rq.TimeoutMillis, rq.VoterID, rq.VoterDirectoryID = &c.clusterID, 10_000, n.id, n.metadataDir.ID()
	rq.Listeners = []kmsg.AddRaftVoterRequestListener{{Name: "CONTROLLER", Host: host, Port: uint16(number)}}
	rs := c.ask(through, rq).(*kmsg.AddRaftVoterResponse)
	return answer(rs.ErrorCode, rs.ErrorMessage)
}

func (c *nodes) removeVoter(through *testNode, id int32, directory kafka.UUID) error {
	rq := kmsg.NewPtrRemoveRaftVoterRequest()
	rq.ClusterID, rq.VoterID, rq.VoterDirectoryID = &c.clusterID, id, directory
	rs := c.ask(through, rq).(*kmsg.RemoveRaftVoterResponse)
	return answer(rs.ErrorCode, rs.ErrorMessage)
}

func answer(code int16, text *string) error {
	err := kerr.ErrorForCode(code)
	if err != nil && text != nil {
		return fmt.Errorf("%w: %s", err, *text)
	}
	return err
}

// votersAre waits until a node knows these voters.
func (c *nodes) votersAre(n *testNode, ids ...int32) {
	c.t.Helper()
	untilRight(c.t, "voters", func() error {
		set, _ := n.voters.current()
		got := make([]int32, len(set))
		for i, m := range set {
			got[i] = m.NodeID
		}
		if !slices.Equal(got, ids) {
			return fmt.Errorf("node %d knows the voters %v, want %v", n.id, got, ids)
		}
		return nil
	})
}

func (c *nodes) mustStart(n *testNode) {
	c.t.Helper()
	if err := c.start(n); err != nil {
		c.t.Fatalf("node %d: %v", n.id, err)
	}
}

func TestQuorumGrowsAndAControllerIsReplaced(t *testing.T) {
	c := newDynamicNodes(t, 4)
	one, two, three, four := c.all[0], c.all[1], c.all[2], c.all[3]
	four.controller = "" // a broker alone, which finds the others in the same way
	for _, n := range c.all {
		c.mustStart(n)
		c.votersAre(n, 1)
	}
	untilRight(t, "adding node 2", func() error { return c.addVoter(four, two) })
	untilRight(t, "adding node 3", func() error { return c.addVoter(one, three) })
	for _, n := range c.all {
		c.votersAre(n, 1, 2, 3)
	}
	if err := c.addVoter(four, three); !errors.Is(err, kerr.DuplicateVoter) {
		t.Errorf("adding a voter again: %v", err)
	}

	// The disk of node 3 is replaced.
	old := three.metadataDir.ID()
	c.stop(three)
	three.disk = vfs.NewMemory()
	c.mustStart(three)
	if err := c.addVoter(one, three); !errors.Is(err, kerr.DuplicateVoter) {
		t.Errorf("adding another directory of a voter's node: %v", err)
	}
	if err := c.removeVoter(four, 3, three.metadataDir.ID()); !errors.Is(err, kerr.VoterNotFound) {
		t.Errorf("removing a voter that is none: %v", err)
	}
	if err := c.removeVoter(four, 3, old); err != nil {
		t.Fatal(err)
	}
	c.votersAre(three, 1, 2)
	untilRight(t, "adding node 3 again", func() error { return c.addVoter(two, three) })
	c.votersAre(three, 1, 2, 3)

	// The first node goes: it has its vote taken, even if it leads.
	if err := c.removeVoter(four, 1, one.metadataDir.ID()); err != nil {
		t.Fatal(err)
	}
	c.votersAre(one, 2, 3)
	if active := c.active(); active == one {
		t.Error("node 1 leads without a vote")
	}
	c.stop(one)
	c.stop(two)
	c.mustStart(two) // finds the others by what is on its disk: the bootstrap server is gone
	c.votersAre(two, 2, 3)
}

func TestControllersJoinByThemselves(t *testing.T) {
	t.Parallel()
	c := newDynamicNodes(t, 3, "controller.quorum.auto.join.enable=true", "controller.quorum.fetch.timeout.ms=300")
	for _, n := range c.all {
		c.mustStart(n)
	}
	for _, n := range c.all {
		c.votersAre(n, 1, 2, 3)
	}
	third := c.all[2]
	c.stop(third)
	third.disk, third.controller = vfs.NewMemory(), freeAddress(t) // another disk, at another address
	c.mustStart(third)
	for _, n := range c.all {
		c.votersAre(n, 1, 2, 3)
	}
	untilRight(t, "the new directory and address", func() error {
		set, _ := c.all[0].voters.current()
		m, _ := set.Node(3)
		if m.DirectoryID != third.metadataDir.ID() || len(m.Endpoints) != 1 || !strings.HasSuffix(third.controller, fmt.Sprint(m.Endpoints[0].Port)) {
			return fmt.Errorf("node 3 votes as %+v", m)
		}
		return nil
	})
	// A voter that moves tells the leader.
	second := c.all[1]
	c.stop(second)
	second.controller = freeAddress(t)
	c.mustStart(second)
	untilRight(t, "the new address", func() error {
		set, _ := third.voters.current()
		if m, _ := set.Node(2); !strings.HasSuffix(second.controller, fmt.Sprint(m.Endpoints[0].Port)) {
			return fmt.Errorf("node 2 is reached at %v", m.Endpoints)
		}
		return nil
	})
}

// TestStaticQuorumBecomesDynamic: kraft.version is raised, then the nodes start with bootstrap servers in place of voters.
func TestStaticQuorumBecomesDynamic(t *testing.T) {
	c := newNodes(t, 3, "controller.quorum.fetch.timeout.ms=300", "controlled.shutdown.enable=false")
	c.startAll()
	if err := c.addVoter(c.all[0], c.all[1]); !errors.Is(err, kerr.UnsupportedVersion) {
		t.Errorf("adding a voter to a static quorum: %v", err)
	}
	rq := kmsg.NewPtrUpdateFeaturesRequest()
	rq.FeatureUpdates = []kmsg.UpdateFeaturesRequestFeatureUpdate{{Feature: "kraft.version", MaxVersionLevel: 1, UpgradeType: 1}}
	untilRight(t, "the upgrade", func() error {
		rs := c.ask(c.all[1], rq).(*kmsg.UpdateFeaturesResponse)
		return answer(rs.ErrorCode, rs.ErrorMessage)
	})
	dynamic := func(n *testNode) {
		t.Helper()
		untilRight(t, "kraft.version 1", func() error {
			set, version := n.voters.current()
			if m, _ := set.Node(3); version != 1 || m.DirectoryID != c.all[2].metadataDir.ID() || len(m.Endpoints) != 1 {
				return fmt.Errorf("node %d knows version %d and %+v", n.id, version, m)
			}
			return nil
		})
	}
	for _, n := range c.all {
		dynamic(n)
	}
	c.bootstrap = c.all[0].controller + "," + c.all[1].controller
	for _, n := range c.all {
		c.stop(n)
		c.mustStart(n)
		dynamic(n)
	}
	if err := c.removeVoter(c.all[0], 3, c.all[2].metadataDir.ID()); err != nil {
		t.Fatal(err)
	}
	c.votersAre(c.all[2], 1, 2)
	untilRight(t, "adding it again", func() error { return c.addVoter(c.all[0], c.all[2]) })
	c.votersAre(c.all[2], 1, 2, 3)
}
