package replication

import (
	"fmt"
	"io"
	"log/slog"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ottla/ottla/internal/commitlog"
	"github.com/ottla/ottla/internal/config"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/partition"
	"github.com/ottla/ottla/internal/vfs"
	"github.com/ottla/ottla/internal/wire"
)

// cluster is some brokers with one partition, t-0, a controller that is a model of Kafka's, and a network that delays and
// loses. It runs on a synctest bubble's time.
type cluster struct {
	t      testing.TB
	config *config.Broker
	nodes  []*node
	minISR int
	plan
	deleted  int64        // below this offset records may be deleted
	fetchers atomic.Int32 // num.replica.fetchers
	// rates are the throttles', in bytes per second; 0: none.
	rates struct{ leader, follower atomic.Int64 }
	// connections have the last answer from each leader to each fetcher of each follower.
	connections sync.Map
	sends       sync.WaitGroup // and proposals
	rand        struct {
		sync.Mutex
		*rand.Rand
	}
	mu struct {
		sync.Mutex
		image   *metadata.Image
		offset  int64
		cut     map[[2]int32]bool // from follower to leader
		alive   map[int32]bool
		unclean map[int32]bool // lost what it had acknowledged, and has not been in sync since
		delayed bool           // controller and network take their time
		sure    bool           // the network loses nothing
	}
}

// node is a broker that can crash.
type node struct {
	c       *cluster
	id      int32
	epoch   int64
	disk    *vfs.Memory
	dirs    []*commitlog.Dir
	set     *partition.Set
	follows *Followers
	// What others look at while the node starts again.
	hosts  atomic.Pointer[partition.Set]
	serves atomic.Pointer[leaderSide]
	// applied is the image that the set has; images that wait to be applied, in their order.
	applied *metadata.Image
	images  chan *metadata.Image
	stopped chan struct{}
	applies sync.WaitGroup
}

func (c *cluster) chance(percent int) bool { return c.below(100) < percent }

func (c *cluster) below(n int) int {
	c.rand.Lock()
	defer c.rand.Unlock()
	return c.rand.IntN(n)
}

// loses reports whether the network loses a message.
func (c *cluster) loses() bool {
	c.mu.Lock()
	sure := c.mu.sure
	c.mu.Unlock()
	return !sure && c.chance(2)
}

// delay is a pause of some hundreds of microseconds, now and then of some milliseconds.
func (c *cluster) delay() {
	c.mu.Lock()
	delayed := c.mu.delayed
	c.mu.Unlock()
	if !delayed {
		time.Sleep(100 * time.Microsecond)
		return
	}
	d := time.Duration(c.below(400)) * time.Microsecond
	if c.chance(5) {
		d *= 50
	}
	time.Sleep(d)
}

// syncTime is how long a disk takes: some milliseconds, now and then a hundred.
func (c *cluster) syncTime() time.Duration {
	d := time.Duration(c.below(3000)) * time.Microsecond
	if c.chance(15) {
		d *= 30
	}
	return d
}

func newCluster(t testing.TB, seed uint64, replicas, minISR int, settings ...string) *cluster {
	t.Helper()
	loaded, _, err := config.Load(config.Sources{})
	if err != nil {
		t.Fatal(err)
	}
	c := &cluster{t: t, config: loaded, minISR: minISR}
	c.rand.Rand = rand.New(rand.NewPCG(seed, 7))
	c.mu.cut, c.mu.alive = map[[2]int32]bool{}, map[int32]bool{}
	c.mu.unclean = map[int32]bool{}
	c.mu.image = metadata.Empty("c")
	records := []wire.Message{&wire.TopicRecord{Name: "t", TopicID: kafka.UUID{1}}, setting("min.insync.replicas", fmt.Sprint(minISR))}
	for i := 0; i+1 < len(settings); i += 2 {
		records = append(records, setting(settings[i], settings[i+1]))
	}
	var ids []int32
	for i := range int32(replicas) {
		ids = append(ids, i+1)
	}
	for _, id := range ids {
		c.mu.alive[id] = true
		records = append(records, &wire.RegisterBrokerRecord{BrokerID: id, BrokerEpoch: int64(id)})
	}
	c.decide(append(records, &wire.PartitionRecord{TopicID: kafka.UUID{1}, Replicas: ids, Isr: ids, Leader: 1, Directories: make([]kafka.UUID, replicas)})...)
	c.nodes = make([]*node, replicas) // its first ones are busy while the last ones start
	for i, id := range ids {
		n := &node{c: c, id: id, epoch: int64(id), disk: vfs.NewMemory()}
		c.mu.Lock()
		c.nodes[i] = n
		c.mu.Unlock()
		n.start()
	}
	return c
}

