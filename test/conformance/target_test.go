package conformance

import (
	"crypto/rand"
	"os"
	"strings"
	"testing"

	"github.com/ottla/ottla/test/harness"
	"github.com/ottla/ottla/test/realkafka"
)

// A target is the broker that a test talks to.
type target struct {
	addr string
	own  *harness.Broker // nil when the broker is not Ottla, or not ours
	real *realkafka.Node // with OTTLA_TEST_REAL=1
	// house is the directory that Kafka and Ottla serve by turns; nil for most tests
	house *house
}

// newTarget starts a fresh broker with these properties: Ottla, or real Kafka with OTTLA_TEST_REAL=1. When
// OTTLA_TEST_BOOTSTRAP names a running broker, that one is taken instead.
func newTarget(t *testing.T, props ...string) target {
	t.Helper()
	if addr := os.Getenv("OTTLA_TEST_BOOTSTRAP"); addr != "" {
		return target{addr: addr}
	}
	if os.Getenv("OTTLA_TEST_REAL") == "1" {
		return realTarget(t, props...)
	}
	b := harness.Start(t, props...)
	return target{addr: b.Addr, own: b}
}

func realTarget(t *testing.T, props ...string) target {
	t.Helper()
	if err := realkafka.Missing(); err != nil {
		t.Fatal(err)
	}
	cluster, err := realkafka.Start(t.Context(), t.TempDir(), 1, append([]string{"group.initial.rebalance.delay.ms=0"}, props...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Kill)
	return target{addr: cluster.Addr, real: cluster.Nodes[0]}
}

// shared says that the broker is not this test's own: it is not killed, and others use it.
func (tg target) shared() bool { return tg.own == nil && tg.real == nil && tg.house == nil }

// name returns word on a fresh broker, and word with something random behind it on a shared one.
func (tg target) name(word string) string {
	if !tg.shared() {
		return word
	}
	return word + "-" + strings.ToLower(rand.Text()[:8])
}

// crash kills and restarts a broker of our own; a shared one stays as it is.
func (tg target) crash(t *testing.T) {
	t.Helper()
	tg.kill()
	tg.restart(t)
}

// kill ends a broker of our own with SIGKILL.
func (tg target) kill() {
	switch {
	case tg.own != nil:
		tg.own.Kill9()
	case tg.real != nil:
		tg.real.Kill()
	case tg.house != nil:
		tg.house.kill()
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
	}
}
