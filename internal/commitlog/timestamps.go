package commitlog

import "errors"

// OffsetForTimestamp returns the first record whose timestamp is at least ts (ListOffsets), with its timestamp
// and leader epoch (-1 if unknown). found is false if there is none. Records below StartOffset do not count.
func (l *Log) OffsetForTimestamp(ts int64) (offset, timestamp int64, leaderEpoch int32, found bool, err error) {
	r, found, err := l.untilListed(func() (timeEntry, bool, error) { return l.firstFrom(ts) })
	if err != nil || !found {
		return noOffset, noTimestamp, noEpoch, false, err
	}
	return r.offset, r.timestamp, l.epochs.at(r.offset), true, nil
}

// untilListed looks for a record again, in the new list, when a segment was deleted meanwhile.
func (l *Log) untilListed(look func() (timeEntry, bool, error)) (timeEntry, bool, error) {
	if l.unloadable != nil {
		return timeEntry{}, false, l.unloadable
	}
	for {
		r, found, err := look()
		if !errors.Is(err, errRetired) {
			if err != nil {
				err = l.readError(err)
			}
			return r, found, err
		}
		if err := l.closed(); err != nil {
			return timeEntry{}, false, err
		}
	}
}

func (l *Log) firstFrom(ts int64) (r timeEntry, found bool, err error) {
	start := l.start.Load()
	for _, s := range l.list() {
		if _, next := s.end(); next <= start {
			continue
		}
		if !s.acquire() {
			return timeEntry{}, false, errRetired
		}
		r, found, err := s.firstFrom(ts, start)
		s.release()
		if err != nil || found {
			return r, found, err
		}
	}
	return timeEntry{}, false, nil
}

// firstFrom returns the first record at or after start with a timestamp of at least ts.
func (s *segment) firstFrom(ts, start int64) (r timeEntry, found bool, err error) {
	largest, err := s.largestTimestamp()
	if err != nil || largest.timestamp < ts || largest.timestamp < 0 {
		return timeEntry{}, false, err
	}
	older, err := s.trueFloorTime(ts)
	if err != nil {
		return timeEntry{}, false, err
	}
	f, _, err := s.useLog()
	if err != nil {
		return timeEntry{}, false, err
	}
	defer f.done()
	scan := s.scan(f, pageBytes)
	from, err := s.seek(scan, max(older.offset, start))
	if err != nil {
		return timeEntry{}, false, err
	}
	least := s.base
	for position := from; position < scan.end; {
		b, err := scan.headerFrom(position, least)
		if err != nil {
			return timeEntry{}, false, err
		}
		length := int64(b.Length())
		least = b.LastOffset() + 1
		if b.MaxTimestamp() >= ts && b.LastOffset() >= start {
			if b, err = scan.batch(position); err != nil {
				return timeEntry{}, false, err
			}
			if offset, at, found, err := b.FindTimestamp(ts, start, 0); err != nil || found {
				return timeEntry{at, offset}, found, err
			}
		}
		position += length
	}
	return timeEntry{}, false, nil
}

// MaxTimestamp returns the largest timestamp in the log and the first record of its batch that has it (ListOffsets
// -3, KIP-734). found is false if the log is empty or no record has a timestamp. Closed segments below StartOffset do not count;
// in the active one, as in Kafka, all records do.
func (l *Log) MaxTimestamp() (offset, timestamp int64, leaderEpoch int32, found bool, err error) {
	r, found, err := l.untilListed(l.newestRecord)
	if err != nil || !found {
		return noOffset, noTimestamp, noEpoch, false, err
	}
	return r.offset, r.timestamp, l.epochs.at(r.offset), true, nil
}

func (l *Log) newestRecord() (best timeEntry, found bool, err error) {
	best = timeEntry{noTimestamp, noOffset}
	var in *segment
	start, list := l.start.Load(), l.list()
	for i, s := range list {
		if i < len(list)-1 && list[i+1].base <= start || s.size() == 0 {
			continue
		}
		largest, err := s.largest()
		if err != nil {
			return timeEntry{}, false, err
		}
		if largest.timestamp > best.timestamp {
			best, in = largest, s
		}
	}
	if in == nil {
		return timeEntry{}, false, nil
	}
	if !in.acquire() {
		return timeEntry{}, false, errRetired
	}
	defer in.release()
	best.offset, err = in.offsetOf(best)
	return best, err == nil, err
}

// largest is largestTimestamp for who holds no reference.
func (s *segment) largest() (timeEntry, error) {
	if !s.acquire() {
		return timeEntry{}, errRetired
	}
	defer s.release()
	return s.largestTimestamp()
}

// offsetOf returns the record with the timestamp in the batch that ends with the entry's offset.
func (s *segment) offsetOf(e timeEntry) (int64, error) {
	f, _, err := s.useLog()
	if err != nil {
		return 0, err
	}
	defer f.done()
	scan := s.scan(f, pageBytes)
	from, err := s.seek(scan, e.offset)
	if err != nil {
		return 0, err
	}
	b, position, err := scan.firstEndingAt(e.offset, from)
	if err != nil || b == nil {
		return e.offset, err
	}
	if b, err = scan.batch(position); err != nil {
		return 0, err
	}
	offset, _, found, err := b.FindTimestamp(e.timestamp, b.BaseOffset(), 0)
	if err != nil || !found {
		return e.offset, err
	}
	return offset, nil
}
