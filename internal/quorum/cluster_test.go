package quorum

import (
	"fmt"
	"iter"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	pb "go.etcd.io/raft/v3/raftpb"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/vfs"
)

// cluster is several nodes in one goroutine: the test moves the messages and the time.
type cluster struct {
	t     *testing.T
	nodes map[int32]*node
	cut   map[int32]bool // nodes that nobody can reach
	wire  []*pb.Message
	next  Options // for nodes that start
	// refused is told of messages that a node refuses; nil: it is a failure.
	refused func(from, to *node, err error)
	// journal opens a node's log: in a plain file, or a commitlog.
	journal func(t *testing.T, disk *vfs.Memory) journal
}

type node struct {
	*Quorum
	c        *cluster
	id       int32
	ticks    int // without a leader
	disk     *vfs.Memory
	lead     *Leadership
	caughtUp []string // what was applied when the node had caught up
	applied  []string // values of committed data records, with snapshots replayed
	log      []string // applied and role changes
}

func voter(id int32) Voter { return Voter{NodeID: id, DirectoryID: kafka.UUID{0: byte(id), 15: 7}} }

func newCluster(t *testing.T, size int32, o Options) *cluster {
	return newClusterOn(t, size, o, func(t *testing.T, disk *vfs.Memory) journal { return openFileJournal(t, disk) })
}

func newClusterOn(t *testing.T, size int32, o Options, open func(*testing.T, *vfs.Memory) journal) *cluster {
	c := &cluster{t: t, nodes: map[int32]*node{}, cut: map[int32]bool{}, next: o, journal: open}
	for id := range size {
		c.next.Voters = append(c.next.Voters, voter(id+1))
	}
	for id := range size {
		c.boot(id+1, vfs.NewMemory())
	}
	return c
}

// boot starts a node on a disk.
func (c *cluster) boot(id int32, disk *vfs.Memory) *node { return c.bootAs(voter(id), disk) }

func (c *cluster) bootAs(self Voter, disk *vfs.Memory) *node {
	c.t.Helper()
	id := self.NodeID
	n := &node{c: c, id: id, disk: disk}
	j := c.journal(c.t, disk)
	o := c.next
	o.Self, o.Transport, o.Logger = self, n, slog.New(slog.DiscardHandler)
	o.OnCommit, o.OnSnapshot = n.commit, n.snapshot
	o.OnLead = func(epoch int32, log *Leadership) { n.lead = log; n.log = append(n.log, fmt.Sprint("lead ", epoch)) }
	o.OnResign = func(epoch int32) { n.lead = nil; n.log = append(n.log, fmt.Sprint("resign ", epoch)) }
	o.Endpoints = endpoints(id)
	if o.Dynamic {
		o.Source, o.Voters = n, nil
	}
	o.OnCaughtUp = func() { n.caughtUp = append(n.caughtUp, strings.Join(n.applied, " ")) }
	if o.SnapshotBytes > 0 {
		o.Snapshot = func(int64) (iter.Seq[[]byte], bool) {
			values := slices.Clone(n.applied)
			return func(yield func([]byte) bool) {
				for _, v := range values {
					if !yield([]byte(v)) {
						return
					}
				}
			}, true
		}
	}
	q, err := open(j, disk, folder, o)
	if err == nil {
		n.Quorum = q
		err = q.start()
	}
	if err != nil {
		c.t.Fatalf("node %d: %v", id, err)
	}
	c.nodes[id] = n
	return n
}

func (n *node) commit(b record.Batch) {
	for r, err := range b.Records(1 << 20) {
		if err != nil {
			n.c.t.Fatal(err)
		}
		if !b.Attributes().Control() {
			n.applied = append(n.applied, string(r.Value))
		}
	}
}

func (n *node) snapshot(offset int64, _ int32, batches iter.Seq[record.Batch]) {
	n.applied = nil
	n.log = append(n.log, fmt.Sprint("snapshot ", offset))
	for b := range batches {
		n.commit(b)
	}
}

