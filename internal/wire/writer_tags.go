package wire

import (
	"encoding/binary"
	"slices"
)

// tagWriter writes the tag section of a struct. Count and sizes are not known beforehand: one byte is
// kept for each, and what follows is moved in the rare case that the number needs more. Unknown tags
// come last: the known ones are numbered from 0 without gaps (the generator makes sure).
type tagWriter struct {
	w       *Writer
	unknown []Tag
	count   int
	at      int // of the count in Buf
	open    int // of the size of the field being written, 0 if there is none
}

// tags opens the tag section; in classic versions there is none.
func (w *Writer) tags(unknown []Tag) tagWriter {
	t := tagWriter{w: w, unknown: unknown, at: len(w.Buf)}
	if w.flexible {
		w.Buf = append(w.Buf, 0)
	}
	return t
}

// field begins a tagged field.
func (t *tagWriter) field(tag uint32) {
	t.close()
	t.count++
	t.w.uvarint(tag)
	t.open = len(t.w.Buf)
	t.w.Buf = append(t.w.Buf, 0)
}

// close ends the field being written.
func (t *tagWriter) close() {
	if t.open > 0 {
		t.w.put(t.open, len(t.w.Buf)-t.open-1)
		t.open = 0
	}
}

// end closes the tag section.
func (t *tagWriter) end() {
	if !t.w.flexible {
		t.w.omitted(len(t.unknown) > 0, "tags")
		return
	}
	t.close()
	for _, tag := range t.unknown {
		t.w.uvarint(tag.Tag)
		t.w.uvarint(uint32(len(tag.Data)))
		t.w.Buf = append(t.w.Buf, tag.Data...)
	}
	t.w.put(t.at, t.count+len(t.unknown))
}

// put writes v as an unsigned varint over the one byte that was kept at a position in Buf.
func (w *Writer) put(at, v int) {
	if v < 1<<7 {
		w.Buf[at] = byte(v)
		return
	}
	var number [binary.MaxVarintLen32]byte
	n := binary.PutUvarint(number[:], uint64(v))
	w.Buf = slices.Replace(w.Buf, at, at+1, number[:n]...)
}

// unknownTags writes the tag section of a struct that has no tagged fields.
func (w *Writer) unknownTags(unknown []Tag) {
	if len(unknown) == 0 && w.flexible {
		w.Buf = append(w.Buf, 0)
		return
	}
	t := w.tags(unknown)
	t.end()
}
