package differential

import (
	"context"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/ottla/ottla/test/harness"
	"github.com/ottla/ottla/test/realkafka"
)

// clusterProperties are those of all six nodes; the rest is as by default.
var clusterProperties = []string{
	"offsets.topic.num.partitions=4",
	"transaction.state.log.num.partitions=4",
	"log.retention.ms=-1",
	"group.initial.rebalance.delay.ms=0",
	"default.replication.factor=1",
	"min.insync.replicas=1",
	"auto.leader.rebalance.enable=false",
	"share.coordinator.state.topic.replication.factor=3",
	"broker.rack=rack-{node}",
	"replica.selector.class=org.apache.kafka.common.replica.RackAwareReplicaSelector",
}

// TestSameAnswersOfClusters compares three nodes of Ottla with three of real Kafka, which scenarios stop and start: they run one after
// the other, in the order of their files.
func TestSameAnswersOfClusters(t *testing.T) {
	scenarios := scenariosFor(t, "testdata/cluster")
	t.Setenv("KAFKA_HEAP_OPTS", "-Xmx512m")
	kafka, ottla := startClusters(t)
	used := usage{allowances: append(append([]Allowance(nil), AllowedOfClusters...), Allowed...)}
	for _, s := range scenarios {
		t.Run(s.File+"/"+s.Name, func(t *testing.T) { used.checkClusters(t, s, kafka, ottla) })
	}
	t.Logf("%d scenarios, %d answers, %d fields compared", used.mu.scenarios, used.mu.answers, used.mu.fields)
	for i, a := range AllowedOfClusters {
		if used.mu.scenarios == len(scenarios) && used.mu.allowed[i] == 0 && !a.byChance() && os.Getenv("OTTLA_DIFFERENTIAL_SELF") != "1" {
			t.Errorf("no difference needs this allowance any more: %+v", a)
		}
	}
}

// startClusters starts three nodes of Kafka and three of Ottla (or of Kafka again).
func startClusters(t *testing.T) (kafka, ottla *nodes) {
	ctx, cancel := context.WithTimeout(t.Context(), startLimit)
	defer cancel()
	startKafka := func() *nodes {
		c, err := realkafka.Start(ctx, t.TempDir(), 3, clusterProperties...)
		if err != nil {
			t.Error(err)
			return nil
		}
		t.Cleanup(c.Kill)
		return kafkaNodes(c)
	}
	var both sync.WaitGroup
	both.Go(func() { kafka = startKafka() })
	if os.Getenv("OTTLA_DIFFERENTIAL_SELF") == "1" {
		both.Go(func() { ottla = startKafka() })
	} else {
		ottla = ottlaNodes(harness.StartCluster(t, 3, clusterProperties...))
	}
	both.Wait()
	if t.Failed() {
		t.FailNow()
	}
	return kafka, ottla
}

func kafkaNodes(c *realkafka.Cluster) *nodes {
	n := &nodes{
		stop: func(n int) error { return c.Nodes[n-1].Stop() },
		kill: func(n int) error { c.Nodes[n-1].Kill(); return nil },
		start: func(n int) error {
			ctx, cancel := context.WithTimeout(context.Background(), startLimit)
			defer cancel()
			return c.Nodes[n-1].Start(ctx)
		},
	}
	for _, node := range c.Nodes {
		n.addrs = append(n.addrs, node.Addr)
	}
	return n
}

func ottlaNodes(c *harness.Cluster) *nodes {
	return &nodes{
		addrs: c.Addrs(),
		stop:  func(n int) error { c.Nodes[n-1].Stop(); return nil },
		kill:  func(n int) error { c.Nodes[n-1].Kill9(); return nil },
		start: func(n int) error { c.Restart(c.Nodes[n-1]); return nil },
	}
}

// checkClusters is check on two clusters, with all of a scenario said to node 1 until it says otherwise.
func (u *usage) checkClusters(t *testing.T, s *Scenario, kafka, ottla *nodes) {
	now := time.Now()
	u.judge(t, s,
		func() ([]Step, error) { return playOn(s, kafka, kafka.addrs[0], now) },
		func() ([]Step, error) { return playOn(s, ottla, ottla.addrs[0], now) })
}
