package conformance

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/ottla/ottla/test/harness"
	"github.com/ottla/ottla/test/realkafka"
	"github.com/ottla/ottla/test/torture/machines"
)

// A clusterNode is a process of a cluster.
type clusterNode struct {
	kill, stop, start func(*testing.T)
}

// nodes are a cluster, in which kill takes one after the other.
type nodes struct {
	all     []clusterNode
	next    int               // whom kill takes, or has taken
	striker *machines.Striker // everything goes wrong, not kills alone; nil for most tests
}

// newCluster starts a cluster of Ottla, or of real Kafka with OTTLA_TEST_REAL=1, in which topics have a replica on each of
// the nodes, at most three.
func newCluster(t *testing.T, size int, props ...string) target {
	t.Helper()
	c := &nodes{next: -1}
	if os.Getenv("OTTLA_TEST_REAL") == "1" {
		cluster := realCluster(t, size, append([]string{"default.replication.factor=3", "min.insync.replicas=2"}, props...)...)
		for _, n := range cluster.Nodes {
			c.all = append(c.all, realNode(n))
		}
		return target{nodes: c, addr: cluster.Bootstrap()}
	}
	if os.Getenv("OTTLA_TEST_FAULTS") == "all" {
		return newTorturedCluster(t, size, proofSeed(t), props...)
	}
	return c.of(harness.StartCluster(t, size, props...))
}

// newTorturedCluster is newCluster with everything between the nodes that package machines needs for its faults.
func newTorturedCluster(t *testing.T, size int, seed uint64, props ...string) target {
	t.Helper()
	// Silence of a second is enough to be fenced: faults are short, so that clients do not give up.
	m := machines.Start(t, size, append(props, "broker.session.timeout.ms=1000", "broker.heartbeat.interval.ms=200")...)
	c := &nodes{next: -1, striker: machines.NewStriker(t, m, seed)}
	c.striker.Longest = 2 * time.Second
	return c.of(m.Cluster)
}

func (c *nodes) of(cluster *harness.Cluster) target {
	for _, b := range cluster.Nodes {
		c.all = append(c.all, clusterNode{
			kill:  func(*testing.T) { b.Kill9() },
			stop:  func(*testing.T) { b.Stop() },
			start: func(*testing.T) { b.Restart() },
		})
	}
	return target{nodes: c, addr: strings.Join(cluster.Addrs(), ",")}
}

func realNode(n *realkafka.Node) clusterNode {
	must := func(t *testing.T, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	return clusterNode{
		kill:  func(*testing.T) { n.Kill() },
		stop:  func(t *testing.T) { must(t, n.Stop()) },
		start: func(t *testing.T) { must(t, n.Start(t.Context())) },
	}
}

func (c *nodes) kill() {
	c.next = (c.next + 1) % len(c.all)
	c.all[c.next].kill(nil)
}

func (c *nodes) restart(t *testing.T) {
	t.Helper()
	c.all[c.next].start(t)
}
