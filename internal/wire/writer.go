package wire

import (
	"encoding/binary"
	"fmt"
	"math"
	"net"

	"github.com/ottla/ottla/internal/kafka"
)

// segmentSize is the length from which records are referenced and not copied.
const segmentSize = 1 << 10

// Writer appends messages to a buffer. Records of 1 KiB and more are not copied into it: the output
// is then the buffer with references in between (Segments), and those bytes must stay as they are
// until it was used. Deferred records are not even in memory: they are read when the output is used.
// The zero Writer is ready; Reset makes it so again and keeps its memory.
type Writer struct {
	// Buf holds what was written, without the referenced records.
	Buf []byte

	references []reference
	referenced int // bytes in references
	segments   net.Buffers
	sources    []reference // of Defer
	taken      int         // how many of them fields have taken
	deferred   bool        // references contain a source
	frame      int         // where the open frame begins, as a Size
	frameAt    int         // the same in Buf
	err        error

	message  string // that is being encoded
	version  int16
	flexible bool // compact lengths, and tags
}

// reference is a run of bytes, or of what a Source has, that belongs before Buf[at].
type reference struct {
	at    int
	bytes []byte
	from  Source
	size  int
}

// Reset empties the Writer.
func (w *Writer) Reset() {
	clear(w.references) // let go of the records
	clear(w.segments[:cap(w.segments)])
	clear(w.sources[:cap(w.sources)])
	*w = Writer{Buf: w.Buf[:0], references: w.references[:0], segments: w.segments[:0], sources: w.sources[:0]}
}

// Err returns the first thing that could not be expressed, an *EncodeError.
func (w *Writer) Err() error { return w.err }

// Size returns the number of bytes written, with the referenced ones.
func (w *Writer) Size() int { return len(w.Buf) + w.referenced }

// BeginFrame reserves the 4 bytes of a length, which EndFrame fills in: the frame of a request or
// response. A header and a body are encoded between the two.
func (w *Writer) BeginFrame() {
	w.frame, w.frameAt = w.Size(), len(w.Buf)
	w.Buf = append(w.Buf, 0, 0, 0, 0)
}

// EndFrame writes the number of bytes since BeginFrame in front of them.
func (w *Writer) EndFrame() {
	if w.taken < len(w.sources) {
		w.fail("", "more records were deferred than the message has")
	}
	binary.BigEndian.PutUint32(w.Buf[w.frameAt:], uint32(w.Size()-w.frame-4))
}

// Segments returns the output as a list of slices, for a vectored write. They are valid until the
// Writer is used again. The list itself is the Writer's: net.Buffers.WriteTo may consume it. A Writer
// with deferred records has no such list.
func (w *Writer) Segments() net.Buffers {
	if w.deferred {
		panic("BUG: the output has deferred records")
	}
	w.segments = w.segments[:0]
	start := 0
	for _, s := range w.references {
		if s.at > start {
			w.segments = append(w.segments, w.Buf[start:s.at])
		}
		w.segments = append(w.segments, s.bytes)
		start = s.at
	}
	if start < len(w.Buf) {
		w.segments = append(w.segments, w.Buf[start:])
	}
	return w.segments
}

// Bytes returns the output as one slice: Buf itself if nothing is referenced, else a copy. A Writer
// with deferred records has no such slice.
func (w *Writer) Bytes() []byte {
	if len(w.references) == 0 {
		return w.Buf
	}
	b := make([]byte, 0, w.Size())
	for _, s := range w.Segments() {
		b = append(b, s...)
	}
	return b
}

// begin opens a message and reports whether it has the version.
func (w *Writer) begin(message string, version, low, high, flexible int16) bool {
	w.message, w.version, w.flexible = message, version, version >= flexible
	if version < low || version > high {
		w.fail("", fmt.Sprintf("the message has versions %d-%d", low, high))
		return false
	}
	return true
}

func (w *Writer) fail(field, reason string) {
	if w.err == nil {
		w.err = &EncodeError{Message: w.message, Field: field, Version: w.version, Reason: reason}
	}
}

// omitted notes that a field was set which this version does not have and which, other than an
// ignorable one, the receiver would miss.
func (w *Writer) omitted(set bool, field string) {
	if set {
		w.fail(field, "set, but this version does not have it")
	}
}

func (w *Writer) bool(v bool) {
	if v {
		w.int8(1)
	} else {
		w.int8(0)
	}
}

func (w *Writer) int8(v int8)       { w.Buf = append(w.Buf, byte(v)) }
func (w *Writer) int16(v int16)     { w.uint16(uint16(v)) }
func (w *Writer) uint16(v uint16)   { w.Buf = binary.BigEndian.AppendUint16(w.Buf, v) }
func (w *Writer) int32(v int32)     { w.uint32(uint32(v)) }
func (w *Writer) uint32(v uint32)   { w.Buf = binary.BigEndian.AppendUint32(w.Buf, v) }
func (w *Writer) int64(v int64)     { w.Buf = binary.BigEndian.AppendUint64(w.Buf, uint64(v)) }
func (w *Writer) float64(v float64) { w.int64(int64(math.Float64bits(v))) }
func (w *Writer) uuid(v kafka.UUID) { w.Buf = append(w.Buf, v[:]...) }
func (w *Writer) uvarint(v uint32)  { w.Buf = binary.AppendUvarint(w.Buf, uint64(v)) }
