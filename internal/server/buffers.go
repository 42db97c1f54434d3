package server

import (
	"math/bits"
	"sync"
	"sync/atomic"
)

// Buffers is a pool of byte slices in size classes (powers of two, 1 KiB to 4 MiB). Unlike a sync.Pool
// it does not lose large buffers to each garbage collection, and it keeps at most a set number of idle
// bytes. It serves frames, and the pooled reads of Fetch.
type Buffers struct {
	classes [numClasses]bufferClass
	maxIdle int64
	idle    atomic.Int64 // bytes in the free lists
}

const (
	minClassBits = 10
	maxClassBits = 22
	numClasses   = maxClassBits - minClassBits + 1
)

type bufferClass struct {
	mu struct {
		sync.Mutex
		free  *Buffer
		count int
		low   int // the lowest count since the last Trim: so many were not needed
	}
	_ [64]byte
}

// Buffer is a pooled slice. Exactly one owner calls Release once, and touches it no more.
type Buffer struct {
	pool  *Buffers
	class int8 // -1: too large to be kept
	data  []byte
	next  *Buffer
}

// NewBuffers returns a pool that keeps at most maxIdle bytes which nobody uses.
func NewBuffers(maxIdle int64) *Buffers { return &Buffers{maxIdle: maxIdle} }

// classOf returns the class of the smallest buffer that holds n bytes; it may be one that is not kept.
func classOf(n int) int { return max(bits.Len(uint(max(n, 1)-1))-minClassBits, 0) }

// capFor returns the Cap of what Get(n) returns.
func capFor(n int) int64 {
	if class := classOf(n); class < numClasses {
		return 1 << (class + minClassBits)
	}
	return int64(n)
}

// Get returns a buffer of n bytes with any content.
func (p *Buffers) Get(n int) *Buffer {
	class := classOf(n)
	if class >= numClasses {
		return &Buffer{pool: p, class: -1, data: make([]byte, n)}
	}
	c := &p.classes[class]
	c.mu.Lock()
	b := c.mu.free
	if b != nil {
		c.mu.free, b.next = b.next, nil
		c.mu.count--
		c.mu.low = min(c.mu.low, c.mu.count)
	}
	c.mu.Unlock()
	if b == nil {
		return &Buffer{pool: p, class: int8(class), data: make([]byte, n, 1<<(class+minClassBits))}
	}
	p.idle.Add(-int64(cap(b.data)))
	b.data = b.data[:n]
	return b
}

// Bytes returns the buffer's content: valid until Release.
func (b *Buffer) Bytes() []byte { return b.data }

// Cap returns the bytes of memory behind the buffer.
func (b *Buffer) Cap() int { return cap(b.data) }

// Resize sets the length of the content, at most Cap.
func (b *Buffer) Resize(n int) { b.data = b.data[:n] }

// Release gives the buffer back.
func (b *Buffer) Release() {
	p := b.pool
	if b.class < 0 {
		return
	}
	size := int64(cap(b.data))
	if p.idle.Add(size) > p.maxIdle {
		p.idle.Add(-size)
		return
	}
	c := &p.classes[b.class]
	c.mu.Lock()
	b.next, c.mu.free = c.mu.free, b
	c.mu.count++
	c.mu.Unlock()
}

// Idle returns the bytes in free lists.
func (p *Buffers) Idle() int64 { return p.idle.Load() }

// Trim drops half of the buffers that were never needed since the last Trim, so that a burst does not
// hold its memory for ever. The Server calls it now and then for its own pool.
func (p *Buffers) Trim() {
	for i := range p.classes {
		c := &p.classes[i]
		c.mu.Lock()
		drop := (c.mu.low + 1) / 2
		var freed int64
		for range drop {
			b := c.mu.free
			c.mu.free, b.next = b.next, nil
			freed += int64(cap(b.data))
		}
		c.mu.count -= drop
		c.mu.low = c.mu.count
		c.mu.Unlock()
		p.idle.Add(-freed)
	}
}
