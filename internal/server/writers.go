package server

import (
	"sync"

	"github.com/ottla/ottla/internal/wire"
)

// maxPooledWriter is the largest buffer that a pooled Writer keeps: one reply of many megabytes must
// not hold its memory for ever.
const maxPooledWriter = 64 << 10

// writerPool holds the Writers of replies.
type writerPool struct{ pool sync.Pool }

// get returns a Writer in which a frame was begun.
func (p *writerPool) get() *wire.Writer {
	w, ok := p.pool.Get().(*wire.Writer)
	if !ok {
		w = new(wire.Writer)
	}
	w.BeginFrame()
	return w
}

func (p *writerPool) put(w *wire.Writer) {
	if cap(w.Buf) > maxPooledWriter {
		return
	}
	w.Reset()
	p.pool.Put(w)
}

// isFlat reports whether w holds all its bytes itself, and refers to no others.
func isFlat(w *wire.Writer) bool { return len(w.Buf) == w.Size() }

func appendSegments(dst []wire.Segment, w *wire.Writer) []wire.Segment {
	if isFlat(w) {
		return append(dst, wire.Segment{Bytes: w.Buf, Size: len(w.Buf)})
	}
	return w.AppendSegments(dst)
}
