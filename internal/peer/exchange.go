package peer

import (
	"fmt"
	"net"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/wire"
)

// exchange sends requests and takes responses until the connection breaks, and says why.
func (c *Client) exchange(conn net.Conn, versions versions) error {
	ended := make(chan error, 1)
	go func() {
		err := c.receive(conn)
		conn.Close() // ends a write that waits
		ended <- err
	}()
	o := newOutput(c, conn, versions)
	c.mu.Lock()
	c.mu.out = o
	c.mu.Unlock()
	err := o.transmit(ended)
	broken := c.drop(conn)
	if err == nil {
		err = <-ended
	} else {
		<-ended // no answer is read any more
	}
	if broken != nil {
		return broken
	}
	return err
}

// encode appends a request. One that cannot be expressed ends the connection, as its place in the pipeline is taken: it
// is a fault of this program.
func (c *Client) encode(w *wire.Writer, x *call, correlation int32) error {
	w.BeginFrame()
	key := x.Message.Key()
	header := wire.RequestHeader{RequestApiKey: key, RequestApiVersion: x.version, CorrelationID: correlation, ClientID: &c.options.ClientID}
	header.Encode(w, wire.RequestHeaderVersion(key, x.version))
	x.Message.Encode(w, x.version)
	w.EndFrame()
	if err := w.Err(); err != nil {
		return fmt.Errorf("BUG: a request cannot be expressed: %w", err)
	}
	return nil
}

// receive takes responses, in the order of the requests.
func (c *Client) receive(conn net.Conn) error {
	in := newFrames(conn, c.options.MaxResponseBytes)
	r := &wire.Reader{Intern: wire.NewIntern()}
	for correlation := int32(firstCorrelation); ; correlation++ {
		frame, err := in.next()
		if err != nil {
			return err
		}
		x := c.head()
		if x == nil {
			return fmt.Errorf("a response of %d bytes came to no request", len(frame))
		}
		r.Reset(frame)
		if err := decode(r, x.Message.Key(), x.version, correlation, x.Response); err != nil {
			return fmt.Errorf("response to %s version %d: %w", nameOf(x.Message), x.version, err)
		}
		c.answered()
		x.Done(nil)
		x.Request = Request{}
	}
}

// decode reads a response that must be the one to a certain request.
func decode(r *wire.Reader, key, version int16, correlation int32, response wire.Message) error {
	var header wire.ResponseHeader
	if err := header.Decode(r, wire.ResponseHeaderVersion(key, version)); err != nil {
		return err
	}
	if header.CorrelationID != correlation {
		return fmt.Errorf("it answers request %d, but request %d is the next", header.CorrelationID, correlation)
	}
	return response.Decode(r, version)
}

// head is the oldest request without an answer, nil if there is none.
func (c *Client) head() *call {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.mu.flight) == 0 {
		return nil
	}
	return c.mu.flight[0]
}

// answered takes the oldest request out of those that wait.
func (c *Client) answered() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.mu.flight[0] = nil
	c.mu.flight = c.mu.flight[1:]
	if len(c.mu.flight) == 0 {
		c.mu.flight = nil
	}
}

// refusal says that a request exists in no version that both sides have.
func (v versions) refusal(m wire.Message) error {
	own, _ := wire.FindAPI(m.Key())
	theirs, ok := v[m.Key()]
	if !ok {
		return kafka.Errorf(kafka.UnsupportedVersion, "the peer does not serve %s on this listener", nameOf(m))
	}
	return kafka.Errorf(kafka.UnsupportedVersion, "the peer serves %s versions %d to %d, this node has %d to %d", own.Name, theirs.min, theirs.max, own.Min, own.Max)
}
