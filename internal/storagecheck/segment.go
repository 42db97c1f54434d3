package storagecheck

import (
	"errors"
	"io/fs"
	"path/filepath"

	"github.com/ottla/ottla/internal/record"
)

// segment is one .log file.
type segment struct {
	base, size int64
	next       int64 // base of the next segment, None for the last
}

func (s *segment) file(suffix string) string { return offsetName(s.base) + suffix }

// hole is a place in a log where records are missing: damaged bytes in a segment, or offsets that nothing has.
type hole struct {
	segment  int   // index
	position int64 // where the bytes begin, or where the next batch begins
	bytes    int64 // 0: the offsets alone are missing
	first    int64
	next     int64 // offset after the hole; as first if no offset is missing
	epoch    int32 // leader epoch before it
	reason   string
	tail     bool // nothing whole follows in this segment
	last     bool // nothing whole follows in this log
	disk     bool // the disk could not read it
	// unwritten is that bytes of it never came to the disk before the power failed: there are zeros, and no batch that has but one
	// bit wrong.
	unwritten bool
	mend      bool // a repair takes the bytes out
}

// walkSegment reads one segment and everything that is derived from it alone. expected is carried on in p.
func (p *partition) walkSegment(i int) {
	s := &p.segments[i]
	name := s.file(logSuffix)
	if err := p.openSegment(s); err != nil {
		p.add(Damaged, p.in(name), "Records of this segment cannot be read.", "it cannot be opened: %v", err)
		p.unreadable(i, 0, err)
		return
	}
	defer p.r.end()
	s.size = p.r.size
	indexes := p.openIndexes(s)
	txn := txnCheck{}
	if p.expected != None && s.base > p.expected {
		p.missing(hole{segment: i, first: p.expected, next: s.base, epoch: p.lastEpoch})
	}
	p.expected = max(p.expected, s.base)
	for position := int64(0); position < s.size; {
		in := bounds{s.base, p.expected, segmentLimit(s.base, s.next)}
		b, err := p.r.batch(position, in)
		if err == nil && b.BaseOffset() > p.expected {
			if err = p.r.contradicted(position, b, in); err == nil {
				b, err = p.r.batch(position, in)
			}
		}
		if err != nil {
			if position = p.damaged(i, position, in, err); position < 0 {
				break
			}
			continue
		}
		length := int64(b.Length())
		p.expect(i, position, b)
		indexes.batch(b, position)
		p.note(&txn, b)
		p.expected = b.LastOffset() + 1
		p.progress(length)
		position += length
	}
	indexes.finish()
	if !p.given(s) {
		p.checkTxnIndex(s, &txn)
	}
	p.Segments++
}

// openSegment lets p.r read a segment as a recovery will leave it: with what the redo journal has for it.
func (p *partition) openSegment(s *segment) error {
	path := filepath.Join(p.path, s.file(logSuffix))
	var patches []patch
	if p.redo != nil {
		patches = p.redo.patches[s.base]
	}
	if len(patches) == 0 {
		return p.r.open(p.fsys, path)
	}
	f := new(patchedFile)
	if err := f.begin(p.fsys, path, patches); err != nil {
		return err
	}
	if f.File == nil {
		return fs.ErrNotExist
	}
	p.r.begin(f, f.size)
	return nil
}

// given reports whether a segment lies below the log's start: retention has given it up and may be amid deleting it.
func (p *partition) given(s *segment) bool { return s.next != None && s.next <= p.known.start }

// believed reports whether a start takes what is derived from a segment as it is: after a clean stop, and of closed
// segments below the recovery point.
func (p *partition) believed(s *segment) bool {
	return p.known.clean || s.next != None && s.next <= p.known.point
}

