package conformance

import (
	"crypto/rand"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/ottla/ottla/test/harness"
	"github.com/ottla/ottla/test/realkafka"
)

// A target is the broker, or the cluster, that a test talks to.
type target struct {
	addr string          // several with commas between them
	own  *harness.Broker // nil when the broker is not Ottla, not ours, or not alone
	real *realkafka.Node // with OTTLA_TEST_REAL=1
	// house is the directory that Kafka and Ottla serve by turns; nil for most tests
	house *house
	nodes *nodes // of a cluster; nil for most tests
}

// newTarget starts a fresh broker with these properties: Ottla, or real Kafka with OTTLA_TEST_REAL=1; or a cluster of
// OTTLA_TEST_NODES. When OTTLA_TEST_BOOTSTRAP names a running broker, that one is taken instead.
func newTarget(t *testing.T, props ...string) target {
	t.Helper()
	if addr := os.Getenv("OTTLA_TEST_BOOTSTRAP"); addr != "" {
		return target{addr: addr}
	}
	if n, _ := strconv.Atoi(os.Getenv("OTTLA_TEST_NODES")); n > 1 {
		return newCluster(t, n, props...)
	}
	if os.Getenv("OTTLA_TEST_REAL") == "1" {
		cluster := realCluster(t, 1, props...)
		return target{addr: cluster.Addr, real: cluster.Nodes[0]}
	}
	b := harness.Start(t, props...)
	return target{addr: b.Addr, own: b}
}

func realCluster(t *testing.T, nodes int, props ...string) *realkafka.Cluster {
	t.Helper()
	if err := realkafka.Missing(); err != nil {
		t.Fatal(err)
	}
	cluster, err := realkafka.Start(t.Context(), t.TempDir(), nodes, append([]string{"group.initial.rebalance.delay.ms=0"}, props...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Kill)
	return cluster
}

// shared says that the broker is not this test's own: it is not killed, and others use it.
func (tg target) shared() bool {
	return tg.own == nil && tg.real == nil && tg.house == nil && tg.nodes == nil
}

// name returns word on a fresh broker, and word with something random behind it on a shared one.
func (tg target) name(word string) string {
	if !tg.shared() {
		return word
	}
	return word + "-" + strings.ToLower(rand.Text()[:8])
}

// replicas is how many replicas a topic is to have: as many as there are nodes, at most three.
func (tg target) replicas() int16 {
	if tg.nodes == nil {
		return 1
	}
	return int16(min(len(tg.nodes.all), 3))
}

// on is a run of the program with this broker.
func (p program) on(tg target) program {
	return p.with("BOOTSTRAP="+tg.addr, "REPLICATION="+strconv.Itoa(int(tg.replicas())))
}

// crash kills and restarts a broker of our own; a shared one stays as it is.
func (tg target) crash(t *testing.T) {
	t.Helper()
	tg.kill()
	tg.restart(t)
}

// kill ends a broker of our own with SIGKILL, or a node of a cluster, the next one with every call.
func (tg target) kill() {
	switch {
	case tg.own != nil:
		tg.own.Kill9()
	case tg.real != nil:
		tg.real.Kill()
	case tg.house != nil:
		tg.house.kill()
	case tg.nodes != nil:
		tg.nodes.kill()
	}
}

// restart starts the broker that kill has ended, or in a house the other one, and returns when it answers.
func (tg target) restart(t *testing.T) {
	t.Helper()
	switch {
	case tg.own != nil:
		tg.own.Restart()
	case tg.real != nil:
		if err := tg.real.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
	case tg.house != nil:
		tg.house.change()
	case tg.nodes != nil:
		tg.nodes.restart(t)
	}
}
