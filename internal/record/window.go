package record

import (
	"math/bits"
	"sync"
	"weak"
)

const (
	// windowStep is the smallest size of a window, and what sizes are multiples of.
	windowStep = 64 << 10
	// maxWindow is the largest that everybody may have: for the largest block of lz4 and the record before it.
	maxWindow = 4<<20 + 2*maxStraddling
)

// shared is something that takes so much memory that there is only one: rare in good batches, and bad ones that come
// on many connections take it one after the other. The garbage collector drops it when nobody has it.
type shared[T any] struct {
	sync.Mutex // held by who has it
	last       weak.Pointer[T]
}

// value returns what the last one had, or nil. The caller has locked s.
func (s *shared[T]) value() *T { return s.last.Value() }

// give leaves v to the next one, and unlocks.
func (s *shared[T]) give(v *T) {
	s.last = weak.Make(v)
	s.Unlock()
}

// scratch is a buffer to share.
type scratch struct{ bytes []byte }

// large is the memory for more than maxWindow. Who has it may lock zstdFar, but not the other way round.
var large shared[scratch]

// takeLarge locks large and returns it, with room for size bytes.
func takeLarge(size int) *scratch {
	large.Lock()
	s := large.value()
	if s == nil {
		s = new(scratch)
	}
	s.atLeast(size)
	return s
}

// atLeast makes room for size bytes; what was there is gone.
func (s *scratch) atLeast(size int) {
	if len(s.bytes) < size {
		s.bytes = make([]byte, 1<<bits.Len(uint(size-1)))
	}
}

// window is a buffer that grows to what is asked of it. The zero value is ready.
type window struct {
	bytes []byte
	small []byte // bytes, when it has the large one
	large *scratch
}

// atLeast returns the buffer, of size bytes or more, of which the first kept are as before.
func (w *window) atLeast(kept, size int) []byte {
	if size <= len(w.bytes) {
		return w.bytes
	}
	before := w.bytes
	if size <= maxWindow {
		size = min(max(size, 2*len(w.bytes)), maxWindow)
		w.bytes = make([]byte, (size+windowStep-1)/windowStep*windowStep)
	} else {
		if w.large == nil {
			w.small, w.large = w.bytes, takeLarge(size)
		}
		w.large.atLeast(size)
		w.bytes = w.large.bytes
	}
	copy(w.bytes[:kept], before)
	return w.bytes
}

// shrink gives the large buffer back.
func (w *window) shrink() {
	if w.large == nil {
		return
	}
	large.give(w.large)
	*w = window{bytes: w.small}
}