// damaged enters the hole that begins at position and returns where to go on; -1 if nothing whole follows.
func (p *partition) damaged(i int, position int64, in bounds, err error) int64 {
	s := &p.segments[i]
	d, is := errors.AsType[*damage](err)
	if !is {
		p.unreadable(i, position, err)
		return -1
	}
	h := hole{segment: i, position: position, first: p.expected, next: p.expected, epoch: p.lastEpoch, reason: d.reason}
	at, ok, err := p.r.behind(position, in)
	if err != nil {
		p.unreadable(i, position, err)
		return -1
	}
	if ok {
		if b, err := p.r.header(at, in); err == nil {
			h.next = b.BaseOffset()
		}
	} else {
		at, h.tail = s.size, true
		h.next = p.segmentEnd(i)
	}
	h.bytes = at - position
	h.unwritten = !p.known.clean && p.unwritten(position, h.bytes, in)
	p.progress(h.bytes)
	p.holes = append(p.holes, h)
	p.exact = false
	p.expected = max(p.expected, h.next)
	if h.tail {
		return -1
	}
	return at
}

// A disk writes at least sectors. What was never written begins or ends with one, or with a batch, and has zeros there; no batch begins
// with that many.
const (
	sectorBytes = 512
	zeroRun     = 16
)

// unwritten tells what a power failure leaves of bytes that were not synced from a damage to bytes that were.
func (p *partition) unwritten(position, bytes int64, in bounds) bool {
	if p.r.oneBitOff(position, in) {
		return false
	}
	end := position + bytes
	if end == p.r.size {
		if b, err := p.r.bytes(position, int(min(bytes, record.HeaderSize))); err == nil && (len(b) < record.HeaderSize || int64(record.Batch(b).Length()) > bytes) {
			return true // the rest of the batch is missing
		}
	}
	if p.r.blank(position, min(zeroRun, bytes)) {
		return true // not even the beginning of the batch is there
	}
	for at := (position/sectorBytes + 1) * sectorBytes; at < end; at += sectorBytes {
		if p.r.blank(at, min(zeroRun, end-at)) || at-position >= zeroRun && p.r.blank(at-zeroRun, zeroRun) {
			return true
		}
	}
	return false
}

// segmentEnd is the offset that a segment should end at, as far as others tell: the next segment, or the checkpoints.
func (p *partition) segmentEnd(i int) int64 {
	if s := &p.segments[i]; s.next != None {
		return max(p.expected, s.next)
	}
	return max(p.expected, p.known.vouched(), p.vouchedHigh())
}

// unreadable enters the rest of a segment that the disk does not give.
func (p *partition) unreadable(i int, position int64, err error) {
	s := &p.segments[i]
	reason := err.Error()
	if pe, is := errors.AsType[*fs.PathError](err); is {
		reason = pe.Err.Error()
	}
	next := p.segmentEnd(i)
	p.holes = append(p.holes, hole{segment: i, position: position, bytes: s.size - position, first: p.expected, next: next, reason: "the disk says: " + reason, tail: true, disk: true})
	p.exact = false
	p.expected = max(p.expected, next)
}

// expect compares a batch with the offset that should come here, and its content with what its header says.
func (p *partition) expect(i int, position int64, b record.Batch) {
	s := &p.segments[i]
	if gap := b.BaseOffset() - p.expected; gap > 0 {
		p.missing(hole{segment: i, position: position, first: p.expected, next: b.BaseOffset(), epoch: p.lastEpoch})
	}
	p.Batches++
	p.Records += max(0, int64(b.Count()))
	name := p.in(s.file(logSuffix))
	switch {
	case b.Count() == 0 && !b.HasProducerID():
		p.filled = true
	case int64(b.Count()) != int64(b.LastOffsetDelta())+1 || b.Attributes().HasDeleteHorizon():
		p.thinned = true
	}
	if b.Length() > maxBatchBytes {
		p.add(Leftover, name, "Its content was not checked.", "a batch of %d bytes", b.Length()).at(position, int64(b.Length()))
		return
	}
	if err := b.CheckRecords(0); err != nil {
		p.content(name, position, b, err)
	}
	p.understand(name, position, b)
}

// missing enters offsets that no batch has; whether that is a loss or compaction is known at the end.
func (p *partition) missing(h hole) {
	if len(p.gaps) < maxGaps {
		p.gaps = append(p.gaps, h)
	}
	p.gapCount++
}

// maxGaps is how many gaps are remembered of a log that may turn out not to be compacted.
const maxGaps = 10_000
