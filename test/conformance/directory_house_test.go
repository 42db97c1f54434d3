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
	t      *testing.T
	kafka  *realkafka.Node
	ottla  *harness.Broker // nil before its first turn
	ottlas bool            // who lives there now
	props  []string
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

// target is whoever lives in the house. When it is killed, the other one moves in.
func (h *house) target() target { return target{addr: h.kafka.Addr, house: h} }

func (h *house) data() string { return filepath.Join(h.kafka.Dir, "data") }

// move ends the one who lives there, with SIGKILL or as an operator does, and has the other one serve.
func (h *house) move(kill bool) {
	h.t.Helper()
	switch {
	case kill:
		h.kill()
	case h.ottlas:
		h.ottla.Stop()
	default:
		if err := h.kafka.Stop(); err != nil {
			h.t.Fatal(err)
		}
	}
	h.change()
}

func (h *house) kill() {
	if h.ottlas {
		h.ottla.Kill9()
	} else {
		h.kafka.Kill()
	}
}

// change has the other one serve from the directory.
func (h *house) change() {
	h.t.Helper()
	start := time.Now()
	h.ottlas = !h.ottlas
	switch {
	case !h.ottlas:
		ctx, cancel := context.WithTimeout(h.t.Context(), 3*time.Minute)
		defer cancel()
		if err := h.kafka.Start(ctx); err != nil {
			h.t.Fatal(err)
		}
	case h.ottla != nil:
		h.ottla.Restart()
	default:
		h.ottla = harness.Start(h.t, append([]string{"node.id=1", "listeners=PLAINTEXT://" + h.kafka.Addr, "log.dirs=" + h.data()}, h.props...)...)
	}
	h.t.Logf("%s the directory is Ottla's: %v, served after %v", time.Now().Format("15:04:05.000"), h.ottlas, time.Since(start).Round(time.Millisecond))
}