func setting(name, value string) wire.Message {
	return &wire.ConfigRecord{ResourceType: int8(metadata.ConfigTopic), ResourceName: "t", Name: name, Value: &value}
}

// start opens the node's disk as it is.
func (n *node) start() {
	n.c.t.Helper()
	disk := slowDisk{n.disk, n.c.syncTime}
	n.dirs = nil
	for _, path := range []string{"/d", "/e"} {
		dir, err := commitlog.Open(disk, path, commitlog.Options{ClusterID: "c", NodeID: n.id, CheckpointInterval: 50 * time.Millisecond, JournalBytes: -1})
		if err != nil {
			n.c.t.Fatal(err)
		}
		n.dirs = append(n.dirs, dir)
	}
	epoch := n.epoch
	n.serves.Store(newLeaderSide(n))
	n.follows = New(Options{
		Node: n.id, BrokerEpoch: func() int64 { return epoch }, Send: n.send, Throttle: nodeThrottle{n}, Settings: func() Settings {
			return Settings{MaxWait: 500 * time.Millisecond, MinBytes: 1, MaxBytes: 10 << 20, PartitionMaxBytes: 1 << 20, Backoff: 100 * time.Millisecond, Timeout: 30 * time.Second, Fetchers: int(n.c.fetchers.Load())}
		},
	})
	follows := n.follows
	n.set = partition.NewSet(partition.Options{
		Node: n.id, Dirs: n.dirs, Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
		TopicConfig: func(im *metadata.Image, topic string) *config.Topic { return n.c.config.Topic(im.TopicConfig(topic)) },
		LeaderRate:  n.c.rate(&n.c.rates.leader), FollowerRate: n.c.rate(&n.c.rates.follower),
		Role: follows.Update, BrokerEpoch: func() int64 { return epoch }, ReplicaLag: func() time.Duration { return 2 * time.Second },
		MoveRate: func() int64 { return 20_000 },
		Assign: func(x partition.Assignment) {
			if x.Done != nil {
				n.c.sends.Go(func() {
					time.Sleep(time.Duration(n.c.below(1000)) * time.Millisecond) // so that much happens to the log meanwhile
					x.Done()
				})
			}
		},
		Propose: func(x partition.Proposal, done func(partition.Verdict)) {
			n.c.sends.Go(func() { n.c.propose(n.id, epoch, x, done) })
		},
	})
	n.hosts.Store(n.set)
	n.applied = metadata.Empty("c")
	n.images, n.stopped = make(chan *metadata.Image, 1000), make(chan struct{})
	images, stopped := n.images, n.stopped
	n.c.mu.Lock()
	images <- n.c.mu.image
	n.c.mu.alive[n.id] = true
	n.c.mu.Unlock()
	n.applies.Go(func() {
		for {
			select {
			case <-stopped:
				return
			case next := <-images:
				n.c.delay()
				n.set.Apply(n.applied, next, metadata.Diff(n.applied, next))
				n.applied = next
			}
		}
	})
}

func (c *cluster) rate(r *atomic.Int64) func() int64 {
	return func() int64 {
		if rate := r.Load(); rate > 0 {
			return rate
		}
		return math.MaxInt64
	}
}

