package wire

import (
	"fmt"
	"unsafe"
)

// tagReader walks over the tag section of a struct. Like Kafka it accepts tags in any order and more
// than once (the last one counts); unlike Kafka it insists that a field fills the size announced.
type tagReader struct {
	r     *Reader
	count uint32 // not read yet
	end   int    // length of the rest behind the current tag, -1 before the first
	tag   uint32
	size  int
}

// tags opens the tag section; in classic versions it is empty.
func (r *Reader) tags() tagReader {
	t := tagReader{r: r, end: -1}
	if r.flexible {
		t.count = r.uvarint("tags")
		// A tag takes two bytes at least.
		if uint64(t.count) > uint64(len(r.rest)/2) {
			r.fail("tags", fmt.Sprintf("%d tags announced in %d bytes", t.count, len(r.rest)))
		}
	}
	return t
}

// next moves to the next tag, if there is one and nothing failed.
func (t *tagReader) next() bool {
	r := t.r
	if r.err == nil && t.end >= 0 && len(r.rest) != t.end {
		r.fail("tags", fmt.Sprintf("tag %d announced %d bytes and has %d", t.tag, t.size, t.size+t.end-len(r.rest)))
	}
	if r.err != nil || t.count == 0 {
		return false
	}
	t.count--
	t.tag = r.uvarint("tags")
	size := r.uvarint("tags")
	if uint64(size) > uint64(len(r.rest)) {
		r.fail("tags", fmt.Sprintf("tag %d announces %d bytes, %d left", t.tag, size, len(r.rest)))
		return false
	}
	t.size = int(size)
	t.end = len(r.rest) - t.size
	return r.err == nil
}

// allowed fails unless ok: the tag belongs to other versions of the message.
func (t *tagReader) allowed(ok bool) bool {
	if !ok {
		t.r.fail("tags", fmt.Sprintf("tag %d is not valid in this version", t.tag))
	}
	return ok
}

// unknown keeps the current tag, which the schema does not have.
func (t *tagReader) unknown(tags []Tag) []Tag {
	if !t.r.spend(1, int(unsafe.Sizeof(Tag{})), "tags") {
		return tags
	}
	return append(tags, Tag{t.tag, t.r.take(t.size, "tags")})
}

// unknownTags reads the tag section of a struct that has no tagged fields.
func (r *Reader) unknownTags(tags []Tag) []Tag {
	for t := r.tags(); t.next(); {
		tags = t.unknown(tags)
	}
	return tags
}
