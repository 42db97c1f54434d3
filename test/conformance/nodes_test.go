package conformance

import (
	"os"
	"strings"
	"testing"

	"github.com/ottla/ottla/test/harness"
	"github.com/ottla/ottla/test/realkafka"
)

// A clusterNode is a process of a cluster.
type clusterNode struct {
	kill, stop, start func(*testing.T)
}

// nodes are a cluster, in which kill takes one after the other.
type nodes struct {
	all  []clusterNode
	own  *harness.Cluster // nil for real Kafka
	next int              // whom kill takes, or has taken
}

// newCluster starts a cluster of Ottla, or of real Kafka with OTTLA_TEST_REAL=1, in which topics have a replica on each of
// the nodes, at most three.
func newCluster(t *testing.T, size int, props ...string) target {
	t.Helper()
	c := &nodes{next: -1}
	tg := target{nodes: c}
	if os.Getenv("OTTLA_TEST_REAL") == "1" {
		cluster := realCluster(t, size, append([]string{"default.replication.factor=3", "min.insync.replicas=2"}, props...)...)
		tg.addr = cluster.Bootstrap()
		for _, n := range cluster.Nodes {
			c.all = append(c.all, realNode(n))
		}
		return tg
	}
	c.own = harness.StartCluster(t, size, props...)
	tg.addr = strings.Join(c.own.Addrs(), ",")
	for _, b := range c.own.Nodes {
		c.all = append(c.all, clusterNode{
			kill:  func(*testing.T) { b.Kill9() },
			stop:  func(*testing.T) { b.Stop() },
			start: func(*testing.T) { b.Restart() },
		})
	}
	return tg
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
