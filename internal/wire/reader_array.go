package wire

import (
	"fmt"
	"unsafe"
)

// part is a struct inside of a message.
type part[T any] interface {
	*T
	decode(r *Reader, version int16)
	encode(w *Writer, version int16)
}

// count reads the number of elements of an array, null included. The numbers are the least sizes of
// an element in classic and in flexible versions: a count that the bytes left cannot hold is an error.
func (r *Reader) count(classic, flexible int, field string) int {
	n, size := r.length(field), classic
	if r.flexible {
		size = flexible
	}
	if n > len(r.rest)/size {
		r.fail(field, fmt.Sprintf("%d elements announced in %d bytes", n, len(r.rest)))
		return null
	}
	return n
}

// resize returns a slice of n elements, s itself if it has the capacity. Elements that s had before,
// also behind its end, keep their place so that their slices can be used again.
func resize[T any](r *Reader, s []T, n int, field string) []T {
	var element T
	if !r.spend(n, int(unsafe.Sizeof(element)), field) {
		return s[:0]
	}
	if n > cap(s) {
		grown := make([]T, n)
		copy(grown, s[:cap(s)])
		return grown
	}
	return s[:n]
}

// readArray reads an array of values other than structs into s.
func readArray[T any](r *Reader, s []T, read func(*Reader, string) T, classic, flexible int, field string) []T {
	n := r.count(classic, flexible, field)
	if n == null {
		r.notNull(field)
		return s[:0]
	}
	return readElements(r, s, read, n, field)
}

// readNullableArray is readArray for a field that may be null: nil.
func readNullableArray[T any](r *Reader, s []T, read func(*Reader, string) T, classic, flexible int, field string) []T {
	switch n := r.count(classic, flexible, field); n {
	case null:
		return nil
	case 0:
		return []T{}
	default:
		return readElements(r, s, read, n, field)
	}
}

func readElements[T any](r *Reader, s []T, read func(*Reader, string) T, n int, field string) []T {
	s = resize(r, s, n, field)
	for i := range s {
		if r.err != nil {
			return s[:i]
		}
		s[i] = read(r, field)
	}
	return s
}

// readStructs reads an array of structs into s.
func readStructs[T any, P part[T]](r *Reader, s []T, version int16, classic, flexible int, field string) []T {
	n := r.count(classic, flexible, field)
	if n == null {
		r.notNull(field)
		return s[:0]
	}
	return readParts[T, P](r, s, version, n, field)
}

// readNullableStructs is readStructs for a field that may be null: nil.
func readNullableStructs[T any, P part[T]](r *Reader, s []T, version int16, classic, flexible int, field string) []T {
	switch n := r.count(classic, flexible, field); n {
	case null:
		return nil
	case 0:
		return []T{}
	default:
		return readParts[T, P](r, s, version, n, field)
	}
}

func readParts[T any, P part[T]](r *Reader, s []T, version int16, n int, field string) []T {
	s = resize(r, s, n, field)
	for i := range s {
		if r.err != nil {
			return s[:i]
		}
		P(&s[i]).decode(r, version)
	}
	return s
}

// readNullableStruct reads a struct behind a byte that is negative if it is null.
func readNullableStruct[T any, P part[T]](r *Reader, version int16, field string) *T {
	if r.int8(field) < 0 {
		return nil
	}
	return readPart[T, P](r, version, field)
}

// readNullableTaggedStruct reads a struct behind an unsigned varint that is 0 if it is null.
func readNullableTaggedStruct[T any, P part[T]](r *Reader, version int16, field string) *T {
	if r.uvarint(field) == 0 {
		return nil
	}
	return readPart[T, P](r, version, field)
}

func readPart[T any, P part[T]](r *Reader, version int16, field string) *T {
	var zero T
	if r.err != nil || !r.spend(1, int(unsafe.Sizeof(zero)), field) {
		return nil
	}
	t := new(T)
	P(t).decode(r, version)
	return t
}
