package commitlog

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sort"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/record"
)

// Span is a range of whole batches in one segment. While it is held the bytes can be read, even if retention
// deletes the segment. Release it when done. The zero Span is empty.
type Span struct {
	Size       int   // bytes
	BaseOffset int64 // of the first batch, which may be below the offset that was asked for
	log        *Log
	segment    *segment
	position   int64
	file       *openFile // what File gave away
}

// ReadAt reads the span's bytes from its beginning into p, at most Size, and returns how many. If that is fewer
// the error says why: KAFKA_STORAGE_ERROR if the disk fails, CORRUPT_MESSAGE if the file is shorter than it was.
func (s *Span) ReadAt(p []byte) (int, error) { return s.ReadFrom(p, 0) }

// ReadFrom reads like ReadAt, from skip bytes after the span's beginning.
func (s *Span) ReadFrom(p []byte, skip int) (int, error) {
	p = p[:max(0, min(len(p), s.Size-skip))]
	if len(p) == 0 {
		return 0, nil
	}
	f, _, err := s.segment.useLog()
	if err != nil {
		return 0, s.log.readError(err)
	}
	defer f.done()
	n, err := f.ReadAt(p, s.position+int64(skip))
	if n < len(p) {
		if err == nil || errors.Is(err, io.EOF) {
			err = &CorruptionError{File: s.segment.name(), Position: s.position + int64(skip+n), Offset: noOffset, Reason: "the file ends here"}
		}
		return n, s.log.readError(err)
	}
	return n, nil
}

// Whole returns how many leading bytes of the span are batches that fit one another, of those that were read from its
// beginning; read may end in a batch. It looks at headers: a base offset and a length have no CRC, and a reader that
// believed a wrong one would pass over records. The error, if there is one, says what is wrong behind them.
func (s *Span) Whole(read []byte) (n int, err error) {
	least := s.BaseOffset
	_, next := s.segment.end()
	gap, gapAt := gapBefore{}, -1
	for len(read)-n >= record.HeaderSize {
		b := record.Batch(read[n:])
		fault := headerFault(b, int64(s.Size-n), least, next)
		if gapAt >= 0 && b.BaseOffset() <= gap.last {
			return gapAt, s.corrupt(gapAt, gap.next, "its offsets do not fit those of the next batch")
		}
		if fault != "" {
			return n, s.corrupt(n, least, fault)
		}
		if n+b.Length() > len(read) {
			return n, nil
		}
		gapAt = -1
		if b.BaseOffset() > least && n > 0 {
			gap, gapAt = gapBefore{next: least, last: b.LastOffset()}, n
		}
		least = b.LastOffset() + 1
		n += b.Length()
	}
	if gapAt > 0 && n == s.Size {
		return gapAt, nil // nothing here confirms the last batch; a read that begins there looks behind it
	}
	return n, nil
}

// Doubtful reports whether the disk has failed a read of this log lately: what is to be read had better be read before it is
// promised.
func (s *Span) Doubtful() bool { return s.log.doubtful.Load() }

// Unreadable is told by who read the file itself (see File) that the disk failed.
func (s *Span) Unreadable(err error) { _ = s.log.readError(err) }

func (s *Span) corrupt(skip int, offset int64, fault string) error {
	return s.log.readError(&CorruptionError{File: s.segment.name(), Position: s.position + int64(skip), Offset: offset, Reason: fault})
}

// File returns the file that has the bytes, and where they begin, for those who let the kernel send it; nil if the span
// is not in a file of the operating system. The file stays open until Release.
func (s *Span) File() (f *os.File, position int64) {
	if s.file == nil {
		open, _, err := s.segment.useLog()
		if err != nil {
			return nil, 0
		}
		s.file = open
	}
	if on, ok := s.file.File.(interface{ OS() *os.File }); ok {
		return on.OS(), s.position
	}
	return nil, 0
}

// Release gives up the bytes. More than one call, and a call on the zero Span, do no harm.
func (s *Span) Release() {
	if s.file != nil {
		_ = s.file.done() // it was only read
	}
	if s.segment != nil {
		s.segment.release()
	}
	*s = Span{}
}

// Find returns the batches to read from offset on: from the one that holds offset to the last whole one that
// ends below the offset below and within maxBytes, all in one segment. With atLeastOne the first batch comes
// even if it alone is larger than maxBytes (KIP-74). The span is empty if nothing is there yet. Offsets outside
// [StartOffset, EndOffset] are OFFSET_OUT_OF_RANGE.
func (l *Log) Find(offset int64, maxBytes int, below int64, atLeastOne bool) (Span, error) {
	if l.unloadable != nil {
		return Span{}, l.unloadable
	}
	end := l.end.Load()
	if start := l.start.Load(); offset < start || offset > end {
		return Span{}, kafka.Errorf(kafka.OffsetOutOfRange, "Received request for offset %d for partition %s, but we only have log segments from offset %d to %d.", offset, l.tp, start, end)
	}
	below = min(below, end)
	if offset >= below {
		return Span{}, nil
	}
	for {
		list := l.list()
		i := l.segmentAt(list, offset)
		for ; i < len(list); i++ {
			s := list[i]
			if !s.acquire() {
				break // deleted meanwhile: look at the new list
			}
			cuts := s.cutCount()
			span, found, err := s.find(offset, maxBytes, below, atLeastOne)
			if err != nil && s.cutCount() != cuts {
				s.release()
				break // what was read was being cut: look again
			}
			if err != nil || !found || span.Size == 0 {
				s.release()
			}
			if errors.Is(err, errRetired) {
				break
			}
			if err == nil && !found {
				err = l.missing(s, offset)
			}
			if err != nil {
				return Span{}, l.readError(at(offset, err))
			}
			if found {
				if span.Size > 0 {
					span.log = l
				}
				return span, nil
			}
		}
		if i == len(list) {
			return Span{}, nil
		}
		if err := l.closed(); err != nil {
			return Span{}, err
		}
		if start := l.start.Load(); offset < start {
			return Span{}, kafka.Errorf(kafka.OffsetOutOfRange, "Received request for offset %d for partition %s, but we only have log segments from offset %d to %d.", offset, l.tp, start, end)
		}
	}
}

