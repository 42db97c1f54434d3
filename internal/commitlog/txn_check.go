package commitlog

import (
	"errors"

	"github.com/ottla/ottla/internal/record"
)

// A wrong entry of a transaction index would hide committed records from a read_committed consumer, or show aborted ones. The
// entries have no checksum, but they name batches, which are looked at before an index is believed.

// abortedAreTrue reports whether the batches that the entries of a transaction index name are what they say. What compaction
// or retention took cannot be looked at any more and is believed; so is what cannot be read, which readers hear of.
func (l *Log) abortedAreTrue(entries []Aborted) (bool, error) {
	stable, walk := int64(0), int64(maxTxnWalk)
	for _, a := range entries {
		marker := func(b record.Batch) bool {
			return b.BaseOffset() == a.LastOffset && b.ProducerID() == a.ProducerID && b.Attributes().Control()
		}
		first := func(b record.Batch) bool {
			return b.BaseOffset() == a.FirstOffset && b.ProducerID() == a.ProducerID && b.Attributes().Transactional() && !b.Attributes().Control()
		}
		// What was undecided when the marker was written is another transaction, or what came after the marker.
		undecided := func(b record.Batch) bool {
			return b.BaseOffset() == a.LastStableOffset && b.Attributes().Transactional() && !b.Attributes().Control()
		}
		if a.LastStableOffset < stable || a.LastStableOffset > a.LastOffset+1 {
			return false, nil
		}
		stable = a.LastStableOffset
		for _, look := range [...]struct {
			offset int64
			right  func(record.Batch) bool
		}{{a.LastOffset, marker}, {a.FirstOffset, first}, {a.LastStableOffset, undecided}} {
			if look.offset == a.LastOffset+1 {
				continue
			}
			if ok, err := l.isTrueOf(look.offset, look.right); err != nil || !ok {
				return false, err
			}
		}
		if ok, err := l.isOneTransaction(a, &walk); err != nil || !ok {
			return false, err
		}
	}
	return true, nil
}

// maxTxnWalk bounds the bytes of the log that are walked through to check one transaction index.
const maxTxnWalk = 16 << 20

// isOneTransaction reports whether no other transaction of the producer ended between the first record of an aborted one and
// its marker, as far as budget goes.
func (l *Log) isOneTransaction(a Aborted, budget *int64) (is bool, err error) {
	is = true
	list := l.list()
	for _, s := range list[l.segmentAt(list, a.FirstOffset):] {
		if s.base > a.LastOffset || *budget <= 0 {
			break
		}
		if !s.acquire() {
			continue
		}
		err := s.headers(a.FirstOffset, func(b record.Batch) bool {
			*budget -= int64(b.Length())
			inside := b.BaseOffset() >= a.FirstOffset && b.BaseOffset() < a.LastOffset
			is = is && !(inside && b.ProducerID() == a.ProducerID && b.Attributes().Control())
			return is && b.LastOffset() < a.LastOffset && *budget > 0
		})
		s.release()
		if err != nil && !errors.Is(err, errRetired) && ignoreCorruption(err) != nil {
			return false, err
		}
	}
	return is, nil
}

// headers calls visit with the headers of the batches that end at or after offset, until it returns false.
func (s *segment) headers(offset int64, visit func(record.Batch) bool) error {
	f, _, err := s.useLog()
	if err != nil {
		return err
	}
	defer f.done()
	scan := s.scan(f, pageBytes)
	position, err := s.seek(scan, offset)
	if err != nil {
		return err
	}
	least := s.base
	for position < scan.end {
		b, err := scan.headerFrom(position, least)
		if err != nil || !visit(b) {
			return err
		}
		least = b.LastOffset() + 1
		position += int64(b.Length())
	}
	return nil
}

// isTrueOf reports whether the header of the batch that holds an offset is right; also if there is none.
func (l *Log) isTrueOf(offset int64, right func(record.Batch) bool) (bool, error) {
	list := l.list()
	if offset < list[0].base {
		return true, nil
	}
	s := list[l.segmentAt(list, offset)]
	if !s.acquire() {
		return true, nil
	}
	defer s.release()
	f, _, err := s.useLog()
	if errors.Is(err, errRetired) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	defer f.done()
	scan := s.scan(f, pageBytes)
	position, err := s.seek(scan, offset)
	var b record.Batch
	if err == nil {
		b, position, err = scan.firstEndingAt(offset, position)
	}
	if err == nil && b != nil && b.BaseOffset() <= offset && !right(b) {
		if _, err = scan.batch(position); err == nil {
			return false, nil
		}
	}
	if errors.Is(err, errRetired) || ignoreCorruption(err) == nil && err != nil {
		return true, nil
	}
	return err == nil, err
}