// nodeThrottle is the throttle of the set that the node has at the moment, as in a broker.
type nodeThrottle struct{ *node }

func (t nodeThrottle) of() *partition.Throttle               { return t.hosts.Load().FollowerThrottle() }
func (t nodeThrottle) Throttled(p *partition.Partition) bool { return t.of().Throttled(p) }
func (t nodeThrottle) Wait(now time.Time) time.Duration      { return t.of().Wait(now) }
func (t nodeThrottle) Took(now time.Time, bytes int)         { t.of().Took(now, bytes) }
func (t nodeThrottle) TookInSync(now time.Time, bytes int)   { t.of().TookInSync(now, bytes) }

// stop ends the process; what its disk has then is as the loss says, unless that is more than the topic promises to survive:
// with write.caching one replica in sync keeps its page cache. It reports whether acknowledged records may be lost here.
func (n *node) stop(loss vfs.Loss) (lost bool) {
	n.c.mu.Lock()
	n.c.mu.alive[n.id] = false
	if n.c.cached {
		lost = slices.ContainsFunc(n.c.stateLocked().ISR, func(id int32) bool { return n.c.mu.alive[id] })
		if !lost {
			loss = vfs.KeepUnsynced()
		}
	}
	n.c.mu.Unlock()
	n.disk = n.disk.Crash(loss)
	n.end()
	return lost
}

// end lets go of what runs.
func (n *node) end() {
	close(n.stopped)
	n.applies.Wait()
	n.follows.Close()
	n.serves.Load().stop()
	n.set.Close()
	for _, dir := range n.dirs {
		_ = dir.Close()
	}
}

func (n *node) partition() *partition.Partition {
	p, err := n.hosts.Load().Get("t", 0)
	if err != nil {
		return nil
	}
	return p
}

func (c *cluster) node(id int32) *node { return c.nodes[id-1] }

// decide writes records into the image, which the nodes get in time.
func (c *cluster) decide(records ...wire.Message) {
	c.t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.decideLocked(records...)
}

func (c *cluster) decideLocked(records ...wire.Message) {
	delta := c.mu.image.Change()
	for _, r := range records {
		if err := delta.Replay(r); err != nil {
			c.t.Error(err)
		}
	}
	c.mu.offset += int64(len(records))
	c.mu.image = delta.Apply(c.mu.offset, 1)
	for _, n := range c.nodes {
		if n != nil && c.mu.alive[n.id] {
			n.images <- c.mu.image
		}
	}
}

func (c *cluster) state() *metadata.Partition {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.stateLocked()
}

func (c *cluster) stateLocked() *metadata.Partition {
	return c.mu.image.Partition(kafka.TopicPartition{Topic: "t"})
}

func change(edit func(*wire.PartitionChangeRecord)) *wire.PartitionChangeRecord {
	r := new(wire.PartitionChangeRecord)
	r.Reset()
	r.TopicID, r.PartitionID = kafka.UUID{1}, 0
	edit(r)
	return r
}

// propose is the controller's AlterPartition: requests and answers may be lost, and are sent again.
func (c *cluster) propose(leader int32, epoch int64, x partition.Proposal, done func(partition.Verdict)) {
	for {
		c.delay()
		if c.dead(leader, epoch) {
			return
		}
		if c.chance(10) {
			continue // the request is lost
		}
		v := c.judge(leader, x)
		c.delay()
		if c.dead(leader, epoch) {
			return
		}
		if !c.chance(10) {
			done(v)
			return
		}
	}
}

func (c *cluster) dead(id int32, epoch int64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	b := c.mu.image.Broker(id)
	return !c.mu.alive[id] || b.Epoch != epoch
}

