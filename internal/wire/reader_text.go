package wire

import (
	"fmt"
	"math"
	"strings"
)

// null is the length of a null string, array or bytes.
const null = -1

// compactLength reads the length of a string, array or bytes in flexible versions: an unsigned
// varint, one more than the length, 0 for null.
func (r *Reader) compactLength(field string) int {
	n := r.uvarint(field)
	if n > math.MaxInt32 {
		r.fail(field, fmt.Sprintf("length %d", n))
		return null
	}
	return int(n) - 1
}

// length reads a classic length of 32 bits or a compact one, null included.
func (r *Reader) length(field string) int {
	if r.flexible {
		return r.compactLength(field)
	}
	n := r.int32(field)
	if n < null {
		r.fail(field, fmt.Sprintf("length %d", n))
		return null
	}
	return int(n)
}

// stringLength reads a classic length of 16 bits or a compact one, null included.
func (r *Reader) stringLength(field string) int {
	n := null
	if r.flexible {
		n = r.compactLength(field)
	} else {
		n = int(r.int16(field))
	}
	if n < null || n > math.MaxInt16 {
		r.fail(field, fmt.Sprintf("length %d of a string", n))
		return null
	}
	return n
}

func (r *Reader) notNull(field string) { r.fail(field, "null, but the field is not nullable") }

func (r *Reader) string(field string) string {
	n := r.stringLength(field)
	if n == null {
		r.notNull(field)
		return ""
	}
	b := r.take(n, field)
	if r.Intern != nil {
		if known := r.Intern.find(b); known != nil {
			return *known
		}
	}
	return r.text(b, field)
}

func (r *Reader) nullableString(field string) *string {
	n := r.stringLength(field)
	if n == null {
		return nil
	}
	b := r.take(n, field)
	if r.Intern != nil {
		if known := r.Intern.find(b); known != nil {
			return known
		}
	}
	s := r.text(b, field)
	return &s
}

// stringHeader is what a string takes besides its bytes.
const stringHeader = 16

// text copies b. Bytes that are not UTF-8 are replaced by U+FFFD, as Kafka does it, so that no text
// beyond this point is malformed.
func (r *Reader) text(b []byte, field string) string {
	if !r.spend(len(b)+stringHeader, 1, field) {
		return ""
	}
	return strings.ToValidUTF8(string(b), "\uFFFD")
}

// requiredString reads a string that only other versions may leave null.
func (r *Reader) requiredString(field string) *string {
	s := r.string(field)
	return &s
}

// classicNullableString reads a string that keeps its classic form in flexible versions.
func (r *Reader) classicNullableString(field string) *string {
	flexible := r.flexible
	r.flexible = false
	s := r.nullableString(field)
	r.flexible = flexible
	return s
}

func (r *Reader) bytes(field string) []byte {
	b := r.nullableBytes(field)
	if b == nil {
		r.notNull(field)
	}
	return b
}

func (r *Reader) nullableBytes(field string) []byte {
	n := r.length(field)
	if n == null {
		return nil
	}
	return r.take(n, field)
}

func (r *Reader) records(field string) []byte         { return r.bytes(field) }
func (r *Reader) nullableRecords(field string) []byte { return r.nullableBytes(field) }
