package sim

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ottla/ottla/internal/broker"
	"github.com/ottla/ottla/internal/config"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/vfs"
	"github.com/ottla/ottla/test/sim/disk"
	"github.com/ottla/ottla/test/sim/network"
)

// dataDir is log.dirs of every node, on a disk of its own.
const dataDir = "/data"

// syncLatency is what a sync takes, about.
const syncLatency = time.Millisecond

// Cluster is the nodes of a run. Its methods are called by one goroutine.
type Cluster struct {
	options Options
	story   *story
	net     *network.Network
	nodes   []*Node
	dying   sync.WaitGroup // processes that have not noticed yet that they have ended
	mu      struct {
		sync.Mutex
		faults []string // what was found wrong on the way
	}
}

// Node is a machine with a disk, on which processes run one after the other.
type Node struct {
	cluster *Cluster
	id      int
	host    *network.Host
	disk    *disk.Disk
	late    late
	clock   clock
	starts  int // guarded by mu

	mu struct {
		sync.Mutex
		process *process // nil while none runs
	}
}

// process is one broker.
type process struct {
	node    *Node
	name    string // of the node and its start, for observers
	mount   *disk.Mount
	alive   atomic.Bool
	cancel  context.CancelFunc
	started chan struct{} // closed when Start has returned
	broker  *broker.Broker
	err     error
}

func newCluster(o Options, s *story) *Cluster {
	c := &Cluster{options: o, story: s, net: network.New(o.Seed, network.Delay{Base: 100 * time.Microsecond, Jitter: 400 * time.Microsecond})}
	for i := range o.Nodes {
		n := &Node{cluster: c, id: i + 1, host: c.net.Host(nodeName(i+1), nodeAddress(i+1)), disk: disk.New(o.Seed*31+uint64(i), syncLatency)}
		if o.Nodes > 1 {
			o.format(n.disk.Memory(), i+1, 0)
		}
		c.nodes = append(c.nodes, n)
	}
	return c
}

// format writes meta.properties, as kafka-storage does, to the disk with which a node replaces one for the given time.
func (o Options) format(d *vfs.Memory, id, replaced int) {
	for i, dir := range slices.Compact([]string{dataDir, o.metadataDir()}) {
		directory := kafka.UUID{0: byte(id), 1: byte(i), 2: byte(replaced), 15: 8}
		content := fmt.Sprintf("version=1\ncluster.id=%s\nnode.id=%d\ndirectory.id=%s\n", kafka.UUID{15: 9}, id, directory)
		err := d.MkdirAll(dir, 0o755)
		if err == nil {
			var f vfs.File
			if f, err = d.OpenFile(dir+"/meta.properties", os.O_RDWR|os.O_CREATE, 0o644); err == nil {
				_, err = f.WriteAt([]byte(content), 0)
				f.Close()
			}
		}
		if err == nil {
			err = d.SyncAll(dir)
		}
		if err != nil {
			panic(err) // a disk in memory
		}
	}
}

// start starts a process on a node that has none. It does not wait until it serves.
func (n *Node) start() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.mu.process != nil {
		return nil
	}
	n.starts++
	c, _, err := config.Load(config.Sources{Sets: n.cluster.options.properties(n.id)})
	if err != nil {
		return err
	}
	p := &process{node: n, name: fmt.Sprintf("%s/%d", n.host.Name(), n.starts), mount: n.disk.Mount(), started: make(chan struct{})}
	p.alive.Store(true)
	ctx, cancel := context.WithCancel(context.Background())
	p.cancel = cancel
	n.host.Start()
	n.mu.process = p
	n.cluster.story.tell("%s starts", p.name)
	go p.run(ctx, c)
	return nil
}

// run starts the broker and has its end noticed.
func (p *process) run(ctx context.Context, c *config.Broker) {
	defer close(p.started)
	p.broker, p.err = broker.Start(ctx, broker.Options{
		Config: c, FS: p.mount, Listen: p.listen, Dial: p.dial, Logger: p.node.cluster.story.logger(p.name, p.node.cluster.options.Level), Version: "simulated",
		Now: p.node.clock.now,
	})
	switch {
	case !p.alive.Load():
	case p.err != nil:
		p.node.cluster.story.tell("%s did not start: %v", p.name, p.err)
	default:
		p.node.cluster.story.tell("%s serves", p.name)
	}
}

