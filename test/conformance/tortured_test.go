package conformance

import (
	"testing"
	"time"
)

// Everything that package machines knows happens to three nodes while producers of four clients write and consumers read:
// they go on by themselves, and all that was acknowledged is there, once and in order, and everybody reads all of it.
// `make proof-cluster` lets it run for as long as one likes.
func TestClientsOfATorturedCluster(t *testing.T) {
	t.Parallel()
	tg := newTorturedCluster(t, 3, proofSeed(t), consumerTimeouts...)
	e := startEveryone(t, tg, 50, readerKind{"java", "classic"}, readerKind{"java", "consumer"}, readerKind{"confluent", "classic"}, readerKind{"kgo", "classic"})
	end := time.Now().Add(proofTime())
	for n := 0; n < 4 || time.Now().Before(end); n++ {
		begun := time.Now()
		name := tg.nodes.striker.Strike()
		struck := time.Since(begun)
		e.progress(10)
		t.Logf("%s fault %d: %s for %.1f s, everybody has gone on after %.1f s", time.Now().Format("15:04:05"), n+1, name, struck.Seconds(), (time.Since(begun) - struck).Seconds())
	}
	e.check()
	e.settled()
}
