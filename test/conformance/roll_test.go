package conformance

import (
	"testing"
	"time"

	"github.com/ottla/ottla/test/torture/machines"
)

// Three nodes are restarted one after the other, as an operator does, while producers of four clients write and consumers of
// both protocols read: nothing fails that they do not get over by themselves, all that was acknowledged is there, once and in
// order, everybody reads all of it, and nothing is left under-replicated.
func TestRollingRestart(t *testing.T) {
	t.Parallel()
	tg := newCluster(t, 3, consumerTimeouts...)
	e := startEveryone(t, tg, 100, readerKind{"java", "consumer"}, readerKind{"confluent", "classic"}, readerKind{"kgo", "classic"}, readerKind{"kafka-python", "classic"})
	for n, one := range tg.nodes.all {
		one.stop(t)
		one.start(t)
		e.settled()
		e.progress(20)
		t.Logf("node %d has been restarted", n+1)
	}
	e.check()
	e.settled()
}

// settled waits until nothing is under-replicated.
func (e *everyone) settled() {
	e.t.Helper()
	var missing string
	eventually(e.t, time.Minute, func() string { return missing }, func() bool {
		missing = machines.Unsettled(e.t.Context(), e.client, len(e.tg.nodes.all))
		return missing == ""
	})
}
