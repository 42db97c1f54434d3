package network

import (
	"context"
	"fmt"
	"maps"
	"net"
	"os"
	"slices"
	"strconv"
	"syscall"
	"time"
)

// Host is one machine.
type Host struct {
	network   *Network
	name      string
	ip        net.IP
	up        bool // its process runs
	powered   bool
	paused    bool
	listeners map[int]*listener
}

// Name is the host's name.
func (h *Host) Name() string { return h.name }

type listener struct {
	host    *Host
	address *net.TCPAddr
	queue   []*Conn
	wake    chan struct{} // closed at the next change
	closed  bool
}

func opError(op string, address net.Addr, err error) error {
	return &net.OpError{Op: op, Net: "tcp", Addr: address, Err: os.NewSyscallError(op, err)}
}

// Listen opens a listener on a port of this host; the host part of the address is not looked at, port 0 takes a free one.
func (h *Host) Listen(_, address string) (net.Listener, error) {
	_, text, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	port, err := strconv.Atoi(text)
	if err != nil {
		return nil, err
	}
	h.network.mu.Lock()
	defer h.network.mu.Unlock()
	if port == 0 {
		h.network.mu.port++
		port = h.network.mu.port
	}
	at := &net.TCPAddr{IP: h.ip, Port: port}
	if h.listeners[port] != nil {
		return nil, opError("listen", at, syscall.EADDRINUSE)
	}
	l := &listener{host: h, address: at, wake: make(chan struct{})}
	h.listeners[port] = l
	return l, nil
}

func (l *listener) Addr() net.Addr { return l.address }

func (l *listener) Close() error {
	l.host.network.mu.Lock()
	defer l.host.network.mu.Unlock()
	l.shut()
	return nil
}

// shut closes the listener and resets who was not accepted. network.mu is held.
func (l *listener) shut() {
	if l.closed {
		return
	}
	l.closed = true
	if l.host.listeners[l.address.Port] == l {
		delete(l.host.listeners, l.address.Port)
	}
	for _, c := range l.queue {
		c.reset()
	}
	close(l.wake)
}

func (l *listener) Accept() (net.Conn, error) {
	n := l.host.network
	for {
		n.mu.Lock()
		if l.closed {
			n.mu.Unlock()
			return nil, &net.OpError{Op: "accept", Net: "tcp", Addr: l.address, Err: net.ErrClosed}
		}
		if len(l.queue) > 0 {
			c := l.queue[0]
			l.queue = l.queue[1:]
			n.mu.Unlock()
			return c, nil
		}
		wake := l.wake
		n.mu.Unlock()
		<-wake
	}
}

// Dial connects to a host by its IP address and port.
func (h *Host) Dial(ctx context.Context, _, address string) (net.Conn, error) {
	at, err := net.ResolveTCPAddr("tcp", address)
	if err != nil {
		return nil, err
	}
	n := h.network
	n.mu.Lock()
	defer n.mu.Unlock()
	to := n.mu.hosts[at.IP.String()]
	if to == nil {
		return nil, opError("connect", at, syscall.EHOSTUNREACH)
	}
	random := n.random(h, to)
	// A packet goes there and one comes back, when both links are open.
	for _, hop := range []struct{ from, to *Host }{{h, to}, {to, h}} {
		if err := n.pass(ctx, hop.from, hop.to, n.delayOf(hop.from, hop.to, random)); err != nil {
			return nil, &net.OpError{Op: "dial", Net: "tcp", Addr: at, Err: err}
		}
	}
	l := to.listeners[at.Port]
	if !h.up || !to.up || l == nil {
		return nil, opError("connect", at, syscall.ECONNREFUSED)
	}
	n.mu.port++
	here, there := n.pair(h, to, &net.TCPAddr{IP: h.ip, Port: n.mu.port}, l.address, random)
	l.queue = append(l.queue, there)
	close(l.wake)
	l.wake = make(chan struct{})
	return here, nil
}

// pass waits until a packet has gone from one host to another. n.mu is held when it is called and when it returns.
func (n *Network) pass(ctx context.Context, from, to *Host, delay time.Duration) error {
	for {
		n.mu.Unlock()
		timer := time.NewTimer(delay)
		var err error
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			err = fmt.Errorf("%w: %w", os.ErrDeadlineExceeded, ctx.Err())
		}
		n.mu.Lock()
		if err != nil || n.open(from, to) {
			return err
		}
		delay = time.Second // the packet was lost: TCP sends the next one after a second
	}
}

// Kill ends all connections and listeners of the host as the end of its process does: the others are told. Until
// Start, dialing to it is refused.
func (h *Host) Kill() {
	h.network.mu.Lock()
	defer h.network.mu.Unlock()
	h.down()
	h.network.change()
}

// PowerOff ends them without a word to anybody: until Start nothing reaches the host.
func (h *Host) PowerOff() {
	h.network.mu.Lock()
	defer h.network.mu.Unlock()
	h.powered = false
	h.down()
	h.network.change()
}

// down closes what the process had open. network.mu is held.
func (h *Host) down() {
	h.up, h.paused = false, false
	for _, port := range slices.Sorted(maps.Keys(h.listeners)) {
		h.listeners[port].shut()
	}
	var own []*Conn
	for c := range h.network.mu.conns {
		if c.host == h {
			own = append(own, c)
		}
	}
	slices.SortFunc(own, byNumber)
	for _, c := range own {
		c.die()
	}
}

// Start gives the host power and a process again, without connections.
func (h *Host) Start() {
	h.network.mu.Lock()
	defer h.network.mu.Unlock()
	h.up, h.powered = true, true
	h.network.change()
}

// Pause stops what goes to and from the host; Resume lets it pass again.
func (h *Host) Pause() { h.setPaused(true) }

// Resume ends a pause.
func (h *Host) Resume() { h.setPaused(false) }

func (h *Host) setPaused(paused bool) {
	h.network.mu.Lock()
	defer h.network.mu.Unlock()
	h.paused = paused
	h.network.change()
}
