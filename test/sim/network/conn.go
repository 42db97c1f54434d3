package network

import (
	"io"
	"math/rand/v2"
	"net"
	"os"
	"syscall"
	"time"
)

// Conn is one end of a connection.
type Conn struct {
	network       *Network
	host          *Host
	peer          *Conn
	local, remote *net.TCPAddr
	number        int
	random        *rand.Rand

	// Below, network.mu guards.
	out           stream // what this end has sent and the other has not read
	closed        bool
	broken        error // a reset that reached this end
	readDeadline  time.Time
	writeDeadline time.Time
	wake          chan struct{} // closed when this end's reader is to look again
}

// stream is one direction of a connection.
type stream struct {
	queue []chunk
	last  time.Time // when the last chunk arrives
}

// chunk is what one write sends, or the end of the stream.
type chunk struct {
	data []byte
	at   time.Time // when it arrives
	end  error     // io.EOF or a reset; nil for data
}

// pair makes a connection. n.mu is held.
func (n *Network) pair(from, to *Host, local, remote *net.TCPAddr, random *rand.Rand) (*Conn, *Conn) {
	a := &Conn{network: n, host: from, local: local, remote: remote, number: n.mu.port, random: random, wake: make(chan struct{})}
	b := &Conn{network: n, host: to, local: remote, remote: local, number: n.mu.port, random: rand.New(rand.NewPCG(random.Uint64(), 1)), wake: make(chan struct{})}
	a.peer, b.peer = b, a
	n.mu.conns[a], n.mu.conns[b] = true, true
	return a, b
}

// wakeUp has this end's reader look again. network.mu is held.
func (c *Conn) wakeUp() {
	close(c.wake)
	c.wake = make(chan struct{})
}

// send puts a chunk on its way. network.mu is held.
func (c *Conn) send(k chunk) {
	k.at = time.Now().Add(c.network.delayOf(c.host, c.peer.host, c.random))
	if k.at.Before(c.out.last) {
		k.at = c.out.last
	}
	c.out.last = k.at
	c.out.queue = append(c.out.queue, k)
	c.peer.wakeUp()
}

// reset breaks both ends at once. network.mu is held.
func (c *Conn) reset() {
	for _, end := range []*Conn{c, c.peer} {
		if end.broken == nil {
			end.broken = syscall.ECONNRESET
		}
		delete(c.network.mu.conns, end)
		end.wakeUp()
	}
}

// die ends this end as its process ends: the other learns it by a reset, once that arrives. network.mu is held.
func (c *Conn) die() {
	if c.closed {
		return
	}
	c.closed = true
	c.send(chunk{end: syscall.ECONNRESET})
	c.wakeUp()
}

func (c *Conn) fail(op string, err error) error {
	return &net.OpError{Op: op, Net: "tcp", Source: c.local, Addr: c.remote, Err: err}
}

// Read implements net.Conn.
func (c *Conn) Read(p []byte) (int, error) {
	n := c.network
	n.mu.Lock()
	defer n.mu.Unlock()
	for {
		now := time.Now()
		switch {
		case c.closed:
			return 0, c.fail("read", net.ErrClosed)
		case c.broken != nil:
			return 0, c.fail("read", os.NewSyscallError("read", c.broken))
		case !c.readDeadline.IsZero() && !now.Before(c.readDeadline):
			return 0, c.fail("read", os.ErrDeadlineExceeded)
		case len(p) == 0:
			return 0, nil
		}
		if done, got, err := c.take(p, now); done {
			return got, err
		}
		c.wait(now)
	}
}

// take reads what has arrived. network.mu is held.
func (c *Conn) take(p []byte, now time.Time) (done bool, got int, err error) {
	in := &c.peer.out
	for got < len(p) && len(in.queue) > 0 && !in.queue[0].at.After(now) && c.network.open(c.peer.host, c.host) {
		k := &in.queue[0]
		if k.end != nil {
			switch {
			case got > 0:
			case k.end == io.EOF:
				return true, 0, io.EOF
			default:
				c.broken = k.end
				return true, 0, c.fail("read", os.NewSyscallError("read", k.end))
			}
			break
		}
		n := copy(p[got:], k.data)
		got += n
		if k.data = k.data[n:]; len(k.data) == 0 {
			in.queue = in.queue[1:]
		}
	}
	return got > 0, got, nil
}

// wait waits until there may be something to read. network.mu is held when it is called and when it returns.
func (c *Conn) wait(now time.Time) {
	n := c.network
	until := c.readDeadline
	if in := c.peer.out.queue; len(in) > 0 && in[0].at.After(now) && (until.IsZero() || in[0].at.Before(until)) {
		until = in[0].at
	}
	wake, changed := c.wake, n.mu.changed
	n.mu.Unlock()
	defer n.mu.Lock()
	if until.IsZero() {
		select {
		case <-wake:
		case <-changed:
		}
		return
	}
	timer := time.NewTimer(until.Sub(now))
	defer timer.Stop()
	select {
	case <-wake:
	case <-changed:
	case <-timer.C:
	}
}

// Write implements net.Conn. It never blocks.
func (c *Conn) Write(p []byte) (int, error) {
	n := c.network
	n.mu.Lock()
	defer n.mu.Unlock()
	switch {
	case c.closed:
		return 0, c.fail("write", net.ErrClosed)
	case c.broken != nil:
		return 0, c.fail("write", os.NewSyscallError("write", syscall.EPIPE))
	case !c.writeDeadline.IsZero() && !time.Now().Before(c.writeDeadline):
		return 0, c.fail("write", os.ErrDeadlineExceeded)
	}
	if c.peer.closed {
		// The other end does not take it: it answers with a reset, as far as that gets through.
		c.peer.send(chunk{end: syscall.ECONNRESET})
		return len(p), nil
	}
	c.send(chunk{data: append([]byte(nil), p...)})
	return len(p), nil
}

// Close implements net.Conn.
func (c *Conn) Close() error {
	n := c.network
	n.mu.Lock()
	defer n.mu.Unlock()
	if c.closed {
		return c.fail("close", net.ErrClosed)
	}
	c.closed = true
	if c.broken == nil {
		c.send(chunk{end: io.EOF})
	}
	if c.peer.closed || c.broken != nil {
		delete(n.mu.conns, c)
		delete(n.mu.conns, c.peer)
	}
	c.wakeUp()
	return nil
}

// LocalAddr implements net.Conn.
func (c *Conn) LocalAddr() net.Addr { return c.local }

// RemoteAddr implements net.Conn.
func (c *Conn) RemoteAddr() net.Addr { return c.remote }

// SetDeadline implements net.Conn.
func (c *Conn) SetDeadline(t time.Time) error {
	c.network.mu.Lock()
	defer c.network.mu.Unlock()
	c.readDeadline, c.writeDeadline = t, t
	c.wakeUp()
	return nil
}

// SetReadDeadline implements net.Conn.
func (c *Conn) SetReadDeadline(t time.Time) error {
	c.network.mu.Lock()
	defer c.network.mu.Unlock()
	c.readDeadline = t
	c.wakeUp()
	return nil
}

// SetWriteDeadline implements net.Conn.
func (c *Conn) SetWriteDeadline(t time.Time) error {
	c.network.mu.Lock()
	defer c.network.mu.Unlock()
	c.writeDeadline = t
	return nil
}
