package options

import (
	"strconv"
	"strings"
)

// A Set is a command line that was read.
type Set struct {
	Extra  []string // arguments that belong to no option
	values map[*Option][]string
	count  map[*Option]int
	order  []*Option
}

func (s *Set) note(o *Option) {
	s.count[o]++
	s.order = append(s.order, o)
}

func (s *Set) add(o *Option, value string) {
	if o.separator != 0 {
		s.values[o] = append(s.values[o], strings.Split(value, string(o.separator))...)
		return
	}
	s.values[o] = append(s.values[o], value)
}

// Rename lets values that came under an old name count under the new one.
func (s *Set) Rename(old, name *Option) {
	s.values[name] = append(s.values[name], s.values[old]...)
	s.count[name] += s.count[old]
}

// Has reports whether o is on the command line.
func (s *Set) Has(o *Option) bool { return s.count[o] > 0 }

// Order returns the options in the order in which they came, one entry for each time.
func (s *Set) Order() []*Option { return s.order }

// Values returns all values of o, or its default.
func (s *Set) Values(o *Option) []string {
	if vs := s.values[o]; len(vs) > 0 || s.Has(o) || o.fallback == nil {
		return vs
	}
	return []string{*o.fallback}
}

// Value returns the single value of o: "" if there is none. More than one is an error.
func (s *Set) Value(o *Option) (string, error) {
	switch vs := s.values[o]; {
	case len(vs) > 1:
		return "", &Error{Kind: MultipleArguments, Message: "Found multiple arguments for option " + o.name +
			", but you asked for only one"}
	case len(vs) == 1:
		return vs[0], nil
	case o.fallback != nil:
		return *o.fallback, nil
	}
	return "", nil
}

// HasValue reports whether o came with a value.
func (s *Set) HasValue(o *Option) bool { return len(s.values[o]) > 0 }

// A Reader reads single values and keeps the first failure.
type Reader struct {
	set *Set
	err error
}

// Reader returns a reader of s.
func (s *Set) Reader() *Reader { return &Reader{set: s} }

// Err is the first failure of the reads so far.
func (r *Reader) Err() error { return r.err }

// String returns the value of o, "" without one.
func (r *Reader) String(o *Option) string {
	v, err := r.set.Value(o)
	r.keep(err)
	return v
}

// Int returns the value of o as a 32-bit number, 0 without one.
func (r *Reader) Int(o *Option) int { return int(r.number(o, 32)) }

// Long returns the value of o as a 64-bit number, 0 without one.
func (r *Reader) Long(o *Option) int64 { return r.number(o, 64) }

func (r *Reader) number(o *Option, bits int) int64 {
	v := r.String(o)
	if v == "" {
		return 0
	}
	n, err := strconv.ParseInt(v, 10, bits)
	if err != nil {
		r.keep(&Error{Kind: Conversion, Message: "Cannot parse argument '" + v + "' of option " + o.name})
	}
	return n
}

func (r *Reader) keep(err error) {
	if r.err == nil {
		r.err = err
	}
}
