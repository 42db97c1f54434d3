package replication

import (
	"fmt"
	"os"
	"reflect"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/partition"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/vfs"
)

// TestNothingAcknowledgedIsLost runs random schedules: leaders move, processes and machines crash and lose what was not
// synced, links are cut, while idempotent producers write with acks=all. Afterwards all replicas have the same bytes
// and know the same of producers, each acknowledged record is where the producer was told it is, once and in order, and
// whatever a consumer saw below a high watermark is still there. SEED=n runs one schedule.
func TestNothingAcknowledgedIsLost(t *testing.T) {
	schedules(t, 16, plan{})
}

// TestWriteCachingSurvivesLostMachines: with write.caching=true, machines lose what was not synced as long as one replica in
// sync keeps its page cache; processes may all be killed. Nothing acknowledged is lost then either.
func TestWriteCachingSurvivesLostMachines(t *testing.T) {
	schedules(t, 16, plan{cached: true})
}

// TestDeletedRecordsStayDeletedEverywhere: with DeleteRecords in between, replicas that were away find their leader beginning
// behind their end. What was not deleted is there, the same everywhere.
func TestDeletedRecordsStayDeletedEverywhere(t *testing.T) {
	schedules(t, 16, plan{deletes: true})
}

// TestMovesBetweenDirectoriesLoseNothing: replicas move to other log directories and are called back while they lead, follow, are
// truncated, and stop in the middle.
func TestMovesBetweenDirectoriesLoseNothing(t *testing.T) {
	schedules(t, 16, plan{moves: true})
}

// TestFetchersComeAndGo: num.replica.fetchers changes all the time, and with it the fetcher and the session of each partition, while
// answers are on their way to the one before.
func TestFetchersComeAndGo(t *testing.T) {
	schedules(t, 16, plan{spreads: true, deletes: true})
}

// plan is what is special about some schedules.
type plan struct {
	cached  bool // the topic has write.caching=true
	deletes bool // records are deleted now and then
	moves   bool // replicas move between log directories
	spreads bool // the number of fetchers changes
}

func schedules(t *testing.T, n uint64, special plan) {
	var seeds []uint64
	for seed := range n {
		seeds = append(seeds, seed+1)
	}
	if text := os.Getenv("SEED"); text != "" {
		from, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		seeds = []uint64{from}
	}
	for _, seed := range seeds {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { schedule(t, seed, special) })
		})
	}
}

// history is what producers and consumers saw.
type history struct {
	c  *cluster
	mu struct {
		sync.Mutex
		acked map[int64]string // by offset
		seen  map[int64]string // below a high watermark
		highs map[[2]int64]int64
		stop  bool
	}
}

func schedule(t *testing.T, seed uint64, special plan) {
	c := newCluster(t, seed, 3, 2, "segment.bytes", "1048576", "write.caching", strconv.FormatBool(special.cached))
	c.plan = special
	h := &history{c: c}
	h.mu.acked, h.mu.seen, h.mu.highs = map[int64]string{}, map[int64]string{}, map[[2]int64]int64{}
	c.mu.Lock()
	c.mu.delayed = true
	c.mu.Unlock()
	var producers, steady sync.WaitGroup
	for id := range int64(3) {
		producers.Go(func() { h.produce(id + 1) })
	}
	stop := make(chan struct{})
	steady.Go(func() {
		for {
			select {
			case <-stop:
				return
			case <-time.After(300 * time.Millisecond):
				h.look()
			}
		}
	})
	for range 100 {
		if c.deletes && c.chance(30) {
			c.deleteRecords()
		}
		if c.moves && c.chance(50) {
			c.move()
		}
		if c.spreads && c.chance(50) {
			c.spread()
		}
		c.step()
		time.Sleep(time.Duration(c.below(300)) * time.Millisecond)
	}
	c.heal()
	h.mu.Lock()
	h.mu.stop = true
	h.mu.Unlock()
	producers.Wait()
	close(stop)
	steady.Wait()
	h.look()
	h.converge()
	for i := 0; c.deletes && i < 10; i++ { // with no traffic in whose answers everything would be told once more
		c.deleteRecords()
		time.Sleep(time.Duration(c.below(1000)) * time.Microsecond)
		c.moveLeader()
		h.converge()
	}
	h.check()
	for _, n := range c.nodes {
		n.stop(vfs.KeepUnsynced())
	}
	c.sends.Wait()
	if t.Failed() {
		t.Logf("again with SEED=%d", seed)
	}
}

