package server

import (
	"errors"
	"io"
	"net"
	"time"
)

// lingerTimeout bounds how long a gracefully stopped connection waits for its peer to close too.
const lingerTimeout = 500 * time.Millisecond

// stopReading ends the connection after a failed read.
func (c *conn) stopReading(err error) {
	c.mu.Lock()
	c.mu.handling = nil
	orderly := c.mu.draining && !c.mu.closed && isTimeout(err)
	c.mu.Unlock()
	if orderly {
		c.answerRest()
		return
	}
	if refused, ok := errors.AsType[*refusal](err); ok {
		c.flush() // what was asked before the offence is answered, as far as it is known
		c.shut(refused.reason, refused)
		return
	}
	c.shut(closeReasonOf(err), err)
}

// answerRest waits until everything in the queue is answered and written, then closes. A Close among the
// answers closes at its turn.
func (c *conn) answerRest() {
	c.mu.Lock()
	c.mu.handling = nil
	for !c.mu.closed && (c.mu.head != nil || c.mu.writing) {
		c.pause(0)
	}
	closed, served := c.mu.closed, c.mu.served
	c.mu.Unlock()
	if closed {
		return
	}
	if served || !c.resets() {
		c.linger()
	}
	c.shut(ClosedByStop, nil)
}

// resets has the connection end with a reset, for where nothing was ever answered: a client that sees the end of a new connection in
// good order may take it for one that wants SASL or TLS, and not try again what it has sent (franz-go's ErrFirstReadEOF).
func (c *conn) resets() bool {
	tcp, ok := c.net.(interface{ SetLinger(seconds int) error })
	return ok && tcp.SetLinger(0) == nil
}

// linger closes our side and reads on for a moment: closing a socket with unread input resets the
// connection, and a reset can take replies with it that the peer has not read yet.
func (c *conn) linger() {
	half, ok := c.net.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil {
		return
	}
	if c.net.SetReadDeadline(time.Now().Add(lingerTimeout)) == nil {
		_, _ = io.CopyN(io.Discard, c.net, int64(c.server.options.MaxRequestBytes))
	}
}

// drain begins the graceful stop of the connection: no further request is handled.
func (c *conn) drain() {
	c.mu.Lock()
	c.mu.draining = true
	c.wakeReader()
	c.mu.Unlock()
	_ = c.net.SetReadDeadline(time.Unix(1, 0)) // wakes the reader; fails only on a closed socket
}

// finish takes leave of the connection: the writer has ended, answered requests are recycled, the others
// are when their answer comes.
func (c *conn) finish() {
	c.shut(ClosedByPeer, nil)
	c.mu.Lock()
	for c.mu.writing {
		c.pause(0)
	}
	rq := c.mu.head
	c.mu.head, c.mu.tail, c.mu.count, c.mu.bytes, c.mu.handling, c.mu.exclusive = nil, nil, 0, 0, nil, nil
	var answered *Request
	for rq != nil {
		next := rq.next
		rq.queued, rq.next = false, nil
		if rq.answer != unanswered {
			rq.next, answered = answered, rq
		}
		rq = next
	}
	reason, cause := c.mu.reason, c.mu.cause
	c.mu.Unlock()
	for answered != nil {
		next := answered.next
		answered.recycle()
		answered = next
	}
	c.server.ended(c, reason, cause)
}

func isTimeout(err error) bool {
	e, ok := errors.AsType[net.Error](err)
	return ok && e.Timeout()
}
