package recordjson

import (
	"encoding/binary"
	"fmt"
)

// An Error is a failure as Kafka's generated readers report it.
type Error struct{ class, message string }

// Error is the exception's message, "null" if it has none, as Java puts it into texts.
func (e *Error) Error() string { return e.message }

// JavaClass is the exception's class.
func (e *Error) JavaClass() string { return e.class }

func failure(format string, args ...any) error {
	return &Error{"java.lang.RuntimeException", fmt.Sprintf(format, args...)}
}

// errUnderflow is the end of the bytes in the midst of a number.
var errUnderflow = &Error{"java.nio.BufferUnderflowException", "null"}

// A Buffer is the bytes that are left to read. Its methods take from the front; the error of one that found too few bytes stays.
type Buffer struct {
	bytes []byte
	err   error
}

// NewBuffer returns a buffer over b, which strings and bytes are copied from.
func NewBuffer(b []byte) *Buffer { return &Buffer{bytes: b} }

// Len is the number of bytes that are left.
func (b *Buffer) Len() int { return len(b.bytes) }

// Err is the first failure.
func (b *Buffer) Err() error { return b.err }

func (b *Buffer) fail(err error) {
	if b.err == nil {
		b.err = err
	}
	b.bytes = nil
}

// number takes n bytes, at most 8, as a big-endian number.
func (b *Buffer) number(n int) uint64 {
	if len(b.bytes) < n {
		b.fail(errUnderflow)
		return 0
	}
	var padded [8]byte
	copy(padded[8-n:], b.bytes[:n])
	b.bytes = b.bytes[n:]
	return binary.BigEndian.Uint64(padded[:])
}

// Int16 takes a big-endian number of 16 bits.
func (b *Buffer) Int16() int16 { return int16(b.number(2)) }

// Uvarint takes an unsigned varint of at most 5 bytes; like Java it is a signed number of 32 bits.
func (b *Buffer) Uvarint() int32 {
	var value uint32
	for shift := 0; ; shift += 7 {
		c := b.number(1)
		value |= uint32(c&0x7f) << shift
		if c < 0x80 || b.err != nil {
			return int32(value)
		}
		if shift == 28 {
			b.fail(&Error{"java.lang.IllegalArgumentException", fmt.Sprintf("Varint is too long, the most significant bit in the 5th byte is set, converted value: %x", value)})
			return 0
		}
	}
}

// take takes n bytes.
func (b *Buffer) take(n int) []byte {
	if n < 0 {
		b.fail(&Error{"java.lang.NegativeArraySizeException", fmt.Sprint(n)})
		return nil
	}
	if b.err == nil && n > len(b.bytes) {
		b.fail(failure("Error reading byte array of %d byte(s): only %d byte(s) available", n, len(b.bytes)))
	}
	if b.err != nil {
		return nil
	}
	taken := b.bytes[:n:n]
	b.bytes = b.bytes[n:]
	return taken
}
