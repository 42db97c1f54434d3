package torture

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/test/harness"
	"github.com/ottla/ottla/test/torture/ledger"
)

// replicated is what the cluster's clients write to: six partitions on three nodes, of which two must have each record.
var replicated = topic{name: "replicated", partitions: 6, writers: 3, acks: kgo.AllISRAcks(), promise: ledger.Promise{Once: true}, group: "cluster-auditors"}

// nodes is how many processes a cluster has.
const nodes = 3

// startCluster starts three processes, each broker and controller, whose traffic with each other goes through wires.
func startCluster(t *testing.T) (all []*harness.Broker, w *wires) {
	t.Helper()
	w = newWires(t)
	var voters []string
	for i := range nodes {
		voters = append(voters, fmt.Sprintf("%d@%s", i+1, w.controller(i)))
	}
	all = make([]*harness.Broker, nodes)
	var starting sync.WaitGroup
	for i := range nodes {
		starting.Go(func() {
			all[i] = harness.Start(t, "log.dirs="+formatted(t, i+1), fmt.Sprintf("node.id=%d", i+1), "process.roles=broker,controller", "controller.listener.names=CONTROLLER",
				fmt.Sprintf("listeners=PLAINTEXT://%s,INTERNAL://%s,CONTROLLER://%s", w.clients[i], w.brokers[i].behind, w.controllers[i].behind),
				fmt.Sprintf("advertised.listeners=PLAINTEXT://%s,INTERNAL://%s", w.clients[i], w.brokers[i].front),
				"listener.security.protocol.map=PLAINTEXT:PLAINTEXT,INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT", "inter.broker.listener.name=INTERNAL",
				"controller.quorum.voters="+strings.Join(voters, ","), "offsets.topic.replication.factor=3", "log.dir.reserve=0")
		})
	}
	starting.Wait()
	return all, w
}

// formatted is a log directory as kafka-storage format leaves it.
func formatted(t *testing.T, node int) string {
	dir := t.TempDir()
	content := fmt.Sprintf("version=1\ncluster.id=dG9ydHVyZS1jbHVzdGVyLQ\nnode.id=%d\ndirectory.id=%s\n", node, kafka.NewUUID())
	if err := os.WriteFile(filepath.Join(dir, "meta.properties"), []byte(content), 0o644); err != nil {
		t.Error(err)
	}
	return dir
}

// TestCluster kills, pauses and cuts off the processes of a cluster of three while producers with acks=all write and a group
// commits, for OTTLA_TORTURE_MINUTES. In the end everything acknowledged is there, once and in order, and no commit is lost.
func TestCluster(t *testing.T) {
	minutes, seed := setting(t, "OTTLA_TORTURE_MINUTES", 0), setting(t, "OTTLA_TORTURE_SEED", rand.Uint64()%1_000_000)
	limit := 15 * time.Second
	if minutes > 0 {
		limit = time.Duration(minutes) * time.Minute
	}
	t.Logf("%v, seed %d", limit, seed)
	random := rand.New(rand.NewPCG(seed, 0))
	all, w := startCluster(t)
	book := ledger.New()
	admin := kadm.NewClient(connect(t, all[0], quickRetries()...))
	minInSync := "2"
	if _, err := admin.CreateTopic(t.Context(), int32(replicated.partitions), nodes, map[string]*string{"min.insync.replicas": &minInSync}, replicated.name); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var closes []func()
	for id := range replicated.writers {
		closes = append(closes, startWriter(ctx, t, all[id%nodes], replicated, id, book).close)
	}
	closes = append(closes, startAuditor(ctx, t, all[0], replicated, book).close)
	faults := map[string]int{}
	for deadline := time.Now().Add(limit); time.Now().Before(deadline); {
		awaitClusterProgress(t, book, 50)
		time.Sleep(time.Duration(random.IntN(1500)) * time.Millisecond)
		faults[strike(t, random, all, w)]++
	}
	awaitClusterProgress(t, book, 50)
	stop()
	for _, end := range closes {
		end()
	}
	report(t, readCluster(t, all[0], book))
	acknowledged, commits := book.Acknowledgements()
	t.Logf("%v; %d records acknowledged, %d commits", faults, acknowledged[replicated.name], commits[replicated.group])
}

// strike does one thing to one node, and ends it.
func strike(t *testing.T, random *rand.Rand, all []*harness.Broker, w *wires) string {
	t.Helper()
	n := random.IntN(nodes)
	b, long := all[n], time.Duration(100+random.IntN(4000))*time.Millisecond
	switch random.IntN(4) {
	case 0:
		b.Kill9()
		w.dead(t, n, true)
		time.Sleep(long)
		w.dead(t, n, false)
		b.Restart()
		return "kill -9"
	case 1:
		process, err := os.FindProcess(b.PID)
		if err == nil {
			err = process.Signal(syscall.SIGSTOP)
		}
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(long)
		if err := process.Signal(syscall.SIGCONT); err != nil {
			t.Fatal(err)
		}
		return "SIGSTOP"
	case 2:
		w.cut(n, true)
		time.Sleep(long)
		w.cut(n, false)
		return "cut off"
	}
	b.Stop()
	b.Restart()
	return "restart"
}

// awaitClusterProgress waits for acknowledgements.
func awaitClusterProgress(t *testing.T, book *ledger.Ledger, more int) {
	t.Helper()
	before, _ := book.Acknowledgements()
	for deadline := time.Now().Add(cycleLimit); ; time.Sleep(5 * time.Millisecond) {
		now, _ := book.Acknowledgements()
		if now[replicated.name]-before[replicated.name] >= more {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d acknowledgements within %v; last errors: %s", now[replicated.name]-before[replicated.name], cycleLimit, book.Failures())
		}
	}
}

// readCluster reads everything back.
func readCluster(t *testing.T, b *harness.Broker, book *ledger.Ledger) []string {
	t.Helper()
	c := &checker{t: t, b: b, book: book, fences: map[string]int{}, readings: map[string]*ledger.Reading{}}
	c.client = connect(t, b, append(quickRetries(), kgo.RecordPartitioner(kgo.ManualPartitioner()))...)
	c.admin = kadm.NewClient(c.client)
	c.readings[replicated.name] = ledger.NewReading(replicated.name, replicated.promise)
	faults := c.readOn(replicated, true)
	least := book.Committed(replicated.group)
	committed := again(t, func() (kadm.OffsetResponses, error) { return c.admin.FetchOffsets(t.Context(), replicated.group) })
	for place, offset := range least {
		if o, found := committed.Lookup(place.Topic, place.Partition); !found || o.At < offset {
			faults = append(faults, fmt.Sprintf("group %s, %v: committed offset is %d, %d was acknowledged", replicated.group, place, o.At, offset))
		}
	}
	return faults
}