// deleteRecords deletes some records at the leader, up to the high watermark now and then.
func (c *cluster) deleteRecords() {
	p, _, _ := c.leader()
	if p == nil {
		return
	}
	start, high := p.Log().StartOffset(), p.Log().HighWatermark()
	if high <= start {
		return
	}
	if c.chance(50) {
		high = start + 1 + int64(c.below(int(high-start)))
	}
	if _, err := p.DeleteBefore(high); err == nil {
		c.deleted = max(c.deleted, high)
	}
}

// move has a replica begin to move to a directory, or end its move there by naming the one where it is.
func (c *cluster) move() {
	n := c.nodes[c.below(len(c.nodes))]
	c.mu.Lock()
	alive := c.mu.alive[n.id]
	c.mu.Unlock()
	if !alive {
		return
	}
	_ = n.set.MoveTo(kafka.TopicPartition{Topic: "t"}, n.dirs[c.below(2)].Path()) // refused before the broker hears of the partition
}

// spread gives all brokers another number of fetchers.
func (c *cluster) spread() {
	c.fetchers.Store(int32(c.below(8)) + 1)
	for _, n := range c.nodes {
		n.follows.Spread()
	}
}

// step does something to the cluster.
func (c *cluster) step() {
	id := int32(c.below(len(c.nodes))) + 1
	n := c.node(id)
	c.mu.Lock()
	alive, up := c.mu.alive[id], 0
	for _, is := range c.mu.alive {
		if is {
			up++
		}
	}
	c.mu.Unlock()
	switch what := c.below(100); {
	case what < 20:
		c.moveLeader()
	case what < 30: // the one in between hardly gets to lead
		c.moveLeader()
		c.moveLeader()
	case what >= 93:
		c.powerFailure()
	case what < 60 && alive && (up > 1 || what < 40):
		loss := []vfs.Loss{vfs.LoseUnsynced(), vfs.KeepUnsynced(), vfs.KeepSome(uint64(c.below(1000)), 512)}[c.below(3)]
		lost := n.stop(loss)
		time.Sleep(time.Duration(c.below(100)) * time.Millisecond)
		c.fence(id, lost)
	case what < 60 && !alive:
		c.register(n)
		n.start()
	case what < 75:
		c.cutLink(id, id%int32(len(c.nodes))+1, true)
	case what < 90:
		for a := range int32(3) {
			for b := range int32(3) {
				c.cutLink(a+1, b+1, false)
			}
		}
	default:
		for _, n := range c.nodes {
			if n.set != nil {
				n.set.ShrinkInSync(time.Now())
			}
		}
	}
}

// powerFailure stops all brokers at the same moment, only their processes with write.caching; the controller hears of them, and
// they come back, one by one.
func (c *cluster) powerFailure() {
	loss := vfs.LoseUnsynced()
	if c.cached {
		loss = vfs.KeepUnsynced()
	}
	var down []*node
	for _, n := range c.nodes {
		c.mu.Lock()
		alive := c.mu.alive[n.id]
		c.mu.alive[n.id] = false
		c.mu.Unlock()
		if alive {
			n.disk = n.disk.Crash(loss)
			down = append(down, n)
		}
	}
	for _, n := range down {
		n.end()
	}
	for _, i := range c.order(len(down)) {
		c.fence(down[i].id, false)
	}
	for _, i := range c.order(len(down)) {
		time.Sleep(time.Duration(c.below(50)) * time.Millisecond)
		c.register(down[i])
		down[i].start()
	}
}

// order is a random one of 0 to n-1.
func (c *cluster) order(n int) []int {
	c.rand.Lock()
	defer c.rand.Unlock()
	return c.rand.Perm(n)
}