// missing is the error for an offset of which a segment should have a batch, and has none. Compaction may have taken it, unless
// the log is known to lack something.
func (l *Log) missing(s *segment, offset int64) error {
	size, next := s.end()
	if l.damagedBelow.Load() == 0 || offset >= next {
		return nil
	}
	return &CorruptionError{File: s.name(), Position: size, Offset: offset, Reason: fmt.Sprintf("records from here to offset %d are missing", next-1)}
}

// closed returns why there is nothing left to read, if the log was closed or deleted.
func (l *Log) closed() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.mu.closed
}

// segmentAt returns the index of the segment that would hold offset.
func (l *Log) segmentAt(list []*segment, offset int64) int {
	return max(0, sort.Search(len(list), func(i int) bool { return list[i].base > offset })-1)
}

// find is Log.Find in one segment. found is false if the segment ends before offset.
func (s *segment) find(offset int64, maxBytes int, below int64, atLeastOne bool) (span Span, found bool, err error) {
	if span, found = s.findNewest(offset, maxBytes, below, atLeastOne); found {
		return span, true, nil
	}
	at := s.lookUp(offset)
	if at.size == 0 || offset >= at.next {
		return Span{}, false, nil
	}
	f, _, err := s.useLog()
	if err != nil {
		return Span{}, false, err
	}
	defer f.done()
	page := takePage()
	defer page.put()
	scan := scanner{file: f, end: at.size, base: s.base, next: at.next, buffer: page.bytes[:0]}
	first := at.first
	if first.length == 0 {
		from, err := s.seek(&scan, offset)
		if err != nil {
			return Span{}, false, err
		}
		b, position, err := scan.firstEndingAt(offset, from)
		if err != nil || b == nil {
			return Span{}, false, err
		}
		first = markOf(b, position)
	}
	if first.last >= below {
		return Span{}, true, nil
	}
	span = Span{Size: int(first.length), BaseOffset: first.base, segment: s, position: first.position}
	limit := min(at.size, first.position+int64(maxBytes))
	if first.end() > limit {
		if !atLeastOne {
			return Span{}, true, nil
		}
		return span, true, nil
	}
	end, err := s.lastBoundary(&scan, first, limit, below, &at)
	if err != nil {
		return Span{}, false, err
	}
	span.Size = int(end - first.position)
	return span, true, nil
}

// firstEndingAt walks from a batch at position to the first one whose last offset is at least offset; nil if
// there is none.
func (s *scanner) firstEndingAt(offset, position int64) (record.Batch, int64, error) {
	least, before := s.base, int64(-1)
	for position < s.end {
		b, err := s.headerFrom(position, least)
		if err != nil {
			return nil, 0, err
		}
		if b.LastOffset() >= offset {
			if b.BaseOffset() > least && (before >= 0 || position == 0) {
				b, err = s.confirmGap(b, position, before, least)
			}
			return b, position, err
		}
		least, before = b.LastOffset()+1, position
		position += int64(b.Length())
	}
	return nil, 0, nil
}

// confirmGap looks closer at a batch that does not begin where the one before it ended. Compaction leaves such gaps; but a
// flipped bit in a base offset or in an offset delta looks the same, and a reader would pass over records that are there.
func (s *scanner) confirmGap(b record.Batch, position, before, expected int64) (record.Batch, error) {
	b = slices.Clone(b) // the buffer is about to be used again
	if before >= 0 {
		if _, err := s.batch(before); err != nil {
			return nil, at(expected, err)
		}
	}
	gap := gapBefore{position, expected, b.LastOffset()}
	if behind := position + int64(b.Length()); behind < s.end && gap.contradicted(s, behind) {
		return nil, gap.reason(s)
	}
	return b, nil
}

// lastBoundary returns the largest end of a batch that is at most limit and whose batch lies below the offset
// below; the end of first is one. The batch that is there is remembered, as the next read begins with it.
func (s *segment) lastBoundary(scan *scanner, first batchMark, limit, below int64, at *readPoint) (int64, error) {
	from := first.end()
	if limit == at.size && below >= at.next {
		return at.size, nil // the common case: everything up to the end
	}
	near, err := s.seekPosition(scan, limit)
	if err != nil {
		return 0, err
	}
	if below < at.next {
		// An entry below names a whole batch below; the walk starts at that batch.
		lower, err := s.seek(scan, below-1)
		if err != nil {
			return 0, err
		}
		near = min(near, lower)
	}
	end := max(from, near)
	least := int64(noOffset) // at an index entry, which was checked
	if end == from {
		least = first.last + 1
	}
	for end < limit {
		b, err := scan.headerFrom(end, least)
		if err != nil {
			break // what lies before can be read; who reads on from here hears of it
		}
		if end+int64(b.Length()) > limit || b.LastOffset() >= below {
			if b.BaseOffset() == least || least == noOffset {
				s.readsOnAt(markOf(b, end), at) // after a gap, who reads on looks closer
			}
			break
		}
		least = b.LastOffset() + 1
		end += int64(b.Length())
	}
	return end, nil
}