// errEnded is what a process that has ended gets from the network.
var errEnded = errors.New("the process has ended")

func (p *process) listen(kind, address string) (net.Listener, error) {
	if !p.alive.Load() {
		return nil, errEnded
	}
	return p.node.host.Listen(kind, address)
}

func (p *process) dial(ctx context.Context, kind, address string) (net.Conn, error) {
	if !p.alive.Load() {
		return nil, errEnded
	}
	c, err := p.node.host.Dial(ctx, kind, address)
	if err == nil && !p.alive.Load() {
		c.Close()
		return nil, errEnded
	}
	if err == nil && strings.HasSuffix(address, ":9093") {
		return &tapped{Conn: c, late: &p.node.late}, nil
	}
	return c, err
}

// current is the process that runs, or nil.
func (n *Node) current() *process {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.mu.process
}

// take is current, and leaves none.
func (n *Node) take() *process {
	n.mu.Lock()
	defer n.mu.Unlock()
	p := n.mu.process
	n.mu.process = nil
	return p
}

// kill ends the process as kill -9 does, or with power the machine as a power failure does; the disk keeps what the loss says.
func (n *Node) kill(loss vfs.Loss, power bool) {
	p := n.take()
	if p == nil {
		return
	}
	p.alive.Store(false)
	if power {
		n.host.PowerOff()
	} else {
		n.host.Kill()
	}
	n.disk.Cut(loss)
	p.bury()
}

// bury has a process that was cut off from network and disk come to its end.
func (p *process) bury() {
	p.cancel()
	p.node.cluster.dying.Go(func() {
		<-p.started
		if p.broker != nil {
			ctx, cancel := context.WithCancel(context.Background())
			cancel()
			_ = p.broker.Stop(ctx) // its disk is gone
		}
	})
}

// stop ends the process as SIGTERM does and waits for it.
func (n *Node) stop(limit time.Duration) error {
	p := n.current()
	if p == nil {
		return nil
	}
	<-p.started
	var err error
	if p.broker != nil {
		ctx, cancel := context.WithTimeout(context.Background(), limit)
		defer cancel()
		err = p.broker.Stop(ctx)
	}
	if n.current() != p {
		return nil // killed meanwhile
	}
	n.take()
	p.alive.Store(false)
	p.cancel()
	n.host.Kill()
	n.disk.Cut(vfs.KeepUnsynced())
	return err
}

// pause stops what others see of a node: its network and its syncs.
func (n *Node) pause() {
	n.host.Pause()
	if p := n.current(); p != nil {
		p.mount.Pause()
	}
}

func (n *Node) resume() {
	n.host.Resume()
	if p := n.current(); p != nil {
		p.mount.Resume()
	}
}

// failed reports whether the process has given up, or could not start.
func (p *process) failed() error {
	select {
	case <-p.started:
	default:
		return nil
	}
	if p.err != nil {
		return p.err
	}
	select {
	case err := <-p.broker.Failed():
		return err
	default:
		return nil
	}
}

// supervise restarts processes that gave up, as a service manager does, until ctx is done.
func (c *Cluster) supervise(ctx context.Context, n *Node) {
	for ctx.Err() == nil {
		if p := n.current(); p != nil {
			if err := p.failed(); err != nil && n.current() == p {
				c.story.tell("%s gave up: %v", p.name, err)
				n.kill(vfs.KeepUnsynced(), false)
				wait(ctx, time.Second)
				if ctx.Err() == nil && n.current() == nil {
					if err := n.start(); err != nil {
						c.story.tell("%s: %v", n.host.Name(), err)
					}
				}
			}
		}
		wait(ctx, 100*time.Millisecond)
	}
}

// wait sleeps, or returns earlier if ctx is done.
func wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// addresses are where clients find the nodes.
func (c *Cluster) addresses() (all []string) {
	for _, n := range c.nodes {
		all = append(all, nodeAddress(n.id)+":9092")
	}
	return all
}
