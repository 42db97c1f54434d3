package metadata

import (
	"cmp"
	"iter"
	"slices"
)

// maxChunk is the number of entries at which a chunk is cut in two. A change copies one chunk and the
// list of chunks; at 10,000 entries both are about 2 KiB.
const maxChunk = 128

// edit marks what one Delta has copied already and may write to. It has a size because pointers to
// distinct zero-size variables may be equal.
type edit struct{ _ byte }

// sorted is a persistent map in the order of its keys: a list of chunks of up to maxChunk entries. A
// holder of a *sorted may read it for ever; set and remove return the map to use from now on, which
// shares all untouched chunks and is the same one if the edit made it.
type sorted[K, V any] struct {
	owner  *edit
	order  func(a, b K) int
	chunks []*chunk[K, V]
	length int
}

type chunk[K, V any] struct {
	owner   *edit
	entries []entry[K, V]
}

type entry[K, V any] struct {
	key   K
	value V
}

func newSorted[K, V any](order func(a, b K) int) *sorted[K, V] {
	return &sorted[K, V]{order: order}
}

func newOrdered[K cmp.Ordered, V any]() *sorted[K, V] { return newSorted[K, V](cmp.Compare[K]) }

func (s *sorted[K, V]) len() int { return s.length }

// find returns the chunk and the position in it where key is or belongs. The chunk is 0 in an empty map.
func (s *sorted[K, V]) find(key K) (c, i int, found bool) {
	lo, hi := 0, len(s.chunks)
	for lo < hi {
		mid := (lo + hi) / 2
		if s.order(s.chunks[mid].entries[0].key, key) <= 0 {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	c = max(lo-1, 0)
	if c == len(s.chunks) {
		return c, 0, false
	}
	i, found = slices.BinarySearchFunc(s.chunks[c].entries, key, func(e entry[K, V], k K) int {
		return s.order(e.key, k)
	})
	return c, i, found
}

func (s *sorted[K, V]) get(key K) (value V, found bool) {
	c, i, found := s.find(key)
	if found {
		value = s.chunks[c].entries[i].value
	}
	return value, found
}

// own returns s if e made it, and otherwise a copy that e may write to.
func (s *sorted[K, V]) own(e *edit) *sorted[K, V] {
	if s.owner == e {
		return s
	}
	return &sorted[K, V]{e, s.order, slices.Clone(s.chunks), s.length}
}

// ownChunk makes chunk c of an owned map writable.
func (s *sorted[K, V]) ownChunk(c int, e *edit) *chunk[K, V] {
	old := s.chunks[c]
	if old.owner == e {
		return old
	}
	entries := make([]entry[K, V], len(old.entries), len(old.entries)+1)
	copy(entries, old.entries)
	s.chunks[c] = &chunk[K, V]{e, entries}
	return s.chunks[c]
}

func (s *sorted[K, V]) set(key K, value V, e *edit) *sorted[K, V] {
	s = s.own(e)
	c, i, found := s.find(key)
	if len(s.chunks) == 0 {
		s.chunks = []*chunk[K, V]{{owner: e}}
	}
	ch := s.ownChunk(c, e)
	if found {
		ch.entries[i].value = value
		return s
	}
	ch.entries = slices.Insert(ch.entries, i, entry[K, V]{key, value})
	s.length++
	if len(ch.entries) > maxChunk {
		half := len(ch.entries) / 2
		if i == maxChunk { // keys arrive in order: leave the full chunk full
			half = maxChunk
		}
		upper := &chunk[K, V]{e, slices.Clone(ch.entries[half:])}
		ch.entries = slices.Clip(slices.Delete(ch.entries, half, len(ch.entries)))
		s.chunks = slices.Insert(s.chunks, c+1, upper)
	}
	return s
}

func (s *sorted[K, V]) remove(key K, e *edit) *sorted[K, V] {
	c, i, found := s.find(key)
	if !found {
		return s
	}
	s = s.own(e)
	s.length--
	if len(s.chunks[c].entries) == 1 {
		s.chunks = slices.Delete(s.chunks, c, c+1)
		return s
	}
	ch := s.ownChunk(c, e)
	ch.entries = slices.Delete(ch.entries, i, i+1)
	return s
}

func (s *sorted[K, V]) all() iter.Seq2[K, V] {
	return func(yield func(K, V) bool) {
		for _, c := range s.chunks {
			for _, e := range c.entries {
				if !yield(e.key, e.value) {
					return
				}
			}
		}
	}
}

func (s *sorted[K, V]) values() iter.Seq[V] {
	return func(yield func(V) bool) {
		for _, v := range s.all() {
			if !yield(v) {
				return
			}
		}
	}
}

// cursor walks a sorted map; it can step over a whole chunk.
type cursor[K, V any] struct {
	s    *sorted[K, V]
	c, i int
}

func (k *cursor[K, V]) done() bool          { return k.c >= len(k.s.chunks) }
func (k *cursor[K, V]) entry() *entry[K, V] { return &k.s.chunks[k.c].entries[k.i] }
func (k *cursor[K, V]) chunk() *chunk[K, V] { return k.s.chunks[k.c] }
func (k *cursor[K, V]) skipChunk()          { k.c, k.i = k.c+1, 0 }
func (k *cursor[K, V]) next() {
	if k.i++; k.i >= len(k.chunk().entries) {
		k.skipChunk()
	}
}

// difference calls changed for each key whose value was added (before is nil), removed (after is nil) or
// replaced between two maps that share chunks. Values are compared by identity: same decides.
func difference[K, V any](prev, next *sorted[K, V], same func(a, b V) bool, changed func(key K, before, after *V)) {
	if prev == next {
		return
	}
	a, b := &cursor[K, V]{s: prev}, &cursor[K, V]{s: next}
	for !a.done() || !b.done() {
		if !a.done() && !b.done() && a.i == 0 && b.i == 0 && a.chunk() == b.chunk() {
			a.skipChunk()
			b.skipChunk()
			continue
		}
		switch order := compareCursors(a, b); {
		case order < 0:
			changed(a.entry().key, &a.entry().value, nil)
			a.next()
		case order > 0:
			changed(b.entry().key, nil, &b.entry().value)
			b.next()
		default:
			if !same(a.entry().value, b.entry().value) {
				changed(b.entry().key, &a.entry().value, &b.entry().value)
			}
			a.next()
			b.next()
		}
	}
}

func compareCursors[K, V any](a, b *cursor[K, V]) int {
	switch {
	case a.done():
		return 1
	case b.done():
		return -1
	}
	return a.s.order(a.entry().key, b.entry().key)
}
