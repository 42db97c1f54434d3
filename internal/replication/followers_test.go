package replication

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/ottla/ottla/internal/vfs"
	"github.com/ottla/ottla/internal/wire"
)

// A replica that was taken away and given back is followed, though somebody still looks at what was before: as Spread may, which
// collects replicas and then updates them one by one.
func TestAnEndedReplicaDoesNotStopItsSuccessor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 1, 3, 1)
		defer func() {
			for _, n := range c.nodes {
				n.stop(vfs.KeepUnsynced())
			}
			c.sends.Wait()
		}()
		c.write(10)
		n := c.node(3)
		before := n.partition()
		assign := func(replicas ...int32) {
			c.decide(change(func(r *wire.PartitionChangeRecord) {
				r.Replicas, r.Isr = replicas, []int32{1, 2}
			}))
			time.Sleep(time.Second)
		}
		assign(1, 2)
		assign(1, 2, 3)
		n.follows.Update(before)
		c.write(10)
		for began := time.Now(); len(c.state().ISR) < 3; time.Sleep(10 * time.Millisecond) {
			if time.Since(began) > time.Minute {
				t.Fatalf("not in sync after a minute: %+v", c.state())
			}
		}
		c.write(10)
		if after := n.partition(); after == before || after.Log().EndOffset() != 3 {
			t.Errorf("the replica that was given back ends at offset %d", after.Log().EndOffset())
		}
	})
}
