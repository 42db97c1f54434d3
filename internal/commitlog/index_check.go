package commitlog

import "errors"

// An index entry is believed only after a look at the batch that it names: a flipped bit in an index costs a rebuild,
// never a wrong answer.

// seek returns the position of a batch from which a walk finds the first batch that ends at or after offset.
func (s *segment) seek(scan *scanner, offset int64) (position int64, err error) {
	return s.checked(scan, func() (indexEntry, error) { return s.floorOffset(offset) })
}

// seekPosition returns the position of a batch at or before limit.
func (s *segment) seekPosition(scan *scanner, limit int64) (position int64, err error) {
	return s.checked(scan, func() (indexEntry, error) { return s.floorPosition(limit) })
}

func (s *segment) checked(scan *scanner, look func() (indexEntry, error)) (int64, error) {
	entry, err := look()
	if err != nil || entry.position == 0 || s.heapIndex() {
		return entry.position, err
	}
	if b, err := scan.header(entry.position); err == nil && b.LastOffset() == entry.offset {
		return entry.position, nil
	}
	if err := s.distrustIndexes(); err != nil {
		return 0, err
	}
	entry, err = look()
	return entry.position, err
}

// distrustIndexes rebuilds the index files of a segment that is not being appended to.
func (s *segment) distrustIndexes() error {
	s.files.Lock()
	defer s.files.Unlock()
	if s.heapIndex() {
		return nil
	}
	if s.files.damage != nil {
		return s.files.damage
	}
	if err := s.rebuildIndexes(false); err != nil {
		if reason, damaged := errors.AsType[*CorruptionError](err); damaged {
			s.files.damage = reason // not the index is wrong; do not read all of the segment again and again
		}
		return err
	}
	if err := s.closeIndexFiles(); err != nil {
		return err
	}
	_ = s.replaceIndexes() // if the disk does not take them, they stay in the heap until the next start
	return nil
}

// trueFloorTime is floorTime, after a look at the batch that the entry names.
func (s *segment) trueFloorTime(ts int64) (timeEntry, error) {
	e, err := s.floorTime(ts)
	if err != nil || e.timestamp < 0 || s.heapIndex() {
		return e, err
	}
	if ok, err := s.isTrue(e); ok || err != nil {
		return e, err
	}
	if err := s.distrustIndexes(); err != nil {
		return timeEntry{}, err
	}
	return s.floorTime(ts)
}

// isLargest is isTrue for the last entry, and whether no batch behind it has a larger timestamp: a file that lost its last
// entries would let retention delete records before their time. What is damaged behind it says nothing.
func (s *segment) isLargest(e timeEntry) (bool, error) {
	if ok, err := s.isTrue(e); !ok || err != nil {
		return ok, err
	}
	f, _, err := s.useLog()
	if err != nil {
		return false, err
	}
	defer f.done()
	scan := s.scan(f, scanBufferBytes)
	defer scan.free()
	position, err := s.seek(scan, e.offset)
	if err != nil {
		return false, err
	}
	return scan.noneLater(position, e.timestamp)
}

// noneLater reports whether no batch from position on has a timestamp larger than ts.
func (s *scanner) noneLater(position, ts int64) (bool, error) {
	for position < s.end {
		b, err := s.header(position)
		if err != nil {
			return true, ignoreCorruption(err)
		}
		if b.MaxTimestamp() > ts {
			return false, nil
		}
		position += int64(b.Length())
	}
	return true, nil
}

// isTrue reports whether a time index entry names a batch with that largest timestamp.
func (s *segment) isTrue(e timeEntry) (bool, error) {
	f, _, err := s.useLog()
	if err != nil {
		return false, err
	}
	defer f.done()
	page := takePage()
	defer page.put()
	size, next := s.end()
	scan := scanner{file: f, end: size, base: s.base, next: next, buffer: page.bytes[:0]}
	position, err := s.seek(&scan, e.offset)
	if err != nil {
		return false, err
	}
	b, _, err := scan.firstEndingAt(e.offset, position)
	return err == nil && b != nil && b.LastOffset() == e.offset && b.MaxTimestamp() == e.timestamp, err
}