// heal brings everything back.
func (c *cluster) heal() {
	for _, n := range c.nodes {
		for id := range int32(3) {
			c.cutLink(n.id, id+1, false)
		}
	}
	for _, n := range c.nodes {
		c.mu.Lock()
		alive := c.mu.alive[n.id]
		c.mu.Unlock()
		if !alive {
			c.register(n)
			n.start()
		}
	}
}

// leader is the partition where the controller says that it is led.
func (c *cluster) leader() (*partition.Partition, *node, int64) {
	id := c.state().Leader
	if id < 1 {
		return nil, nil, 0
	}
	n := c.node(id)
	c.mu.Lock()
	alive, epoch := c.mu.alive[id], n.epoch
	c.mu.Unlock()
	if !alive {
		return nil, nil, 0
	}
	return n.partition(), n, epoch
}

// produce writes one batch after the other, each until it is acknowledged.
func (h *history) produce(id int64) {
	for sequence := int32(0); ; sequence++ {
		h.mu.Lock()
		stop := h.mu.stop
		h.mu.Unlock()
		if stop {
			return
		}
		value := fmt.Sprintf("%d-%d", id, sequence)
		for tries := 0; ; tries++ {
			offset, ok := h.try(id, sequence, value)
			if ok {
				h.mu.Lock()
				if was, twice := h.mu.acked[offset]; twice && was != value {
					h.c.t.Errorf("offset %d was acknowledged for %s and for %s", offset, was, value)
				}
				h.mu.acked[offset] = value
				h.mu.Unlock()
				break
			}
			if tries > 20_000 {
				h.c.t.Errorf("%s is never acknowledged: %+v", value, h.c.state())
				return
			}
			time.Sleep(2 * time.Millisecond)
		}
		time.Sleep(time.Duration(h.c.below(10)) * time.Millisecond)
	}
}

func (h *history) try(id int64, sequence int32, value string) (offset int64, ok bool) {
	p, n, epoch := h.c.leader()
	if p == nil {
		return 0, false
	}
	b := record.NewBuilder(record.BatchOptions{Producer: &record.Producer{ID: id, Epoch: 0, Sequence: sequence}})
	b.Add(time.Now().UnixMilli(), nil, []byte(value))
	built, err := b.Build()
	if err != nil {
		h.c.t.Error(err)
		return 0, false
	}
	done, err := p.Append(partition.Append{Records: built, Acks: -1, ProduceVersion: 12, Now: time.Now()})
	if err != nil {
		return 0, false
	}
	told := make(chan error, 1)
	p.AwaitFunc(done.LeaderEpoch, done.NextOffset, func(err error) { told <- err })
	select {
	case err := <-told:
		return done.BaseOffset, err == nil && !h.c.dead(n.id, epoch) // what a crashed process still says, nobody hears
	case <-time.After(time.Second):
		return 0, false // it may come to be acknowledged; the producer asks again
	}
}

// look reads what consumers see on every broker, and notes high watermarks that go back.
func (h *history) look() {
	for _, n := range h.c.nodes {
		h.c.mu.Lock()
		alive, epoch := h.c.mu.alive[n.id], n.epoch
		h.c.mu.Unlock()
		if !alive {
			continue
		}
		p := n.partition()
		if p == nil {
			continue
		}
		high := p.Log().HighWatermark()
		all, err := contents(p, high)
		if err != nil || h.c.dead(n.id, epoch) {
			continue // it was stopped meanwhile
		}
		h.mu.Lock()
		if at := [2]int64{int64(n.id), epoch}; high < h.mu.highs[at] && p.Gone() == nil {
			h.c.t.Errorf("the high watermark of broker %d went back from %d to %d", n.id, h.mu.highs[at], high)
		} else {
			h.mu.highs[at] = high
		}
		for offset, value := range all {
			if was, seen := h.mu.seen[offset]; seen && was != value {
				h.c.t.Errorf("a consumer saw %s at offset %d, and on broker %d (high watermark %d) %s", was, offset, n.id, high, value)
			}
			h.mu.seen[offset] = value
		}
		h.mu.Unlock()
	}
}

