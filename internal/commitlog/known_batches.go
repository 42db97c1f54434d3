package commitlog

import (
	"sort"

	"github.com/ottla/ottla/internal/record"
)

// A lookup in the index ends with reading batch headers from the file. Most reads need none of that: consumers read the
// newest batches, or go on where their last read ended. Both are kept in memory, as batches whose place is known. They are
// forgotten when the segment is cut.

// batchMark is a batch whose place is known.
type batchMark struct {
	base, last       int64 // offsets
	position, length int64
}

func markOf(b record.Batch, position int64) batchMark {
	return batchMark{b.BaseOffset(), b.LastOffset(), position, int64(b.Length())}
}

// end is where the next batch lies.
func (m batchMark) end() int64 { return m.position + m.length }

func (m batchMark) holds(offset int64) bool { return m.base <= offset && offset <= m.last }

// newestBatches are the last ones that were appended to the active segment, one after the other.
type newestBatches struct {
	marks [32]batchMark
	added int // ever; the newest is at (added-1) % len(marks)
}

func (n *newestBatches) add(m batchMark) {
	n.marks[n.added%len(n.marks)] = m
	n.added++
}

func (n *newestBatches) oldest() int { return max(0, n.added-len(n.marks)) }

func (n *newestBatches) at(i int) batchMark { return n.marks[i%len(n.marks)] }

// find returns which one is the first that ends at or after offset; false if that may be one before the oldest.
func (n *newestBatches) find(offset int64) (i int, ok bool) {
	from := n.oldest()
	i = from + sort.Search(n.added-from, func(i int) bool { return n.at(from+i).last >= offset })
	return i, i < n.added && (i > from || n.at(i).base <= offset)
}

// readPlaces are batches at which reads ended, where the same consumers will read on.
type readPlaces struct {
	marks [8]batchMark
	next  int // the one to be replaced
}

// noPlace: the read did not begin at a known place.
const noPlace = -1

// find returns the batch that holds offset, and which one it is.
func (r *readPlaces) find(offset int64) (m batchMark, place int) {
	for i, m := range r.marks {
		if m.length > 0 && m.holds(offset) {
			return m, i
		}
	}
	return batchMark{}, noPlace
}

// put keeps m instead of the place where the read began, or of the one that was put longest ago.
func (r *readPlaces) put(m batchMark, place int) {
	if place == noPlace {
		place = r.next
		r.next = (r.next + 1) % len(r.marks)
	}
	r.marks[place] = m
}

// noteNewest keeps a batch that was just written. The caller holds s.state.
func (s *segment) noteNewest(m batchMark) {
	if s.state.newest == nil {
		s.state.newest = new(newestBatches)
	}
	s.state.newest.add(m)
}

// forgetBatches: the caller holds s.state.
func (s *segment) forgetBatches() {
	s.state.newest, s.state.places = nil, nil
	s.state.cuts++
}

func (s *segment) cutCount() int {
	s.state.RLock()
	defer s.state.RUnlock()
	return s.state.cuts
}

// readPoint is a consistent look at a segment, for one read.
type readPoint struct {
	size, next int64
	cuts       int
	first      batchMark // where the read begins, if that is known: length is above 0 then
	place      int       // from which first is
}

// lookUp returns where a read of offset begins, as far as memory knows.
func (s *segment) lookUp(offset int64) readPoint {
	s.state.RLock()
	defer s.state.RUnlock()
	p := readPoint{size: s.state.size, next: s.state.next, cuts: s.state.cuts, place: noPlace}
	if s.state.places != nil {
		p.first, p.place = s.state.places.find(offset)
	}
	return p
}

// readsOnAt keeps the batch after a read.
func (s *segment) readsOnAt(m batchMark, p *readPoint) {
	s.state.Lock()
	defer s.state.Unlock()
	if s.state.cuts != p.cuts {
		return
	}
	if s.state.places == nil {
		s.state.places = new(readPlaces)
	}
	s.state.places.put(m, p.place)
}

// findNewest is find among the newest batches; ok is false if offset is not among them.
func (s *segment) findNewest(offset int64, maxBytes int, below int64, atLeastOne bool) (span Span, ok bool) {
	s.state.RLock()
	defer s.state.RUnlock()
	n, size := s.state.newest, s.state.size
	if n == nil || offset >= s.state.next {
		return Span{}, false
	}
	i, ok := n.find(offset)
	if !ok {
		return Span{}, false
	}
	first := n.at(i)
	span = Span{BaseOffset: first.base, segment: s, position: first.position}
	limit := min(size, first.position+int64(maxBytes))
	switch {
	case first.last >= below:
		return Span{}, true
	case first.end() > limit && !atLeastOne:
		return Span{}, true
	case first.end() > limit:
		span.Size = int(first.length)
		return span, true
	}
	end := first.end()
	for i++; i < n.added; i++ {
		m := n.at(i) // it may be one that is not yet published: then it ends after size
		if m.end() > limit || m.last >= below {
			break
		}
		end = m.end()
	}
	span.Size = int(end - first.position)
	return span, true
}
