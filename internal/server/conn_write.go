package server

import (
	"errors"
	"net"
	"syscall"

	"github.com/ottla/ottla/internal/wire"
)

const (
	// writeChunk is how much goes to the socket at once: the scan that looks for dead peers sees progress
	// after each chunk.
	writeChunk = 512 << 10
	// maxBatch bounds how many replies one round takes from the queue.
	maxBatch = 64
	// coalesceBytes is the size up to which segments are copied together for a connection without writev.
	coalesceBytes = 16 << 10
	// sourcePiece is how much of deferred records is read, and written, at once: it should fit the processor's second
	// level cache.
	sourcePiece = 256 << 10
)

// output is what the goroutine that writes needs; it belongs to who set conn.mu.writing.
type output struct {
	batch    []*Request
	segments []wire.Segment
	vector   net.Buffers // of one write; consumed by it
	backing  net.Buffers // the memory of vector
	gathered int         // bytes in backing
	flat     []byte
	sent     int  // bytes of the queue's head that were written by writeLate
	writev   bool // the connection writes several slices by one system call
}

// flushable reports whether the caller could write something now. c.mu is held.
func (c *conn) flushable() bool {
	return c.mu.head != nil && c.mu.head.answer != unanswered && !c.mu.writing && !c.mu.closed
}

// flush writes what is answered, unless the writer is at it.
func (c *conn) flush() {
	c.mu.Lock()
	c.mu.handling = nil
	if c.flushable() {
		c.flushLocked()
	}
	c.mu.Unlock()
}

// flushLocked takes the part of the writer. c.mu is held when it is called and when it returns.
func (c *conn) flushLocked() {
	c.mu.writing = true
	c.writeAnswered()
}

// writeLoop is the writer goroutine; who starts it has set c.mu.writing.
func (c *conn) writeLoop() {
	c.mu.Lock()
	c.writeAnswered()
	c.mu.Unlock()
}

// writeAnswered writes replies until the head of the queue is not answered, and gives the writer's part
// up. c.mu is held when it is called and when it returns.
func (c *conn) writeAnswered() {
	for !c.mu.closed {
		last, bytes := c.takeAnswered()
		if len(c.out.batch) == 0 {
			break
		}
		c.mu.Unlock()
		err := c.writeBatch()
		n := len(c.out.batch)
		for i, rq := range c.out.batch {
			rq.recycle()
			c.out.batch[i] = nil
		}
		c.out.batch = c.out.batch[:0]
		switch {
		case err != nil:
			c.shut(closeReasonOf(err), err)
		case last.ends:
			c.shut(ClosedByHandler, last.cause)
		}
		c.mu.Lock()
		c.mu.count -= n
		c.mu.bytes -= bytes
		c.wakeReader()
	}
	c.mu.writing = false
	c.wakeReader()
}

// ending says whether the connection is to be closed after a batch.
type ending struct {
	ends  bool
	cause error
}

// takeAnswered moves answered requests from the head of the queue to the batch. c.mu is held.
func (c *conn) takeAnswered() (last ending, bytes int64) {
	var replies int64
	for rq := c.mu.head; rq != nil && rq.answer != unanswered && len(c.out.batch) < maxBatch && replies < writeChunk; rq = c.mu.head {
		c.mu.head = rq.next
		if c.mu.head == nil {
			c.mu.tail = nil
		}
		rq.next = nil
		bytes += rq.bytes
		c.out.batch = append(c.out.batch, rq)
		if rq.writer != nil {
			replies += int64(rq.writer.Size())
		}
		if rq.answer == answerClose || rq.closeAfter != nil {
			return ending{ends: true, cause: rq.closeAfter}, bytes
		}
	}
	return ending{}, bytes
}

// writeBatch hands the replies of the batch to the socket.
func (c *conn) writeBatch() error {
	o := &c.out
	o.segments = o.segments[:0]
	for _, rq := range o.batch {
		if rq.writer != nil {
			o.segments = appendSegments(o.segments, rq.writer)
		}
	}
	o.skipSent()
	total, later := 0, false
	for _, s := range o.segments {
		total += s.Size
		later = later || s.From != nil
	}
	if total == 0 {
		return nil
	}
	c.listener.bytesOut.Add(uint64(total))
	err := c.writeSegments(total, later)
	clear(o.segments)
	return err
}

// skipSent takes out of segments what was written already.
func (o *output) skipSent() {
	for i := 0; o.sent > 0; i++ {
		s := &o.segments[i]
		n := min(o.sent, s.Size)
		s.Bytes, s.Size = s.Bytes[n:], s.Size-n
		o.sent -= n
	}
}

// writeSegments writes total bytes; later says that some are to be read first.
func (c *conn) writeSegments(total int, later bool) error {
	o := &c.out
	if len(o.segments) == 1 && total <= writeChunk && !later {
		return c.writeOne(o.segments[0].Bytes)
	}
	if !o.writev && total <= coalesceBytes && !later {
		o.flat = o.flat[:0]
		for _, s := range o.segments {
			o.flat = append(o.flat, s.Bytes...)
		}
		return c.writeOne(o.flat)
	}
	o.backing, o.gathered = o.backing[:0], 0
	for _, s := range o.segments {
		var err error
		if s.From != nil {
			err = c.writeSource(s)
		} else {
			err = c.gather(s.Bytes)
		}
		if err != nil {
			return err
		}
	}
	return c.writeVector()
}

// gather adds p to what the next write takes, and writes when that is enough.
func (c *conn) gather(p []byte) error {
	o := &c.out
	for len(p) > 0 {
		n := min(len(p), writeChunk-o.gathered)
		o.backing = append(o.backing, p[:n])
		p, o.gathered = p[n:], o.gathered+n
		if o.gathered == writeChunk {
			if err := c.writeVector(); err != nil {
				return err
			}
		}
	}
	return nil
}

// writeSource writes a segment that is not in memory, after what was gathered before it: the kernel sends it from its
// file, or it is read and written piece by piece.
func (c *conn) writeSource(s wire.Segment) error {
	if c.sendfile != nil {
		if r, ok := s.From.(fileRange); ok {
			if f, position := r.File(); f != nil {
				err := c.sendFile(f, position, s.Size)
				if errors.Is(err, syscall.EIO) {
					err = &unreadable{err}
				}
				if failed, is := errors.AsType[*unreadable](err); is {
					r.Unreadable(failed.error)
				}
				return err
			}
		}
	}
	buffer := c.server.options.Buffers.Get(min(s.Size, sourcePiece))
	defer buffer.Release()
	for skip := 0; skip < s.Size; {
		p := buffer.Bytes()[:min(s.Size-skip, sourcePiece)]
		if _, err := s.From.ReadFrom(p, skip); err != nil {
			return &unreadable{err}
		}
		if err := c.gather(p); err != nil {
			return err
		}
		if err := c.writeVector(); err != nil {
			return err
		}
		skip += len(p)
	}
	return nil
}

// writeVector writes what is gathered in backing.
func (c *conn) writeVector() error {
	o := &c.out
	if len(o.backing) == 0 {
		return nil
	}
	c.stamp.writes.Add(1)
	o.vector = o.backing
	_, err := o.vector.WriteTo(c.net)
	c.stamp.writes.Add(1)
	c.stamp.seen.Store(true)
	clear(o.backing)
	o.backing, o.gathered = o.backing[:0], 0
	return err
}

func (c *conn) writeOne(p []byte) error {
	c.stamp.writes.Add(1)
	_, err := c.net.Write(p)
	c.stamp.writes.Add(1)
	c.stamp.seen.Store(true)
	return err
}
