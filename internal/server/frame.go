package server

import (
	"encoding/binary"
	"io"
)

const (
	// inputBytes is the size of a connection's read buffer. Where the peer pipelines small requests it
	// grows to maxInputBytes: a burst that is read at once is also answered by one write.
	inputBytes    = 4 << 10
	maxInputBytes = 16 << 10
	// firstBytes is the memory that a frame gets before any byte of it came.
	firstBytes = 64 << 10
	// trustedBytes is the most memory that a frame gets at once because one as large came before.
	trustedBytes = 2 << 20
)

// frameReader cuts a connection's input into frames. Small ones are copied out of its buffer; of large
// ones the rest is read straight into their own memory.
type frameReader struct {
	buffer     []byte
	start, end int // unread input
	frames     uint64
	largest    int  // the largest frame so far, at most trustedBytes
	full       bool // the last read left no room in buffer
}

// next returns the next frame, and the bytes charged to the budget for it. Before each read that may
// block the connection flushes.
func (f *frameReader) next(c *conn) (*Buffer, int64, error) {
	if err := f.want(c, 4); err != nil {
		return nil, 0, err
	}
	size := int(int32(binary.BigEndian.Uint32(f.buffer[f.start:])))
	if limit := c.frameLimit(); size < 0 || size > limit {
		return nil, 0, refuse(f.buffer[f.start:f.end], size, limit, f.frames == 0, c.listener.SecurityProtocol)
	}
	if 4+size <= len(f.buffer) { // read on with what follows it
		if err := f.want(c, 4+size); err != nil {
			return nil, 0, err
		}
	}
	f.start += 4
	buffer, err := f.body(c, size)
	if err != nil {
		return nil, 0, err
	}
	f.frames++
	f.largest = max(f.largest, min(size, trustedBytes))
	return buffer, int64(buffer.Cap()), nil
}

// want reads until n bytes are in the buffer, which has room for them.
func (f *frameReader) want(c *conn, n int) error {
	for f.end-f.start < n {
		if err := f.fill(c); err != nil {
			if err == io.EOF && f.end > f.start {
				err = io.ErrUnexpectedEOF
			}
			return err
		}
	}
	return nil
}

// fill reads once into the buffer.
func (f *frameReader) fill(c *conn) error {
	c.flush()
	unread := f.buffer[f.start:f.end]
	switch {
	case f.buffer == nil:
		f.buffer = make([]byte, inputBytes)
	case f.full && f.largest < len(f.buffer) && len(f.buffer) < maxInputBytes:
		f.buffer = make([]byte, 2*len(f.buffer))
	}
	f.start, f.end = 0, copy(f.buffer, unread)
	n, err := c.read(f.buffer[f.end:])
	f.end += n
	f.full = f.end == len(f.buffer)
	if n > 0 {
		return nil
	}
	return err
}

// body reads a frame of size bytes. Its memory grows with what arrives: it begins with 64 KiB, or as
// much as this peer has already sent in one frame, and doubles when it is full.
func (f *frameReader) body(c *conn, size int) (*Buffer, error) {
	s := c.server
	n := min(size, max(firstBytes, f.largest))
	if memory := capFor(n); !s.budget.tryAcquire(memory) {
		c.flush()
		if err := s.budget.acquire(c.session.ctx, memory); err != nil {
			return nil, err
		}
	}
	buffer := s.options.Buffers.Get(n)
	have := copy(buffer.Bytes(), f.buffer[f.start:min(f.end, f.start+size)])
	f.start += have
	if have < size {
		c.flush()
	}
	for have < size {
		if have == len(buffer.Bytes()) {
			buffer = f.grow(c, buffer, size)
		}
		n, err := c.read(buffer.Bytes()[have:])
		have += n
		if n == 0 && err != nil {
			s.budget.release(int64(buffer.Cap()))
			buffer.Release()
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return nil, err
		}
	}
	return buffer, nil
}

// grow moves a full buffer into one twice as large. It does not wait for the budget: who has begun to
// read a frame holds memory that only finishing it frees.
func (f *frameReader) grow(c *conn, full *Buffer, size int) *Buffer {
	s := c.server
	larger := s.options.Buffers.Get(min(size, 2*len(full.Bytes())))
	s.budget.charge(int64(larger.Cap()))
	copy(larger.Bytes(), full.Bytes())
	s.budget.release(int64(full.Cap()))
	full.Release()
	return larger
}

// read reads from the socket.
func (c *conn) read(p []byte) (int, error) {
	n, err := c.net.Read(p)
	if n > 0 {
		c.stamp.seen.Store(true)
		c.listener.bytesIn.Add(uint64(n))
	}
	return n, err
}

// frameLimit returns the largest frame that the peer may send now.
func (c *conn) frameLimit() int {
	limit := c.server.options.MaxRequestBytes
	if c.listener.AuthenticationRequired && !c.session.authenticated {
		limit = min(limit, MaxUnauthenticatedBytes)
	}
	return limit
}
