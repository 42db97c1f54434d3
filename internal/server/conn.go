package server

import (
	"context"
	"net"
	"sync"
	"time"

	"github.com/ottla/ottla/internal/wire"
)

// conn is one connection. The goroutine that run belongs to reads and handles; who set mu.writing writes.
type conn struct {
	server   *Server
	listener *listener
	net      net.Conn
	session  Session
	cancel   context.CancelFunc
	in       frameReader
	out      output
	write    func()      // writeLoop, as a value made once: starting it allocates nothing
	late     *lateWriter // nil if the connection cannot be written to without waiting
	sendfile *fileSender // nil if the kernel cannot send files over this connection

	wake  chan struct{} // to the reader while mu.waiting; holds one
	stamp activity

	mu struct {
		sync.Mutex
		head, tail *Request // the queue: handled or being handled, not yet written
		count      int
		bytes      int64    // frames and replies in the queue
		handling   *Request // inside Handle now; its answer is flushed by the reader
		exclusive  *Request
		mutedUntil time.Time
		writing    bool
		waiting    bool // the reader waits for wake
		draining   bool // graceful stop: handle nothing more
		ending     bool // a Close was answered: handle nothing more
		closed     bool
		served     bool // a request was answered
		reason     CloseReason
		cause      error
	}
}

// run serves the connection until it ends.
func (c *conn) run() {
	defer c.finish()
	for {
		rq, err := c.readRequest()
		if err != nil {
			c.stopReading(err)
			return
		}
		if !c.enqueue(rq) {
			rq.recycle()
			c.answerRest()
			return
		}
		c.server.options.Handler.Handle(rq)
	}
}

// readRequest reads the next frame into a pooled Request.
func (c *conn) readRequest() (*Request, error) {
	buffer, charged, err := c.in.next(c)
	if err != nil {
		return nil, err
	}
	rq := c.server.requests.Get().(*Request)
	rq.Session, rq.conn, rq.buffer = &c.session, c, buffer
	rq.Frame, rq.Received = buffer.Bytes(), c.server.options.Now()
	rq.bytes = charged
	c.listener.requests.Inc()
	return rq, nil
}

// enqueue puts rq at the queue's end when its turn to be handled has come: there is room, no mute, no
// exclusive request. It returns false if nothing more is to be handled on this connection.
func (c *conn) enqueue(rq *Request) bool {
	c.mu.Lock()
	for {
		c.mu.handling = nil
		if c.mu.closed || c.mu.draining || c.mu.ending {
			c.mu.Unlock()
			return false
		}
		pause, ok := c.turn()
		if ok {
			break
		}
		c.pause(pause)
	}
	if c.mu.tail == nil {
		c.mu.head = rq
	} else {
		c.mu.tail.next = rq
	}
	c.mu.tail = rq
	c.mu.count++
	c.mu.bytes += rq.bytes
	c.mu.handling = rq
	rq.queued = true
	c.mu.Unlock()
	return true
}

// turn reports whether the next request may be handled now, or when to look again at the latest (0:
// when something changes). c.mu is held.
func (c *conn) turn() (pause time.Duration, ok bool) {
	o := &c.server.options
	if c.mu.count >= o.MaxInFlightRequests || c.mu.count > 0 && c.mu.bytes >= o.MaxInFlightBytes || c.mu.exclusive != nil {
		return 0, false
	}
	if !c.mu.mutedUntil.IsZero() {
		if pause = time.Until(c.mu.mutedUntil); pause > 0 {
			return pause, false
		}
		c.mu.mutedUntil = time.Time{}
	}
	return 0, true
}

// pause flushes what is answered and waits until something changes or the time is over (0: no bound).
// c.mu is held when it is called and when it returns.
func (c *conn) pause(limit time.Duration) {
	if c.flushable() {
		c.flushLocked()
		return // the flush may have changed what the caller waits for
	}
	c.mu.waiting = true
	c.mu.Unlock()
	if limit > 0 {
		timer := time.NewTimer(limit)
		select {
		case <-c.wake:
		case <-timer.C:
		}
		timer.Stop()
	} else {
		<-c.wake
	}
	c.mu.Lock()
	c.mu.waiting = false
	select {
	case <-c.wake: // sent between the timer and the lock: what it tells is about to be looked at
	default:
	}
}

// wakeReader tells a waiting reader that something changed. c.mu is held.
func (c *conn) wakeReader() {
	if !c.mu.waiting {
		return
	}
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// answered records the answer of rq and sees to it that somebody writes it.
func (c *conn) answered(rq *Request, answer answerKind, w *wire.Writer, o ReplyOptions) {
	// A reply that refers to memory outside itself may refer to the frame.
	var freed, size int64
	if w == nil || isFlat(w) {
		freed = rq.dropFrame()
	}
	if w != nil {
		size = int64(w.Size())
	}
	c.mu.Lock()
	if rq.answer != unanswered {
		c.mu.Unlock()
		panic("BUG: a request was answered twice")
	}
	rq.answer, rq.writer, rq.closeAfter = answer, w, o.CloseAfter
	c.mu.served = true
	rq.bytes += size - freed
	if !rq.queued { // the connection is gone
		c.mu.Unlock()
		rq.recycle()
		return
	}
	c.mu.bytes += size - freed
	if o.Mute > 0 {
		if until := time.Now().Add(o.Mute); until.After(c.mu.mutedUntil) {
			c.mu.mutedUntil = until
		}
	}
	if answer == answerClose || o.CloseAfter != nil {
		c.mu.ending = true
	}
	if c.mu.exclusive == rq {
		c.mu.exclusive = nil
	}
	// The answer of the request inside Handle is flushed by the reader, with those of its neighbours. If
	// the head is another request, it is either not answered, or the reader is on its way to flush it.
	start := c.mu.head == rq && c.mu.handling != rq && !c.mu.writing && !c.mu.closed
	atOnce := false
	if start {
		c.mu.writing = true
		atOnce = c.mayWriteLate(rq)
	}
	c.wakeReader()
	c.mu.Unlock()
	switch {
	case atOnce:
		c.writeLate(rq)
	case start:
		go c.write()
	}
}

// awaitHead flushes and waits until rq is the head of the queue.
func (c *conn) awaitHead(rq *Request) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.mu.head != rq {
		if c.mu.closed {
			return net.ErrClosed
		}
		c.pause(0)
	}
	if c.mu.closed {
		return net.ErrClosed
	}
	return nil
}

func (c *conn) setExclusive(rq *Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if rq.answer == unanswered {
		c.mu.exclusive = rq
	}
}

// shut closes the socket; the first reason given stays. Whoever reads, writes or waits returns.
func (c *conn) shut(reason CloseReason, cause error) {
	c.mu.Lock()
	if c.mu.closed {
		c.mu.Unlock()
		return
	}
	c.mu.closed, c.mu.reason, c.mu.cause = true, reason, cause
	c.wakeReader()
	c.mu.Unlock()
	c.cancel()
	c.net.Close()
}
