package wire

// Source is where deferred records come from: a range of a file.
type Source interface {
	// ReadFrom reads into p what begins skip bytes after the beginning. It fills p, or says why not.
	ReadFrom(p []byte, skip int) (int, error)
}

// deferred is what a records field holds whose bytes are to be read later.
var deferred = [1]byte{'?'}

// Deferred returns what to put into a records field for the next source given to Writer.Defer. It is not the records:
// who looks at the field sees only that it is not empty.
func Deferred() []byte { return deferred[:] }

func isDeferred(b []byte) bool { return len(b) == 1 && &b[0] == &deferred[0] }

// Defer announces, before a message is encoded, where the next of its Deferred fields has its bytes from, and how many
// those are. They are read when the output is used.
func (w *Writer) Defer(from Source, size int) {
	w.sources = append(w.sources, reference{from: from, size: size})
}

// takeSource writes the length of deferred records and refers to them.
func (w *Writer) takeSource() {
	if w.taken == len(w.sources) {
		w.fail("", "records were deferred, but nobody said where they are")
		return
	}
	next := w.sources[w.taken]
	w.taken++
	w.length(next.size)
	next.at = len(w.Buf)
	w.references = append(w.references, next)
	w.referenced += next.size
	w.deferred = true
}

// HasDeferred reports whether some of the output is to be read when it is used.
func (w *Writer) HasDeferred() bool { return w.deferred }

// Segment is a run of the output.
type Segment struct {
	Bytes []byte // nil: to be read
	From  Source
	Size  int
}

// AppendSegments appends the output to dst, like Segments, and with deferred records.
func (w *Writer) AppendSegments(dst []Segment) []Segment {
	start := 0
	for _, r := range w.references {
		if r.at > start {
			dst = append(dst, Segment{Bytes: w.Buf[start:r.at], Size: r.at - start})
		}
		dst = append(dst, Segment{r.bytes, r.from, r.size})
		start = r.at
	}
	if start < len(w.Buf) {
		dst = append(dst, Segment{Bytes: w.Buf[start:], Size: len(w.Buf) - start})
	}
	return dst
}
