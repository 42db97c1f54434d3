package wire

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/ottla/ottla/internal/kafka"
)

// DefaultBudget is what decoding may allocate beyond a multiple of the input's length. No request of
// a real client comes near it.
const DefaultBudget = 16 << 20

// amplification is what decoding may allocate per byte of input.
const amplification = 8

// Reader reads messages from a byte slice. Several messages may follow each other in one input: a
// header and its request. After the first error every further read returns zero values.
type Reader struct {
	// Intern, if not nil, holds strings that were read before: reading them again allocates nothing.
	Intern *Intern
	// Budget is the number of bytes that decoding one input may allocate, beyond 8 times the length of
	// the input; 0 stands for DefaultBudget. It takes effect at the next Reset.
	Budget int

	rest []byte // not read yet
	size int    // of the whole input
	left int    // of the budget
	err  error

	message  string // that is being decoded
	flexible bool   // compact lengths, and tags
}

// NewReader returns a Reader of in.
func NewReader(in []byte) *Reader {
	r := new(Reader)
	r.Reset(in)
	return r
}

// Reset starts over with a new input.
func (r *Reader) Reset(in []byte) {
	budget := r.Budget
	if budget == 0 {
		budget = DefaultBudget
	}
	*r = Reader{Intern: r.Intern, Budget: r.Budget, rest: in, size: len(in), left: budget + amplification*len(in)}
}

// Err returns the first error, a *DecodeError.
func (r *Reader) Err() error { return r.err }

// Remaining returns the bytes that were not read yet, aliasing the input; none after an error.
func (r *Reader) Remaining() []byte { return r.rest }

// Done returns the first error; bytes that were not read are one.
func (r *Reader) Done() error {
	if r.err == nil && len(r.rest) > 0 {
		r.fail("", fmt.Sprintf("%d bytes follow the end of the message", len(r.rest)))
	}
	return r.err
}

// begin opens a message and reports whether it has the version.
func (r *Reader) begin(message string, version, low, high, flexible int16) bool {
	r.message, r.flexible = message, version >= flexible
	if version < low || version > high {
		r.fail("", fmt.Sprintf("version %d is not one of %d-%d", version, low, high))
	}
	return r.err == nil
}

// fail keeps the first error and drops the rest of the input, so that all that follows ends quickly.
func (r *Reader) fail(field, reason string) {
	if r.err == nil {
		r.err = &DecodeError{Message: r.message, Field: field, Offset: r.size - len(r.rest), Reason: reason}
	}
	r.rest = nil
}

func (r *Reader) short(field string, want int) {
	r.fail(field, fmt.Sprintf("%d bytes wanted, %d left", want, len(r.rest)))
}

// spend takes n elements of the given size from the budget.
func (r *Reader) spend(n, size int, field string) bool {
	if n > r.left/size {
		r.fail(field, fmt.Sprintf("%d times %d bytes exceed the budget for decoding, %d bytes left", n, size, r.left))
		return false
	}
	r.left -= n * size
	return true
}

func (r *Reader) bool(field string) bool { return r.int8(field) != 0 }

func (r *Reader) int8(field string) int8 {
	if len(r.rest) < 1 {
		r.short(field, 1)
		return 0
	}
	v := int8(r.rest[0])
	r.rest = r.rest[1:]
	return v
}

func (r *Reader) int16(field string) int16 { return int16(r.uint16(field)) }

func (r *Reader) uint16(field string) uint16 {
	if len(r.rest) < 2 {
		r.short(field, 2)
		return 0
	}
	v := binary.BigEndian.Uint16(r.rest)
	r.rest = r.rest[2:]
	return v
}

func (r *Reader) int32(field string) int32 { return int32(r.uint32(field)) }

func (r *Reader) uint32(field string) uint32 {
	if len(r.rest) < 4 {
		r.short(field, 4)
		return 0
	}
	v := binary.BigEndian.Uint32(r.rest)
	r.rest = r.rest[4:]
	return v
}

func (r *Reader) int64(field string) int64 {
	if len(r.rest) < 8 {
		r.short(field, 8)
		return 0
	}
	v := binary.BigEndian.Uint64(r.rest)
	r.rest = r.rest[8:]
	return int64(v)
}

func (r *Reader) float64(field string) float64 { return math.Float64frombits(uint64(r.int64(field))) }

func (r *Reader) uuid(field string) (u kafka.UUID) {
	if len(r.rest) < len(u) {
		r.short(field, len(u))
		return u
	}
	copy(u[:], r.rest)
	r.rest = r.rest[len(u):]
	return u
}

// uvarint reads an unsigned number of 32 bits in groups of 7, the lowest first: at most 5 bytes.
func (r *Reader) uvarint(field string) uint32 {
	if len(r.rest) > 0 && r.rest[0] < 1<<7 { // nearly all of them: short lengths, no tags
		v := r.rest[0]
		r.rest = r.rest[1:]
		return uint32(v)
	}
	v, n := binary.Uvarint(r.rest[:min(len(r.rest), binary.MaxVarintLen32)])
	switch {
	case n > 0 && v <= math.MaxUint32:
		r.rest = r.rest[n:]
		return uint32(v)
	case len(r.rest) < binary.MaxVarintLen32 && n == 0:
		r.short(field, len(r.rest)+1)
	default:
		r.fail(field, "a varint of more than 32 bits")
	}
	return 0
}

// take returns the next n bytes, aliasing the input.
func (r *Reader) take(n int, field string) []byte {
	if n > len(r.rest) {
		r.short(field, n)
		return nil
	}
	b := r.rest[:n:n]
	r.rest = r.rest[n:]
	return b
}
