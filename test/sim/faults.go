package sim

import (
	"context"
	"math/rand/v2"
	"sync"
	"syscall"
	"time"

	"github.com/ottla/ottla/internal/vfs"
	"github.com/ottla/ottla/test/sim/network"
)

// trouble follows a plan until all its faults have ended.
func (c *Cluster) trouble(ctx context.Context, p Plan) {
	var faults sync.WaitGroup
	for _, f := range p {
		faults.Go(func() {
			wait(ctx, f.At)
			if ctx.Err() != nil {
				return
			}
			c.story.tell("%v", f)
			c.begin(f)
			wait(ctx, f.For)
			c.end(f)
		})
	}
	faults.Wait()
}

// loss is what a power failure does to what was not synced.
func (f Fault) loss() vfs.Loss {
	switch f.Draw % 4 {
	case 0:
		return vfs.KeepSome(f.Draw, 512)
	case 1:
		return vfs.KeepSome(f.Draw, 0)
	}
	return vfs.LoseUnsynced()
}

func (c *Cluster) begin(f Fault) {
	n := c.nodes[f.Node]
	switch f.Kind {
	case Kill:
		n.kill(vfs.KeepUnsynced(), false)
	case Power:
		n.kill(f.loss(), true)
	case PowerAll:
		for _, n := range c.nodes {
			n.kill(f.loss(), true)
		}
	case Restart:
		if err := n.stop(time.Minute); err != nil {
			c.story.tell("%s did not stop cleanly: %v", n.host.Name(), err)
		}
	case Pause:
		n.pause()
	case Break:
		for _, other := range c.hosts(f, true) {
			c.net.Break(n.host.Name(), other)
		}
	case SyncError, WriteError, FullDisk:
		n.spoil(f)
	case SlowDisk:
		n.disk.Slow(dataDir, f.slowness())
	case ClockSet:
		n.clock.step(f.ahead())
	case Late:
		c.deliverLate(n)
	case Overtaken:
		c.overtake(f)
	default:
		c.links(f, c.net.Cut, func(from, to string) {
			c.net.Slow(from, to, network.Delay{Base: 20 * time.Millisecond, Jitter: 400 * time.Millisecond})
		})
	}
}

func (c *Cluster) end(f Fault) {
	n := c.nodes[f.Node]
	switch f.Kind {
	case Kill, Power, Restart, Overtaken:
		c.revive(n)
	case PowerAll:
		for _, n := range c.nodes {
			c.revive(n)
		}
	case Pause:
		n.resume()
	case FullDisk:
		n.disk.Memory().SetSize(roomy)
	case SlowDisk:
		n.disk.Slow("", 0)
	case ClockSet:
		n.clock.step(0)
	case Break, Late, SyncError, WriteError:
	default:
		c.links(f, c.net.Heal, func(from, to string) { c.net.Slow(from, to, network.Delay{}) })
		if f.Draw%2 == 0 && len(c.nodes) > 1 {
			c.deliverLate(n) // what was held up
		}
	}
}

// slowness is how much longer syncs take.
func (f Fault) slowness() time.Duration {
	return 20*time.Millisecond + time.Duration(f.Draw%1000)*time.Millisecond
}

// overtake has a node lose power for the fault's duration. The others go on without it, and lose power before their disks, which are
// slow, have synced what it sent them last: whatever it has told clients is theirs alone to keep.
func (c *Cluster) overtake(f Fault) {
	random := rand.New(rand.NewPCG(f.Draw, 1))
	for i, n := range c.nodes {
		if i != f.Node {
			n.disk.Slow(dataDir, between(random, 3*time.Second, 6*time.Second))
		}
	}
	time.Sleep(between(random, 100*time.Millisecond, 2*time.Second))
	c.nodes[f.Node].kill(f.loss(), false)
	time.Sleep(between(random, 100*time.Millisecond, time.Second))
	for i, n := range c.nodes {
		if i != f.Node {
			n.kill(vfs.LoseUnsynced(), true)
			n.disk.Slow("", 0)
		}
	}
	for i, n := range c.nodes {
		if i != f.Node {
			c.revive(n)
		}
	}
}

// roomy is the size of a disk that is not full.
const roomy = 1 << 40

// spoil makes the disk refuse something.
func (n *Node) spoil(f Fault) {
	p := n.current()
	if p == nil {
		return
	}
	switch f.Kind {
	case SyncError:
		p.mount.Faults().Add(vfs.Rule{Op: vfs.OpSync, Times: 1, Err: syscall.EIO})
	case WriteError:
		p.mount.Faults().Add(vfs.Rule{Op: vfs.OpWrite, Path: "*.log", Times: 1, Err: syscall.EIO, Short: int(f.Draw % 100)})
	case FullDisk:
		if free, total, err := n.disk.Memory().Space(dataDir); err == nil {
			n.disk.Memory().SetSize(total - free + int64(f.Draw%65536))
		}
	}
}

// links does something to the links that a fault is about.
func (c *Cluster) links(f Fault, cut, slow func(from, to string)) {
	a, b := c.nodes[f.Node].host.Name(), c.nodes[f.Other].host.Name()
	switch f.Kind {
	case Cut:
		cut(a, b)
		cut(b, a)
	case CutOneWay:
		cut(a, b)
	case Isolate:
		for _, other := range c.hosts(f, f.Clients) {
			cut(a, other)
			cut(other, a)
		}
	case Slow:
		for _, other := range c.hosts(f, true) {
			slow(a, other)
			slow(other, a)
		}
	}
}

// hosts are those that a node talks to.
func (c *Cluster) hosts(f Fault, clients bool) (names []string) {
	for i, n := range c.nodes {
		if i != f.Node {
			names = append(names, n.host.Name())
		}
	}
	if clients {
		names = append(names, clientHost)
	}
	return names
}

// revive starts a process on a node that has none.
func (c *Cluster) revive(n *Node) {
	if err := n.start(); err != nil {
		c.story.tell("%s: %v", n.host.Name(), err)
	}
}

// heal ends all that is wrong.
func (c *Cluster) heal() {
	c.story.tell("everything is healed")
	names := []string{clientHost}
	for _, n := range c.nodes {
		names = append(names, n.host.Name())
	}
	for _, from := range names {
		for _, to := range names {
			c.net.Heal(from, to)
			c.net.Slow(from, to, network.Delay{})
		}
	}
	for _, n := range c.nodes {
		n.disk.Memory().SetSize(roomy)
		n.disk.Slow("", 0)
		n.clock.step(0)
		n.resume()
		c.revive(n)
	}
}