// Send is the transport.
func (n *node) Send(messages []*pb.Message) { n.c.wire = append(n.c.wire, messages...) }

// crash takes a node's power: what was not synced is lost. It starts again from its disk.
func (c *cluster) crash(id int32) *node {
	disk := c.nodes[id].disk.Crash(vfs.LoseUnsynced())
	delete(c.nodes, id)
	return c.boot(id, disk)
}

// settle lets all nodes work and all messages arrive until nothing happens any more.
func (c *cluster) settle() {
	c.t.Helper()
	for {
		quiet := true
		for _, id := range slices.Sorted(maps.Keys(c.nodes)) {
			if n := c.nodes[id]; n != nil {
				more, err := n.turn()
				if err != nil {
					c.t.Fatalf("node %d: %v", id, err)
				}
				quiet = quiet && !more
			}
		}
		if quiet && len(c.wire) == 0 {
			return
		}
		c.deliver()
	}
}

func (c *cluster) deliver() {
	c.t.Helper()
	messages := c.wire
	c.wire = nil
	c.hand(messages)
}

// hand hands messages to whom they are for.
func (c *cluster) hand(messages []*pb.Message) {
	c.t.Helper()
	for _, m := range messages {
		from, to := c.find(m.GetFrom()), c.find(m.GetTo())
		if from == nil || to == nil || c.cut[from.id] || c.cut[to.id] {
			if from != nil && m.GetType() == pb.MsgSnap {
				from.ReportSnapshot(m.GetTo(), false)
			}
			continue
		}
		err := to.Meet(m.GetFrom(), from.options.Self)
		if err == nil {
			err = to.Step(m)
		}
		if err != nil {
			if c.refused == nil {
				c.t.Errorf("node %d: %v", to.id, err)
				continue
			}
			c.refused(from, to, err)
		}
		if m.GetType() == pb.MsgSnap {
			from.ReportSnapshot(m.GetTo(), true)
		}
	}
}

func (c *cluster) find(raftID uint64) *node {
	for _, n := range c.nodes {
		if n.self == raftID {
			return n
		}
	}
	return nil
}

// elect lets time pass until there is exactly one leader among the nodes that are not cut off.
func (c *cluster) elect() *node {
	c.t.Helper()
	for range 20 * electionTicks {
		c.settle()
		var leaders []*node
		for _, n := range c.nodes {
			if n.lead != nil && !c.cut[n.id] {
				leaders = append(leaders, n)
			}
		}
		if len(leaders) == 1 {
			return leaders[0]
		}
		c.pass(1)
	}
	c.t.Fatal("nobody was elected")
	return nil
}

// pass lets ticks pass for all nodes.
func (c *cluster) pass(ticks int) {
	for range ticks {
		for _, n := range c.nodes {
			n.tick()
			n.askLeader()
			n.fetchOnce()
		}
		c.settle()
	}
}

func batch(values ...string) []byte {
	b := record.NewBuilder(record.BatchOptions{})
	for _, v := range values {
		b.Add(time.Now().UnixMilli(), nil, []byte(v))
	}
	out, err := b.Build()
	if err != nil {
		panic(err)
	}
	return out
}

// propose appends a batch and returns where its outcome will be.
func (n *node) propose(values ...string) *string {
	n.c.t.Helper()
	outcome := new(string)
	next, err := n.lead.Append(batch(values...))
	if err != nil {
		n.c.t.Fatal(err)
	}
	n.lead.Await(next, func(err error) {
		*outcome = "committed"
		if err != nil {
			*outcome = kafka.CodeOf(err).String()
		}
	})
	return outcome
}

// agree checks that all nodes applied exactly these values.
func (c *cluster) agree(want string) {
	c.t.Helper()
	for id, n := range c.nodes {
		if got := strings.Join(n.applied, " "); got != want {
			c.t.Errorf("node %d applied %q, want %q", id, got, want)
		}
	}
}
