package wire

import "unicode/utf8"

// Limits of an Intern table: strings as long as a topic's name may be, and so many bytes of them that
// ten thousand connections with a full table each stay below what their buffers take.
const (
	internString = 249
	internBytes  = 16 << 10
)

// Intern remembers strings, so that a topic's name that comes with every request is allocated once.
// It is bounded: a table that is full starts over. The *string of two messages may be the same one, so
// nobody writes through it. Not for concurrent use; a connection has one.
type Intern struct {
	known map[string]*string
	bytes int
}

// NewIntern returns an empty table.
func NewIntern() *Intern { return &Intern{known: map[string]*string{}} }

// find returns the string with the contents of b, or nil if it is not one to remember.
func (t *Intern) find(b []byte) *string {
	if s := t.known[string(b)]; s != nil {
		return s
	}
	if len(b) > internString || !utf8.Valid(b) {
		return nil
	}
	if t.bytes += len(b) + 48; t.bytes > internBytes { // 48: the entry itself
		clear(t.known)
		t.bytes = len(b)
	}
	s := string(b)
	t.known[s] = &s
	return &s
}
