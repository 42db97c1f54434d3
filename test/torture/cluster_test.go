package torture

import (
	"context"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ottla/ottla/test/harness"
	"github.com/ottla/ottla/test/torture/ledger"
	"github.com/ottla/ottla/test/torture/machines"
)

// clusterTopics are what the cluster's clients work on: three nodes, of which two must have each record. The replicas of one
// topic are moved all the time.
var clusterTopics = []topic{
	{name: "replicated", partitions: 6, replicas: 3, writers: 3, acks: kgo.AllISRAcks(), promise: ledger.Promise{Once: true}, group: "cluster-auditors"},
	{name: "rolling", partitions: 2, replicas: 3, writers: 1, acks: kgo.AllISRAcks(), promise: ledger.Promise{Once: true},
		config: map[string]string{"internal.segment.bytes": "32768", "index.interval.bytes": "512"}},
	{name: machines.Moving, partitions: 3, replicas: 2, writers: 1, acks: kgo.AllISRAcks(), promise: ledger.Promise{Once: true}},
	{name: "payments", partitions: 3, replicas: 3, writers: 1, acks: kgo.AllISRAcks(), promise: ledger.Promise{Once: true, Transactions: true},
		transactors: []transactors{{protocol: current}, {protocol: old}}},
	{name: "orders", partitions: 2, replicas: 3, writers: 1, acks: kgo.AllISRAcks(), promise: ledger.Promise{Once: true, Gapless: true}},
	{name: "copied", partitions: 2, replicas: 3, promise: ledger.Promise{Once: true, Transactions: true, Gapless: true}, copies: "orders", copier: current},
}

// clusterProperties: replicas are compared byte for byte, so that nothing is compacted meanwhile; a transaction whose
// producer is gone does not hold readers up for longer than a fault; replicas that do not keep up leave in-sync sets within a fault, and
// not only when their broker is fenced.
var clusterProperties = []string{
	"log.cleaner.enable=false", "transaction.abort.timed.out.transaction.cleanup.interval.ms=200", "replica.lag.time.max.ms=1500",
}

// TestCluster has everything that package machines knows happen to a cluster of three while producers with acks=all write, in
// transactions and without, and groups commit, for OTTLA_TORTURE_MINUTES. In the end everything acknowledged is there, once
// and in order, no commit is lost, nothing is under-replicated, the directories are right, and replicas have the same bytes.
func TestCluster(t *testing.T) {
	minutes, seed := setting(t, "OTTLA_TORTURE_MINUTES", 0), setting(t, "OTTLA_TORTURE_SEED", rand.Uint64()%1_000_000)
	limit := 15 * time.Second
	if minutes > 0 {
		limit = time.Duration(minutes) * time.Minute
	}
	t.Logf("%v, seed %d", limit, seed)
	m := machines.Start(t, 3, clusterProperties...)
	book := ledger.New()
	check := newChecker(t, m.Addrs(), clusterTopics, book)
	createTopics(t, check.admin, clusterTopics)
	striker := machines.NewStriker(t, m, seed)
	if minutes == 0 {
		striker.Longest = time.Second
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	closes := startWork(ctx, t, m.Addrs(), clusterTopics, book, seed)
	payments := clusterTopics[slices.IndexFunc(clusterTopics, topic.commits)]
	seen := startWitness(ctx, t, m.Addrs(), payments)
	faults, begun := map[string]int{}, time.Now()
	for deadline := begun.Add(limit); time.Now().Before(deadline); {
		awaitProgress(t, clusterTopics, book, 5, 1)
		time.Sleep(time.Duration(striker.Random.IntN(500)) * time.Millisecond)
		start := time.Now()
		name := striker.Strike()
		faults[name]++
		t.Logf("%5.1f s: %s for %.1f s; %s", time.Since(begun).Seconds(), name, time.Since(start).Seconds(), summary(clusterTopics, book))
	}
	awaitProgress(t, clusterTopics, book, 20, 1)
	told := book.Snapshot(payments.name)
	stop()
	for _, end := range closes {
		end()
	}
	report(t, seen.faults(t, book, told))
	report(t, check.all(true, true))
	striker.Settle()
	m.Stop()
	for _, b := range m.Nodes {
		verifyDirectory(t, b)
	}
	compareReplicas(t, m.Nodes)
	t.Logf("%v; %s", faults, summary(clusterTopics, book))
}

// compareReplicas wants every partition's replicas to have the same bytes.
func compareReplicas(t *testing.T, nodes []*harness.Broker) {
	t.Helper()
	var dirs []string
	for _, b := range nodes {
		dirs = append(dirs, b.Dir)
	}
	faults, partitions, size, err := machines.Compare(dirs)
	if err != nil {
		t.Fatal(err)
	}
	report(t, faults)
	if partitions == 0 || size == 0 {
		t.Errorf("%d partitions with several replicas, %d bytes of them compared", partitions, size)
	}
	t.Logf("%d partitions have the same %d bytes on several nodes", partitions, size)
}