func (c *cluster) judge(leader int32, x partition.Proposal) partition.Verdict {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.stateLocked()
	switch {
	case x.LeaderEpoch < p.LeaderEpoch, !c.mu.alive[leader]:
		return partition.Verdict{Code: kafka.FencedLeaderEpoch}
	case leader != p.Leader:
		return partition.Verdict{Code: kafka.InvalidRequest}
	case x.PartitionEpoch < p.PartitionEpoch:
		return partition.Verdict{Code: kafka.InvalidUpdateVersion}
	}
	var isr []int32
	for _, member := range x.ISR {
		b := c.mu.image.Broker(member.Broker)
		if !b.Active() || member.Epoch != -1 && member.Epoch != b.Epoch {
			return partition.Verdict{Code: kafka.IneligibleReplica}
		}
		isr = append(isr, member.Broker)
	}
	c.alterLocked(isr, p.Leader, false)
	p = c.stateLocked()
	return partition.Verdict{LeaderEpoch: p.LeaderEpoch, PartitionEpoch: p.PartitionEpoch, ISR: p.ISR}
}

// alterLocked changes the in-sync set and keeps eligible leaders as KIP-966 says; moves forces a new leader epoch.
func (c *cluster) alterLocked(isr []int32, leader int32, moves bool, more ...wire.Message) {
	p := c.stateLocked()
	for _, id := range isr {
		delete(c.mu.unclean, id)
	}
	var elr []int32
	if len(isr) < c.minISR {
		for _, id := range slices.Concat(p.ELR, p.ISR) {
			if !slices.Contains(isr, id) && !slices.Contains(elr, id) && !c.mu.unclean[id] {
				elr = append(elr, id)
			}
		}
	}
	c.decideLocked(append(more, change(func(r *wire.PartitionChangeRecord) {
		r.Isr, r.EligibleLeaderReplicas = append([]int32{}, isr...), append([]int32{}, elr...)
		if moves || leader != p.Leader {
			r.Leader = leader
		}
	}))...)
}

// fence takes a broker out of the in-sync set and elects another leader if it led. One that has lost what it acknowledged is not
// eligible.
func (c *cluster) fence(id int32, lost bool) {
	pick := c.below(100)
	c.mu.Lock()
	defer c.mu.Unlock()
	if lost {
		c.mu.unclean[id] = true
	}
	p, b := c.stateLocked(), c.mu.image.Broker(id)
	isr := slices.DeleteFunc(slices.Clone(p.ISR), func(x int32) bool { return x == id })
	leader := p.Leader
	if leader == id {
		leader = metadata.NoLeader
		if len(isr) > 0 {
			leader = isr[pick%len(isr)]
		}
	}
	c.alterLocked(isr, leader, false, &wire.RegisterBrokerRecord{BrokerID: id, BrokerEpoch: b.Epoch, Fenced: true})
}

// register brings a broker back under a new epoch; it may lead at once what nobody leads, if it is eligible.
func (c *cluster) register(n *node) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.mu.offset++
	n.epoch = 1000 + c.mu.offset
	c.decideLocked(&wire.RegisterBrokerRecord{BrokerID: n.id, BrokerEpoch: n.epoch})
	if p := c.stateLocked(); p.Leader == metadata.NoLeader && slices.Contains(p.ELR, n.id) {
		c.alterLocked([]int32{n.id}, n.id, true)
	}
}

// moveLeader elects another member of the in-sync set, or the same again.
func (c *cluster) moveLeader() {
	pick := c.below(100)
	c.mu.Lock()
	defer c.mu.Unlock()
	if p := c.stateLocked(); len(p.ISR) > 0 {
		c.alterLocked(p.ISR, p.ISR[pick%len(p.ISR)], true)
	}
}

func (c *cluster) cutLink(follower, leader int32, cut bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.mu.cut[[2]int32{follower, leader}] = cut
}

func (c *cluster) isCut(follower, leader int32) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.mu.cut[[2]int32{follower, leader}] || !c.mu.alive[leader] || !c.mu.alive[follower]
}
