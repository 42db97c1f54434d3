package partition

import (
	"testing"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/vfs"
	"github.com/ottla/ottla/internal/wire"
)

// A goroutine may come to wait for its append when the partition is led elsewhere already: what the high watermark has passed, or
// passes later, may be the new leader's records in the place of its own.
func TestAwaitAfterTheLeadershipIsLost(t *testing.T) {
	w := newWorld(t, vfs.NewMemory(), nil)
	defer w.close()
	w.replay(topic("t", 1, 1, self)...)
	p := w.get("t", 0)
	done := w.append(p, -1, "ours")
	if err := w.receive(w.await(p, done.NextOffset)); err != nil {
		t.Fatal(err)
	}
	w.replay(changed(1, func(r *wire.PartitionChangeRecord) {
		r.Replicas, r.Isr, r.Leader = []int32{self, 2}, []int32{self, 2}, 2
	}))
	w.wantCode(w.receive(w.await(p, done.NextOffset)), kafka.NotLeaderOrFollower)
	w.wantCode(w.receive(w.await(p, done.NextOffset+1)), kafka.NotLeaderOrFollower)
}
