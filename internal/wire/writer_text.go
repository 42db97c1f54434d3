package wire

import (
	"fmt"
	"math"
)

// length writes the length of an array or of bytes, null included.
func (w *Writer) length(n int) {
	switch {
	case n > math.MaxInt32-1:
		w.fail("", fmt.Sprintf("length %d is more than 32 bits express", n))
	case w.flexible:
		w.uvarint(uint32(n + 1))
	default:
		w.int32(int32(n))
	}
}

func (w *Writer) string(s string) {
	if len(s) > math.MaxInt16 {
		w.fail("", fmt.Sprintf("a string of %d bytes is longer than %d", len(s), math.MaxInt16))
		s = ""
	}
	if w.flexible {
		w.uvarint(uint32(len(s) + 1))
	} else {
		w.int16(int16(len(s)))
	}
	w.Buf = append(w.Buf, s...)
}

func (w *Writer) nullableString(s *string) {
	switch {
	case s != nil:
		w.string(*s)
	case w.flexible:
		w.uvarint(0)
	default:
		w.int16(null)
	}
}

// requiredString writes a string that only other versions may leave null.
func (w *Writer) requiredString(s *string, field string) {
	if s == nil {
		w.fail(field, "null, but the field is not nullable in this version")
		s = new(string)
	}
	w.string(*s)
}

// classicNullableString writes a string that keeps its classic form in flexible versions.
func (w *Writer) classicNullableString(s *string) {
	flexible := w.flexible
	w.flexible = false
	w.nullableString(s)
	w.flexible = flexible
}

func (w *Writer) bytes(b []byte) {
	w.length(len(b))
	w.Buf = append(w.Buf, b...)
}

func (w *Writer) nullableBytes(b []byte) {
	if b == nil {
		w.length(null)
		return
	}
	w.bytes(b)
}

// records writes bytes like bytes does, but refers to them if they are many.
func (w *Writer) records(b []byte) {
	if isDeferred(b) {
		w.takeSource()
		return
	}
	if len(b) < segmentSize {
		w.bytes(b)
		return
	}
	w.length(len(b))
	w.references = append(w.references, reference{at: len(w.Buf), bytes: b, size: len(b)})
	w.referenced += len(b)
}

func (w *Writer) nullableRecords(b []byte) {
	if b == nil {
		w.length(null)
		return
	}
	w.records(b)
}
