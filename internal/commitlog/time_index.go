package commitlog

import (
	"encoding/binary"
	"math"
	"sort"
)

// The time index maps timestamps to offsets. An entry of 12 bytes, big-endian:
//
//	 0                                8                    12
//	+--------------------------------+--------------------+
//	| largest timestamp so far       | offset - base      |
//	+--------------------------------+--------------------+
//
// offset is the last offset of the batch with that timestamp. Timestamps grow strictly, offsets do not fall.
// A closed segment's last entry is its largest timestamp.
const timeEntrySize = 12

type timeEntry struct {
	timestamp int64
	offset    int64
}

func decodeTimeEntry(base int64, b []byte) timeEntry {
	return timeEntry{int64(binary.BigEndian.Uint64(b)), base + int64(binary.BigEndian.Uint32(b[8:]))}
}

// floorTime returns the last entry whose timestamp is below ts: everything up to its offset is older than
// ts. Without one it returns the segment's start.
func (s *segment) floorTime(ts int64) (timeEntry, error) {
	none := timeEntry{noTimestamp, s.base}
	for {
		if e, ok := s.searchHeapTimes(ts, none); ok {
			return e, nil
		}
		index, ok, err := s.useTimeIndex()
		if err != nil {
			return none, err
		}
		if !ok {
			continue // it was wrong and is in the heap now
		}
		i, entry, err := index.search(func(b []byte) bool { return decodeTimeEntry(s.base, b).timestamp < ts })
		index.done()
		if err != nil || i < 0 {
			return none, err
		}
		return decodeTimeEntry(s.base, entry[:]), nil
	}
}

func (s *segment) searchHeapTimes(ts int64, none timeEntry) (timeEntry, bool) {
	s.state.RLock()
	defer s.state.RUnlock()
	if !s.state.inHeap {
		return none, false
	}
	entries := s.state.times
	i := sort.Search(len(entries), func(i int) bool { return entries[i].timestamp >= ts })
	if i == 0 {
		return none, true
	}
	return entries[i-1], true
}

// largestTimestamp returns the largest timestamp in the segment and the last offset of its batch; timestamp
// is noTimestamp if no record has one.
func (s *segment) largestTimestamp() (timeEntry, error) {
	for {
		s.state.RLock()
		largest, known := s.state.largest, s.state.largestKnown
		s.state.RUnlock()
		if known {
			return largest, nil
		}
		entry, ok, err := s.lastTimeEntry()
		if err != nil {
			return timeEntry{}, err
		}
		if !ok {
			continue // the index was wrong and is in the heap now
		}
		largest = timeEntry{noTimestamp, s.base}
		if entry != nil {
			largest = *entry
			if ok, err := s.isLargest(largest); err != nil {
				return timeEntry{}, err
			} else if !ok {
				if err := s.distrustIndexes(); err != nil {
					return timeEntry{}, err
				}
				continue // it is known now
			}
		}
		s.state.Lock()
		if !s.state.largestKnown {
			s.state.largest, s.state.largestKnown = largest, true
		}
		s.state.Unlock()
	}
}

// lastTimeEntry reads the last entry of the index file; nil if there is none, false if the index is in the heap.
func (s *segment) lastTimeEntry() (e *timeEntry, ok bool, err error) {
	index, ok, err := s.useTimeIndex()
	if err != nil || !ok {
		return nil, false, err
	}
	defer index.done()
	if index.count == 0 {
		return nil, true, nil
	}
	b, err := index.read(index.count - 1)
	if err != nil {
		return nil, false, err
	}
	return new(decodeTimeEntry(s.base, b[:])), true, nil
}

// parseTimeIndex returns the leading entries that can be true of a segment that ends before next, and whether
// that is all of them.
func parseTimeIndex(content []byte, base, next int64) (entries []timeEntry, whole bool) {
	entries = make([]timeEntry, 0, len(content)/timeEntrySize)
	for ; len(content) >= timeEntrySize; content = content[timeEntrySize:] {
		e := decodeTimeEntry(base, content)
		if e.timestamp < 0 || e.offset-base > math.MaxInt32 || e.offset >= next {
			return entries, false
		}
		if n := len(entries); n > 0 && (e.timestamp <= entries[n-1].timestamp || e.offset < entries[n-1].offset) {
			return entries, false
		}
		entries = append(entries, e)
	}
	return entries, len(content) == 0
}

func formatTimeIndex(base int64, entries []timeEntry) []byte {
	b := make([]byte, 0, len(entries)*timeEntrySize)
	for _, e := range entries {
		b = binary.BigEndian.AppendUint64(b, uint64(e.timestamp))
		b = binary.BigEndian.AppendUint32(b, uint32(e.offset-base))
	}
	return b
}