// contents are the records below an offset.
func contents(p *partition.Partition, below int64) (map[int64]string, error) {
	all := map[int64]string{}
	raw, err := bytesOf(p, p.Log().StartOffset(), below)
	if err != nil {
		return nil, err
	}
	for b, err := range record.Batches(raw) {
		if err != nil {
			return nil, err
		}
		offset := b.BaseOffset()
		for r, err := range b.Records(1 << 20) {
			if err != nil {
				return nil, err
			}
			all[offset] = string(r.Value)
			offset++
		}
	}
	return all, nil
}

func bytesOf(p *partition.Partition, offset, below int64) (raw []byte, err error) {
	log := p.Log()
	for offset < below {
		span, err := log.Find(offset, 1<<30, below, true)
		if err != nil {
			return nil, err
		}
		chunk := make([]byte, span.Size)
		_, err = span.ReadAt(chunk)
		span.Release()
		if err != nil {
			return nil, err
		}
		if len(chunk) == 0 {
			return nil, fmt.Errorf("nothing from %d on, below %d", offset, below)
		}
		for b, err := range record.Batches(chunk) {
			if err != nil {
				return nil, err
			}
			offset = b.LastOffset() + 1
		}
		raw = append(raw, chunk...)
	}
	return raw, nil
}

// converge waits until all replicas are in sync and know of the same high watermark.
func (h *history) converge() {
	for range 2000 {
		state := h.c.state()
		p, _, _ := h.c.leader()
		if p != nil && len(state.ISR) == len(state.Replicas) && state.Leader != metadata.NoLeader {
			end, same := p.Log().EndOffset(), true
			for _, n := range h.c.nodes {
				log := n.partition().Log()
				same = same && log.StartOffset() >= p.Log().StartOffset() && log.EndOffset() == end && log.HighWatermark() == end && log.StableOffset() == end
			}
			if same {
				return
			}
		}
		time.Sleep(10 * time.Millisecond)
	}
	for _, n := range h.c.nodes {
		log := n.partition().Log()
		h.c.t.Logf("broker %d: start %d, end %d, stable %d, high watermark %d, epoch %d, state %+v", n.id, log.StartOffset(), log.EndOffset(), log.StableOffset(), log.HighWatermark(), log.LatestEpoch(), n.partition().State())
	}
	h.c.t.Fatalf("the replicas do not converge: %+v", h.c.state())
}

func (h *history) check() {
	t := h.c.t
	first := h.c.nodes[0].partition()
	start, end := int64(0), first.Log().EndOffset()
	for _, n := range h.c.nodes {
		start = max(start, n.partition().Log().StartOffset()) // a leader elected since may not have heard of the last deletion
	}
	if start > h.c.deleted {
		t.Errorf("a log begins at offset %d, and records were deleted up to %d", start, h.c.deleted)
	}
	want, err := bytesOf(first, start, end)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range h.c.nodes[1:] {
		p := n.partition()
		if got, err := bytesOf(p, start, end); err != nil || !slices.Equal(got, want) {
			t.Errorf("the log of broker %d has %d bytes, others than the %d of broker 1 (%v)", n.id, len(got), len(want), err)
		}
		if a, b := first.Log().Producers(), p.Log().Producers(); !h.c.deletes && !reflect.DeepEqual(a, b) {
			t.Errorf("producers on broker %d: %+v, on broker 1: %+v", n.id, b, a)
		}
	}
	all, err := contents(first, end)
	if err != nil {
		t.Fatal(err)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, what := range []struct {
		name    string
		records map[int64]string
	}{{"acknowledged", h.mu.acked}, {"seen", h.mu.seen}} {
		for offset, value := range what.records {
			if offset >= start && all[offset] != value {
				t.Errorf("%s was %s at offset %d, where %q is in the end", value, what.name, offset, all[offset])
			}
		}
	}
	once := map[string]int64{}
	for offset, value := range all {
		if other, twice := once[value]; twice {
			t.Errorf("%s is there twice, at %d and at %d", value, offset, other)
		}
		once[value] = offset
	}
	t.Logf("%d records, %d acknowledged, leader epoch %d, partition epoch %d", len(all), len(h.mu.acked), h.c.state().LeaderEpoch, h.c.state().PartitionEpoch)
}
