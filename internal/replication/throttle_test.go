package replication

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ottla/ottla/internal/partition"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/vfs"
)

// TestThrottledFollowerTakesBytesByRate: a replica that joins catches up in about bytes over follower.replication.throttled.rate,
// while the one in sync goes on at full speed; it is in sync in the end, and the rate may change meanwhile.
func TestThrottledFollowerTakesBytesByRate(t *testing.T) {
	for _, limited := range []string{"leader", "follower"} {
		t.Run(limited, func(t *testing.T) { synctest.Test(t, func(t *testing.T) { throttledJoin(t, limited) }) })
	}
}

func throttledJoin(t *testing.T, limited string) {
	c := newCluster(t, 1, 3, 1, limited+".replication.throttled.replicas", "*")
	c.mu.Lock()
	c.mu.sure = true // what is lost counts at the leader
	c.mu.Unlock()
	rate := &c.rates.follower
	if limited == "leader" {
		rate = &c.rates.leader
	}
	rate.Store(100_000)
	defer func() {
		for _, n := range c.nodes {
			n.stop(vfs.KeepUnsynced())
		}
		c.sends.Wait()
	}()
	n := c.node(3)
	n.stop(vfs.KeepUnsynced())
	c.fence(3, false)
	var slowest time.Duration
	for range 100 {
		slowest = max(slowest, c.write(20_000))
	}
	if wait := c.node(2).set.FollowerThrottle().Wait(time.Now()); limited == "follower" && (wait < 5*time.Second || wait > 15*time.Second) {
		t.Errorf("after 2 MB for a replica in sync others of that broker wait %v", wait)
	}
	c.register(n)
	n.start()
	began := time.Now()
	for len(c.state().ISR) < 3 {
		if time.Since(began) > time.Minute {
			t.Fatalf("not in sync after a minute: %+v", c.state())
		}
		slowest = max(slowest, c.write(10))
		time.Sleep(100 * time.Millisecond)
	}
	// 2 MB at 100 kB/s are 20 s; what is fetched at once, 1 MiB, is paid for afterwards.
	took := time.Since(began)
	if took < 9*time.Second || took > 30*time.Second {
		t.Errorf("2 MB took %v at 100 kB/s", took)
	}
	if slowest > 2*time.Second {
		t.Errorf("an append took %v, though the replicas in sync are not held back", slowest)
	}
}

// write appends a record of some bytes with acks=all and waits; it returns how long.
func (c *cluster) write(size int) time.Duration {
	c.t.Helper()
	began := time.Now()
	p, _, _ := c.leader()
	for ; p == nil; p, _, _ = c.leader() {
		time.Sleep(time.Millisecond) // the broker has yet to hear of it
	}
	b := record.NewBuilder(record.BatchOptions{})
	b.Add(time.Now().UnixMilli(), nil, []byte(strings.Repeat("x", size)))
	built, err := b.Build()
	if err != nil {
		c.t.Fatal(err)
	}
	done, err := p.Append(partition.Append{Records: built, Acks: -1, ProduceVersion: 12, Now: time.Now()})
	if err != nil {
		c.t.Fatal(err)
	}
	told := make(chan error, 1)
	p.AwaitFunc(done.LeaderEpoch, done.NextOffset, func(err error) { told <- err })
	select {
	case err := <-told:
		if err != nil {
			c.t.Fatal(err)
		}
	case <-time.After(time.Minute):
		c.t.Fatalf("a record is not committed after a minute: %+v", c.state())
	}
	return time.Since(began)
}
