package commitlog

import (
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/vfs"
)

const (
	pageBytes       = 4096
	scanBufferBytes = 1 << 20
	// maxBatchBytes bounds what a damaged length can make a scan read. No batch is larger than a segment.
	maxBatchBytes = maxSegmentBytes
)

// page is a pooled buffer for lookups.
type page struct{ bytes [pageBytes]byte }

var pages = sync.Pool{New: func() any { return new(page) }}

func takePage() *page { return pages.Get().(*page) }
func (p *page) put()  { pages.Put(p) }

// scanner reads batches from a file whose first end bytes should be whole batches. It reads ahead as far as its
// buffer goes, so that walking over small batches costs few reads.
//
// Of a header, the base offset, the length and the leader epoch are not covered by the batch's CRC. So they must fit what
// the scanner knows: batches lie in [base, next), and a walk passes them in order.
type scanner struct {
	file   vfs.File
	end    int64
	base   int64  // no offset is below it
	next   int64  // no offset is at or above it; 0 if that is not known
	buffer []byte // capacity for reading ahead
	start  int64  // position of buffer[0]
	ahead  int    // how much a header's read reads ahead: more and more, but little where batches are large
	pooled bool
}

// scan returns a scanner of the segment's batches. One with a buffer of scanBufferBytes is for walks over many; its free
// gives the buffer back.
func (s *segment) scan(f vfs.File, bufferBytes int) *scanner {
	size, next := s.end()
	scan := &scanner{file: f, end: size, base: s.base, next: next}
	if bufferBytes == scanBufferBytes && size > pageBytes {
		scan.buffer, scan.pooled = (*wideBuffers.Get().(*[]byte))[:0], true
	} else {
		scan.buffer = make([]byte, 0, min(int64(bufferBytes), max(size, record.HeaderSize)))
	}
	return scan
}

// walkThrough returns a scanner of a segment whose end is not known yet.
func (s *segment) walkThrough(f vfs.File, bufferBytes int) *scanner {
	scan := s.scan(f, bufferBytes)
	scan.next = 0
	return scan
}

// wideBuffers are those of scanners that read on and on.
var wideBuffers = sync.Pool{New: func() any { return new(make([]byte, 0, scanBufferBytes)) }}

// free ends the use of the scanner, and of every batch that it returned.
func (s *scanner) free() {
	if s.pooled && cap(s.buffer) == scanBufferBytes {
		wideBuffers.Put(new(s.buffer[:0]))
	}
	s.buffer, s.pooled = nil, false
}

// largeBatch is the size from which batches are skipped, not read, by a walk over headers.
const largeBatch = 4 * pageBytes

// bytes returns n bytes at position, valid until the next call; the caller knows that the file has them.
func (s *scanner) bytes(position int64, n int) ([]byte, error) {
	return s.bytesAhead(position, n, scanBufferBytes)
}

// bytesAhead is bytes for who wants no more than that to be read ahead.
func (s *scanner) bytesAhead(position int64, n, ahead int) ([]byte, error) {
	if from := position - s.start; from >= 0 && from+int64(n) <= int64(len(s.buffer)) {
		return s.buffer[from : from+int64(n)], nil
	}
	if n > cap(s.buffer) {
		s.buffer = make([]byte, 0, n)
	}
	b := s.buffer[:min(int64(cap(s.buffer)), int64(max(n, ahead)), s.end-position)]
	s.ahead = min(2*max(s.ahead, pageBytes), scanBufferBytes)
	got, err := s.file.ReadAt(b, position)
	s.buffer, s.start = b[:got], position
	if got >= n {
		return b[:n], nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		return nil, s.corrupt(position, fmt.Sprintf("the file ends %d bytes later, %d were expected", got, n))
	}
	return nil, err
}

// header returns the header of the batch at position, checked so far that its length can be believed.
func (s *scanner) header(position int64) (record.Batch, error) {
	if left := s.end - position; left < record.HeaderSize {
		return nil, s.corrupt(position, fmt.Sprintf("%d bytes are left, a batch header has %d", left, record.HeaderSize))
	}
	raw, err := s.bytesAhead(position, record.HeaderSize, max(s.ahead, pageBytes))
	if err != nil {
		return nil, err
	}
	b := record.Batch(raw)
	if fault := headerFault(b, s.end-position, s.base, s.next); fault != "" {
		return nil, s.corrupt(position, fault)
	}
	if b.Length() >= largeBatch {
		s.ahead = pageBytes
	}
	return b, nil
}

// headerFault says why a header cannot be that of a batch in the next left bytes, with offsets in [base, next); next 0 sets
// no limit.
func headerFault(b record.Batch, left, base, next int64) string {
	switch size := int64(b.Length()); {
	case b.Magic() != record.Magic:
		return fmt.Sprintf("magic is %d, want %d", b.Magic(), record.Magic)
	case size < record.HeaderSize || size > maxBatchBytes:
		return fmt.Sprintf("batch length is %d", size)
	case size > left:
		return fmt.Sprintf("batch of %d bytes passes the end %d bytes later", size, left)
	case b.BaseOffset() < 0 || b.LastOffsetDelta() < 0 || b.LastOffset() < 0:
		return fmt.Sprintf("base offset is %d, last offset delta %d", b.BaseOffset(), b.LastOffsetDelta())
	case b.BaseOffset() < base:
		return fmt.Sprintf("base offset is %d, at least %d was expected", b.BaseOffset(), base)
	case next > 0 && b.LastOffset() >= next:
		return fmt.Sprintf("last offset is %d, below %d was expected", b.LastOffset(), next)
	}
	return ""
}

// headerFrom is header for a walk whose next batch cannot begin before the offset least.
func (s *scanner) headerFrom(position, least int64) (record.Batch, error) {
	b, err := s.header(position)
	if err != nil {
		return nil, at(least, err)
	}
	if b.BaseOffset() < least {
		return nil, at(least, s.corrupt(position, fmt.Sprintf("base offset is %d, at least %d was expected", b.BaseOffset(), least)))
	}
	return b, nil
}

// at fills in the offset that cannot be read because of err, if that is not known yet.
func at(offset int64, err error) error {
	if reason, ok := errors.AsType[*CorruptionError](err); ok && reason.Offset < 0 {
		reason.Offset = offset
	}
	return err
}

// batch returns the whole batch at position with its CRC checked.
func (s *scanner) batch(position int64) (record.Batch, error) {
	h, err := s.header(position)
	if err != nil {
		return nil, err
	}
	raw, err := s.bytes(position, h.Length())
	if err != nil {
		return nil, err
	}
	if err := record.Batch(raw).CheckCRC(); err != nil {
		return nil, s.corrupt(position, err.Error())
	}
	return record.Batch(raw), nil
}

func (s *scanner) corrupt(position int64, reason string) error {
	return &CorruptionError{File: s.file.Name(), Position: position, Offset: noOffset, Reason: reason}
}
