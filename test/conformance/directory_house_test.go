package conformance

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/ottla/ottla/test/harness"
	"github.com/ottla/ottla/test/realkafka"
)

// A house is a data directory, and an address, that real Kafka and Ottla have by turns. Kafka makes it and moves in first.
type house struct {
	t     *testing.T
	kafka *realkafka.Node
	ottla *harness.Broker // nil before its first turn
	props []string
}

func newHouse(t *testing.T, props ...string) *house {
	t.Helper()
	if err := realkafka.Missing(); err != nil {
		if os.Getenv("OTTLA_TEST_ALL") == "1" {
			t.Fatal(err)
		}
		t.Skipf("%v: no directory of Kafka's is adopted", err)
	}
	if os.Getenv("OTTLA_TEST_BOOTSTRAP") != "" {
		t.Skip("the directory of a shared broker is not ours")
	}
	cluster, err := realkafka.Start(t.Context(), t.TempDir(), 1, append([]string{"group.initial.rebalance.delay.ms=0"}, props...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Kill)
	harness.Binary(t) // built now, not while nobody serves
	return &house{t: t, kafka: cluster.Nodes[0], props: props}
}

// target is whoever lives in the house.
func (h *house) target() target { return target{addr: h.kafka.Addr, real: h.kafka} }

func (h *house) data() string { return filepath.Join(h.kafka.Dir, "data") }

// toOttla ends Kafka, with SIGKILL or as its stop script does, and has Ottla serve from its directory.
func (h *house) toOttla(kill bool) {
	h.t.Helper()
	start := time.Now()
	if kill {
		h.kafka.Kill()
	} else if err := h.kafka.Stop(); err != nil {
		h.t.Fatal(err)
	}
	ended := time.Now()
	if h.ottla != nil {
		h.ottla.Restart()
	} else {
		h.ottla = harness.Start(h.t, append([]string{"node.id=1", "listeners=PLAINTEXT://" + h.kafka.Addr, "log.dirs=" + h.data()}, h.props...)...)
	}
	h.t.Logf("%s Ottla serves Kafka's directory (Kafka took %v to end, Ottla %v to start)", time.Now().Format("15:04:05.000"),
		ended.Sub(start).Round(time.Millisecond), time.Since(ended).Round(time.Millisecond))
}

// toKafka is the way back.
func (h *house) toKafka(kill bool) {
	h.t.Helper()
	if kill {
		h.ottla.Kill9()
	} else {
		h.ottla.Stop()
	}
	ctx, cancel := context.WithTimeout(h.t.Context(), 3*time.Minute)
	defer cancel()
	if err := h.kafka.Start(ctx); err != nil {
		h.t.Fatal(err)
	}
	h.t.Logf("%s Kafka serves the directory again", time.Now().Format("15:04:05.000"))
}
