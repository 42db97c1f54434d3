package commitlog

import (
	"encoding/binary"
	"math"
	"sort"
)

// The offset index maps offsets to positions in the .log file. An entry of 8 bytes, big-endian:
//
//	 0                    4                    8
//	+--------------------+--------------------+
//	| offset - base      | position           |
//	+--------------------+--------------------+
//
// offset is the last offset of the batch that begins at position. Both grow strictly. In memory an entry is
// the same 64 bits in one integer.
const offsetEntrySize = 8

// indexEntry is an unpacked entry: a batch ends with offset and begins at position.
type indexEntry struct {
	offset   int64
	position int64
}

func packEntry(base int64, e indexEntry) uint64 {
	return uint64(e.offset-base)<<32 | uint64(uint32(e.position))
}

func unpackEntry(base int64, v uint64) indexEntry {
	return indexEntry{base + int64(v>>32), int64(uint32(v))}
}

// relative reports whether an offset fits an entry of a segment with this base (Kafka's canAppendOffset).
func fitsIndex(base, offset int64) bool { return offset >= base && offset-base <= math.MaxInt32 }

// floorOffset returns the last entry whose offset is at most offset; the segment's start if there is none.
func (s *segment) floorOffset(offset int64) (indexEntry, error) {
	return s.searchOffsets(func(e indexEntry) bool { return e.offset <= offset })
}

// floorPosition returns the last entry that begins at or before position; the segment's start if there is none.
func (s *segment) floorPosition(position int64) (indexEntry, error) {
	return s.searchOffsets(func(e indexEntry) bool { return e.position <= position })
}

// searchOffsets returns the last entry for which before holds; it must hold for a prefix of the entries.
func (s *segment) searchOffsets(before func(indexEntry) bool) (indexEntry, error) {
	for {
		if e, ok := s.searchHeapOffsets(before); ok {
			return e, nil
		}
		index, ok, err := s.useOffsetIndex()
		if err != nil {
			return indexEntry{}, err
		}
		if !ok {
			continue // it was wrong and is in the heap now
		}
		i, entry, err := index.search(func(b []byte) bool {
			return before(unpackEntry(s.base, binary.BigEndian.Uint64(b)))
		})
		index.done()
		if err != nil || i < 0 {
			return s.start(), err
		}
		return unpackEntry(s.base, binary.BigEndian.Uint64(entry[:])), nil
	}
}

func (s *segment) start() indexEntry { return indexEntry{s.base, 0} }

func (s *segment) searchHeapOffsets(before func(indexEntry) bool) (e indexEntry, ok bool) {
	s.state.RLock()
	defer s.state.RUnlock()
	if !s.state.inHeap {
		return indexEntry{}, false
	}
	entries := s.state.offsets
	i := sort.Search(len(entries), func(i int) bool { return !before(unpackEntry(s.base, entries[i])) })
	if i == 0 {
		return s.start(), true
	}
	return unpackEntry(s.base, entries[i-1]), true
}

// parseOffsetIndex returns the leading entries that can be true of a log of size bytes, and whether that is all
// of them. Files that a running or killed Kafka left are padded with zeros.
func parseOffsetIndex(content []byte, size int64) (entries []uint64, whole bool) {
	entries = make([]uint64, 0, len(content)/offsetEntrySize)
	var last uint64
	for ; len(content) >= offsetEntrySize; content = content[offsetEntrySize:] {
		v := binary.BigEndian.Uint64(content)
		if v>>32 > math.MaxInt32 || int64(uint32(v)) >= size {
			return entries, false
		}
		if len(entries) > 0 && (v>>32 <= last>>32 || uint32(v) <= uint32(last)) {
			return entries, false
		}
		if len(entries) == 0 && uint32(v) == 0 {
			return entries, false // Kafka never indexes the first batch
		}
		entries = append(entries, v)
		last = v
	}
	return entries, len(content) == 0
}

func formatOffsetIndex(entries []uint64) []byte {
	b := make([]byte, 0, len(entries)*offsetEntrySize)
	for _, v := range entries {
		b = binary.BigEndian.AppendUint64(b, v)
	}
	return b
}
