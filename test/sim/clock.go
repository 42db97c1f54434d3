package sim

import (
	"sync/atomic"
	"time"
	"unsafe"
)

// clock is a machine's wall clock. In a bubble there is one time; those of machines differ.
type clock struct {
	ahead atomic.Int64 // of the simulated time, in whole seconds
}

// step sets the clock, to so many seconds ahead of the simulated time.
func (c *clock) step(ahead int64) { c.ahead.Store(ahead) }

// now is the time by the clock, with the monotonic reading of time.Now, as on a machine whose clock somebody sets. time.Time.Add
// would move both.
func (c *clock) now() time.Time {
	t := time.Now()
	// The first word of a Time with a monotonic reading has the seconds of the wall clock above 30 bits of nanoseconds.
	*(*uint64)(unsafe.Pointer(&t)) += uint64(c.ahead.Load()) << 30
	return t
}
