package server

import (
	"net"
	"syscall"
)

// maxLateWrite is the largest reply that who answers late tries to write itself.
const maxLateWrite = 16 << 10

// lateWriter writes to a socket without ever waiting: for a goroutine that answers, and has other things to do.
type lateWriter struct {
	raw     syscall.RawConn
	attempt func(fd uintptr) bool // a value made once: using it allocates nothing
	p       []byte
	n       int
}

// newLateWriter returns nil if the connection cannot be written to without waiting (TLS, pipes, Windows).
func newLateWriter(nc net.Conn) *lateWriter {
	tcp, ok := nc.(*net.TCPConn)
	if !ok || !canWriteAtOnce {
		return nil
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return nil
	}
	l := &lateWriter{raw: raw}
	l.attempt = func(fd uintptr) bool {
		l.n = writeAtOnce(fd, l.p)
		return true // never wait
	}
	return l
}

// write hands as much of p to the socket as it takes now, and returns how much that was.
func (l *lateWriter) write(p []byte) int {
	l.p, l.n = p, 0
	err := l.raw.Write(l.attempt)
	l.p = nil
	if err != nil {
		return 0
	}
	return l.n
}

// mayWriteLate reports whether the one who has just answered rq, the head of the queue, should try to write the reply.
// Where more requests wait for their answers the writer is better: it takes what is answered meanwhile in one go.
// c.mu is held.
func (c *conn) mayWriteLate(rq *Request) bool {
	return c.late != nil && rq.next == nil && rq.answer == answerReply && rq.closeAfter == nil &&
		rq.writer.Size() <= maxLateWrite && !rq.writer.HasDeferred()
}

// writeLate writes the reply of rq, the only request in the queue, as far as that goes without waiting; the writer does
// the rest. The caller has set c.mu.writing.
func (c *conn) writeLate(rq *Request) {
	p := rq.writer.Buf
	if !isFlat(rq.writer) {
		c.out.flat = c.out.flat[:0]
		for _, s := range rq.writer.Segments() {
			c.out.flat = append(c.out.flat, s...)
		}
		p = c.out.flat
	}
	n := c.late.write(p)
	if n > 0 {
		c.stamp.seen.Store(true)
		c.listener.bytesOut.Add(uint64(n))
	}
	if n < len(p) {
		c.out.sent = n
		go c.write()
		return
	}
	c.mu.Lock()
	c.mu.head = rq.next
	if c.mu.head == nil {
		c.mu.tail = nil
	}
	c.mu.count--
	c.mu.bytes -= rq.bytes
	c.mu.writing = false
	more := c.flushable() // answered while we wrote
	c.mu.writing = more
	c.wakeReader()
	c.mu.Unlock()
	rq.recycle()
	if more {
		go c.write()
	}
}
