package replication

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/ottla/ottla/internal/partition"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/vfs"
)

// Where much is written, the network need not be idle while the disk is busy: the follower has the next records before those
// before them are stable. Little is fetched when what came before is stable, and told together with it.
func TestRecordsStreamInWhileThoseBeforeThemAreSynced(t *testing.T) {
	for _, c := range []struct {
		name  string
		bytes int
		early bool
	}{{"much", 2 * streamingFrom, true}, {"little", 100, false}} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				early, acknowledged := streamTwo(t, c.bytes)
				if early != c.early || acknowledged > 3*streamingSync {
					t.Errorf("fetched before what preceded it was stable: %v, want %v; acknowledged after %v", early, c.early, acknowledged)
				}
			})
		})
	}
}

// streamingSync is how long a disk takes here: less than fetchers wait for one.
const streamingSync = syncPatience - 4*time.Millisecond

// streamTwo writes two batches, the second once the follower has the first and before that is stable. It reports whether the follower
// had the second before the first was stable, and how long after its append the second was committed.
func streamTwo(t *testing.T, bytes int) (early bool, acknowledged time.Duration) {
	c := newCluster(t, 2, 2, 2)
	defer func() {
		for _, n := range c.nodes {
			n.stop(vfs.KeepUnsynced())
		}
		c.sends.Wait()
	}()
	c.mu.Lock()
	c.mu.sync = streamingSync
	c.mu.Unlock()
	time.Sleep(time.Second) // they have found each other
	leader, follower := c.node(1).partition(), c.node(2).partition()
	first := appendBytes(t, leader, bytes)
	await(t, func() bool { return follower.Log().EndOffset() == first })
	begin := time.Now()
	second := appendBytes(t, leader, bytes)
	await(t, func() bool { return follower.Log().EndOffset() == second })
	early = follower.Log().StableOffset() < first
	await(t, func() bool { return leader.Log().HighWatermark() == second })
	return early, time.Since(begin)
}

func appendBytes(t *testing.T, p *partition.Partition, bytes int) (next int64) {
	t.Helper()
	b := record.NewBuilder(record.BatchOptions{})
	b.Add(time.Now().UnixMilli(), nil, make([]byte, bytes))
	batch, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	done, err := p.Append(partition.Append{Records: batch, Acks: -1, ProduceVersion: 12, Now: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	return done.NextOffset
}

// await polls in simulated time.
func await(t *testing.T, is func() bool) {
	t.Helper()
	for range 10_000 {
		if is() {
			return
		}
		time.Sleep(100 * time.Microsecond)
	}
	t.Fatal("it did not come about within a second")
}
