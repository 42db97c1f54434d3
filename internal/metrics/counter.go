package metrics

import "sync/atomic"

// cacheLine is the span of memory that two cores must not both write to: 64 bytes on amd64 and on most
// arm64.
const cacheLine = 64

// Counter counts upwards. It fills a cache line of its own, so that two hot counters do not slow each
// other down. The zero value counts, but only one that a Registry made is exported.
type Counter struct {
	v atomic.Uint64
	_ [cacheLine - 8]byte
}

// Inc adds one.
func (c *Counter) Inc() { c.v.Add(1) }

// Add adds n.
func (c *Counter) Add(n uint64) { c.v.Add(n) }

// Value returns the count so far.
func (c *Counter) Value() uint64 { return c.v.Load() }

// Gauge is a number that goes up and down. The zero value is 0; only one that a Registry made is
// exported.
type Gauge struct {
	v  atomic.Int64
	fn atomic.Pointer[func() float64]
	_  [cacheLine - 16]byte
}

// Set replaces the value.
func (g *Gauge) Set(n int64) { g.v.Store(n) }

// Add adds n, which may be negative.
func (g *Gauge) Add(n int64) { g.v.Add(n) }

// Value returns the number, or what the function set by Func returns.
func (g *Gauge) Value() float64 {
	if fn := g.fn.Load(); fn != nil {
		return (*fn)()
	}
	return float64(g.v.Load())
}

// Func makes the gauge ask fn whenever it is scraped. fn is called from any goroutine and must not block.
func (g *Gauge) Func(fn func() float64) { g.fn.Store(&fn) }
