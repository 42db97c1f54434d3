package peer

import (
	"net"

	"github.com/ottla/ottla/internal/wire"
)

// maxWriteBytes and maxWriteCalls bound what is written at once; maxDirectBytes what who sends writes itself.
const (
	maxWriteBytes  = 256 << 10
	maxWriteCalls  = 64
	maxDirectBytes = 16 << 10
)

// output is the way out of one connection. A goroutine writes what is in the queue; but a request that finds nobody writing, and
// no other before it, is written by who sends it, as far as that goes without waiting: to wake a goroutine would cost more.
type output struct {
	client   *Client
	conn     net.Conn
	versions versions
	direct   *directWriter // nil if the connection cannot be written to without waiting

	// Who writes has these; client.mu guards who that is.
	w           wire.Writer
	correlation int32 // of the next request
	writer      writer
	rest        []byte // of a direct write; the goroutine writes it
}

// writer is who writes to a connection.
type writer int

const (
	nobody writer = iota
	sender        // a caller of Send
	transmitter
)

func newOutput(c *Client, conn net.Conn, versions versions) *output {
	return &output{client: c, conn: conn, versions: versions, direct: newDirectWriter(conn), correlation: firstCorrelation}
}

// claim has the caller write the request that is alone in the queue, by writeDirect, and reports whether it may. The caller holds
// client.mu: a request that is not claimed may fail, and its message be used again, at any time.
func (o *output) claim(x *call) bool {
	if o == nil || o.direct == nil || o.writer != nobody {
		return false
	}
	version, ok := o.versions.best(x.Message.Key())
	if !ok {
		return false
	}
	x.version = version
	o.w.Reset()
	if o.client.encode(&o.w, x, o.correlation) != nil || len(o.w.Buf) != o.w.Size() || len(o.w.Buf) > maxDirectBytes {
		return false
	}
	o.correlation++
	o.writer = sender
	return true
}

// writeDirect writes what was claimed. What the connection does not take at once is left to the goroutine.
func (o *output) writeDirect() {
	n := o.direct.write(o.w.Buf)
	c := o.client
	c.mu.Lock()
	defer c.mu.Unlock()
	if n < len(o.w.Buf) {
		o.rest = o.w.Buf[n:]
		signal(c.wake)
		return
	}
	o.writer = nobody
	if len(c.mu.queue) > 0 {
		signal(c.wake)
	}
}

// transmit writes what is in the queue until it cannot, or the connection has ended: then it returns nil.
func (o *output) transmit(ended chan error) error {
	for {
		batch, refusals, rest := o.take()
		for _, x := range refusals {
			x.Done(o.versions.refusal(x.Message))
		}
		if rest != nil {
			if _, err := o.conn.Write(rest); err != nil {
				return err
			}
			continue
		}
		if len(batch)+len(refusals) == 0 {
			select {
			case err := <-ended:
				ended <- err
				return nil
			case <-o.client.wake:
				continue
			}
		}
		if err := o.writeBatch(batch); err != nil {
			return err
		}
	}
}

func (o *output) writeBatch(batch []*call) error {
	o.w.Reset()
	for _, x := range batch {
		if err := o.client.encode(&o.w, x, o.correlation); err != nil {
			return err
		}
		o.correlation++
		if o.w.Size() < maxWriteBytes {
			continue
		}
		if err := o.flush(); err != nil {
			return err
		}
	}
	return o.flush()
}

func (o *output) flush() error {
	segments := o.w.Segments()
	_, err := segments.WriteTo(o.conn)
	o.w.Reset()
	return err
}

// take returns what the goroutine is to write next: what a direct write has left, or the next requests of the queue, which are in
// flight from now on, in order. Those that the peer has no version of are given back apart, and stand alone.
func (o *output) take() (batch, refusals []*call, rest []byte) {
	c := o.client
	c.mu.Lock()
	defer c.mu.Unlock()
	if o.rest != nil {
		rest, o.rest, o.writer = o.rest, nil, transmitter
		return nil, nil, rest
	}
	if o.writer == sender {
		return nil, nil, nil // who has more to do says so when it is done
	}
	n := 0
	for _, x := range c.mu.queue[:min(len(c.mu.queue), maxWriteCalls)] {
		version, ok := o.versions.best(x.Message.Key())
		if !ok {
			refusals = append(refusals, x)
		} else {
			x.version = version
			batch = append(batch, x)
		}
		n++
	}
	c.mu.queue = c.mu.queue[n:]
	if len(c.mu.queue) == 0 {
		c.mu.queue = nil
	}
	c.mu.flight = append(c.mu.flight, batch...)
	o.writer = nobody
	if len(batch) > 0 {
		o.writer = transmitter
	}
	return batch, refusals, nil
}
