package network

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"sync"
	"time"
)

// Retransmission is how long TCP tries to get bytes over a cut link before it gives the connection up.
const Retransmission = 20 * time.Second

// Delay is how long bytes are under way: Base and up to Jitter more.
type Delay struct{ Base, Jitter time.Duration }

// Network joins hosts.
type Network struct {
	seed uint64
	mu   struct {
		sync.Mutex
		hosts   map[string]*Host // by IP address
		conns   map[*Conn]bool
		cut     map[link]time.Time // since when
		slow    map[link]Delay
		delay   Delay
		counts  map[link]uint64 // connections that were made
		changed chan struct{}   // closed at the next change of links or hosts
		port    int
	}
}

// link is one direction between two hosts, by name.
type link struct{ from, to string }

// New returns a network without hosts.
func New(seed uint64, delay Delay) *Network {
	n := &Network{seed: seed}
	n.mu.hosts, n.mu.conns, n.mu.cut, n.mu.slow = map[string]*Host{}, map[*Conn]bool{}, map[link]time.Time{}, map[link]Delay{}
	n.mu.counts, n.mu.changed, n.mu.delay, n.mu.port = map[link]uint64{}, make(chan struct{}), delay, 40000
	return n
}

// Host adds a host with an IP address of its own, running.
func (n *Network) Host(name, ip string) *Host {
	h := &Host{network: n, name: name, ip: net.ParseIP(ip), up: true, powered: true, listeners: map[int]*listener{}}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.mu.hosts[h.ip.String()] = h
	return h
}

// change wakes all who wait for something of the network. n.mu is held.
func (n *Network) change() {
	close(n.mu.changed)
	n.mu.changed = make(chan struct{})
}

// Cut stops what goes from one host to another, in that direction only.
func (n *Network) Cut(from, to string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if _, already := n.mu.cut[link{from, to}]; !already {
		n.mu.cut[link{from, to}] = time.Now()
	}
}

// Heal lets bytes pass again. Connections for which it comes too late are reset.
func (n *Network) Heal(from, to string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	since, was := n.mu.cut[link{from, to}]
	if !was {
		return
	}
	delete(n.mu.cut, link{from, to})
	if time.Since(since) > Retransmission {
		for _, c := range n.between(from, to) {
			if len(c.out.queue) > 0 {
				c.reset()
			}
		}
	}
	n.change()
}

// Slow sets the delay of a link; a zero delay brings back the network's.
func (n *Network) Slow(from, to string, d Delay) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if d == (Delay{}) {
		delete(n.mu.slow, link{from, to})
		return
	}
	n.mu.slow[link{from, to}] = d
}

// Break resets every connection between two hosts.
func (n *Network) Break(a, b string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, c := range n.between(a, b) {
		c.reset()
	}
	n.change()
}

// between are the ends at one host of connections to another, in the order in which they were made. n.mu is held.
func (n *Network) between(from, to string) []*Conn {
	var all []*Conn
	for c := range n.mu.conns {
		if c.host.name == from && c.peer.host.name == to {
			all = append(all, c)
		}
	}
	slices.SortFunc(all, byNumber)
	return all
}

// byNumber orders connections by when they were made, so that nothing depends on the order of a map.
func byNumber(a, b *Conn) int {
	return 2*(a.number-b.number) + strings.Compare(a.host.name, b.host.name)
}

// open reports whether bytes pass from one host to another now. n.mu is held.
func (n *Network) open(from, to *Host) bool {
	_, cut := n.mu.cut[link{from.name, to.name}]
	return !cut && !from.paused && !to.paused && from.powered && to.powered
}

// random is the generator of one more connection between two hosts. n.mu is held.
func (n *Network) random(from, to *Host) *rand.Rand {
	key := link{from.name, to.name}
	n.mu.counts[key]++
	h := fnv.New64a()
	fmt.Fprintf(h, "%s>%s#%d", key.from, key.to, n.mu.counts[key])
	return rand.New(rand.NewPCG(n.seed, h.Sum64()))
}

// delayOf is how long the next bytes take. n.mu is held.
func (n *Network) delayOf(from, to *Host, random *rand.Rand) time.Duration {
	d, slow := n.mu.slow[link{from.name, to.name}]
	if !slow {
		d = n.mu.delay
	}
	if from == to {
		d = Delay{Base: 10 * time.Microsecond}
	}
	if d.Jitter > 0 {
		return d.Base + time.Duration(random.Int64N(int64(d.Jitter)))
	}
	return d.Base
}
