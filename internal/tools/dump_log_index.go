package tools

import (
	"encoding/binary"
	"fmt"
	"math"
	"os"
)

// An indexEntry is an entry of an offset index (key: offset, value: position) or of a time index (key: timestamp, value: offset).
type indexEntry struct{ key, value int64 }

// A dumpedIndex is an index file in memory.
type dumpedIndex struct {
	file       dumpedFile
	baseOffset int64
	length     int
	entrySize  int
	entries    []indexEntry
}

const (
	offsetEntrySize = 8
	timeEntrySize   = 12
)

func readIndex(f dumpedFile, baseOffset int64, entrySize int) (*dumpedIndex, error) {
	bytes, err := os.ReadFile(f.path)
	if os.IsNotExist(err) {
		return nil, illegalArgument("Invalid max index size: -1") // Kafka would create it, and has no size for it
	}
	if err != nil {
		return nil, fileException(f.path, err)
	}
	x := &dumpedIndex{file: f, baseOffset: baseOffset, length: len(bytes), entrySize: entrySize}
	for ; len(bytes) >= entrySize; bytes = bytes[entrySize:] {
		var e indexEntry
		if entrySize == offsetEntrySize {
			e = indexEntry{baseOffset + int64(int32(binary.BigEndian.Uint32(bytes))), int64(int32(binary.BigEndian.Uint32(bytes[4:])))}
		} else {
			e = indexEntry{int64(binary.BigEndian.Uint64(bytes)), baseOffset + int64(int32(binary.BigEndian.Uint32(bytes[8:])))}
		}
		x.entries = append(x.entries, e)
	}
	return x, nil
}

// lookUp returns the last entry whose key is at most key, by the search that Kafka does: for an index that is not sorted its
// result depends on the way it goes.
func (x *dumpedIndex) lookUp(key int64) (e indexEntry, found bool) {
	const warmBytes = 8192
	n := len(x.entries)
	if n == 0 {
		return e, false
	}
	low, high := 0, max(0, n-1-warmBytes/x.entrySize)
	if x.entries[high].key < key {
		low, high = high, n-1
	} else if x.entries[0].key > key {
		return e, false
	}
	for low < high {
		mid := (low + high + 1) / 2
		switch found := x.entries[mid].key; {
		case found > key:
			high = mid - 1
		case found < key:
			low = mid
		default:
			return x.entries[mid], true
		}
	}
	return x.entries[low], true
}

func corruptIndex(format string, args ...any) error {
	return &exception{class: "org.apache.kafka.storage.internals.log.CorruptIndexException", message: fmt.Sprintf(format, args...)}
}

// checkOffsets and checkTimes are what a broker checks of an index when it starts.
func (x *dumpedIndex) checkOffsets() error {
	path := x.file.absolute()
	if n := len(x.entries); n > 0 && x.entries[n-1].key < x.baseOffset {
		return corruptIndex("Corrupt index found, index file %s has non-zero size but the last offset is %d which is less than the base offset %d",
			path, x.entries[n-1].key, x.baseOffset)
	}
	if x.length%x.entrySize != 0 {
		return corruptIndex("Index file %s is corrupt, found %d bytes which is neither positive nor a multiple of %d", path, x.length, x.entrySize)
	}
	return nil
}

func (x *dumpedIndex) checkTimes() error {
	path, n := x.file.absolute(), len(x.entries)
	if n > 0 && x.entries[n-1].key < x.entries[0].key {
		return corruptIndex("Corrupt time index found, time index file (%s) has non-zero size but the last timestamp is %d which is less than the first timestamp %d",
			path, x.entries[n-1].key, x.entries[0].key)
	}
	if n > 0 && x.entries[n-1].value < x.baseOffset {
		return corruptIndex("Corrupt time index found, time index file (%s) has non-zero size but the last offset is %d which is less than the first offset %d",
			path, x.entries[n-1].value, x.baseOffset)
	}
	if x.length%x.entrySize != 0 {
		return corruptIndex("Time index file %s is corrupt, found %d bytes which is neither positive nor a multiple of %d", path, x.length, x.entrySize)
	}
	return nil
}

// offsetIndex prints an offset index and compares it with its log.
func (d *logDump) offsetIndex(f dumpedFile, maxMessageSize int) error {
	base, err := f.baseOffset()
	if err != nil {
		return err
	}
	log, err := openSegmentFile(f.sibling(".log").path)
	if err != nil {
		return err
	}
	defer log.close()
	index, err := readIndex(f, base, offsetEntrySize)
	if err != nil {
		return err
	}
	if len(index.entries) == 0 {
		d.printf("%s is empty.\n", f.path)
		return nil
	}
	if d.options.Has(d.options.sanity) {
		return d.sane(f, index.checkOffsets())
	}
	for i, e := range index.entries {
		if e.key == base && i > 0 {
			return nil // a file that was made in its full size and never cut ends in zeros
		}
		last, err := lastOffsetAt(log, int(e.value), maxMessageSize)
		if err != nil {
			return err
		}
		if last != e.key {
			d.findings.indexMismatches.pair(f.absolute(), e.key, last)
		}
		if !d.options.Has(d.options.verify) {
			d.printf("offset: %d position: %d\n", e.key, e.value)
		}
	}
	return nil
}

// sane prints that an index passed its check.
func (d *logDump) sane(f dumpedFile, err error) error {
	if err == nil {
		d.printf("%s passed sanity check.\n", f.path)
	}
	return err
}

// lastOffsetAt returns the last offset of the batch at a position.
func lastOffsetAt(log *segmentFile, position, maxSize int) (int64, error) {
	part, err := log.slice(position, maxSize)
	if err != nil {
		return 0, err
	}
	for b, err := range part.batches() {
		if err != nil {
			return 0, err
		}
		return b.lastOffset()
	}
	return 0, &exception{class: "java.util.NoSuchElementException"}
}

// timeIndex prints a time index and compares it with its log.
func (d *logDump) timeIndex(f dumpedFile) error {
	base, err := f.baseOffset()
	if err != nil {
		return err
	}
	log, err := openSegmentFile(f.sibling(".log").path)
	if err != nil {
		return err
	}
	defer log.close()
	offsets, err := readIndex(f.sibling(".index"), base, offsetEntrySize)
	if err != nil {
		return err
	}
	times, err := readIndex(f, base, timeEntrySize)
	if err != nil {
		return err
	}
	if d.options.Has(d.options.sanity) {
		return d.sane(f, times.checkTimes())
	}
	c := timeIndexCheck{logDump: d, path: f.absolute(), log: log, offsets: offsets, before: -1}
	for i, e := range times.entries {
		if e.value == base && i > 0 {
			return nil
		}
		if err := c.entry(e); err != nil {
			return err
		}
		if !d.options.Has(d.options.verify) {
			d.printf("timestamp: %d offset: %d\n", e.key, e.value)
		}
	}
	return nil
}

// A timeIndexCheck compares the entries of a time index with the log.
type timeIndexCheck struct {
	*logDump
	path    string
	log     *segmentFile
	offsets *dumpedIndex
	before  int64 // timestamp of the entry before
	walked  *batchWalk
}

func (c *timeIndexCheck) entry(e indexEntry) error {
	position := 0
	if at, found := c.offsets.lookUp(e.value); found {
		position = int(at.value)
	}
	b, last, err := c.batchOf(position, e.value)
	switch {
	case err != nil:
		return err
	case b == nil:
		c.findings.notFound.add(c.path, e.value, -1)
	case last != e.value:
		c.findings.notFound.add(c.path, e.value, last)
	default:
		latest := int64(-1)
		for r, err := range b.records() {
			if err != nil {
				return err
			}
			latest = max(latest, r.timestamp)
		}
		if latest != e.key {
			c.findings.timeMismatches.add(c.path, e.key, latest)
		}
		if c.before >= e.key {
			c.findings.timeDisorder.add(c.path, e.key, c.before)
		}
	}
	c.before = e.key
	return nil
}

// A batchWalk is the batches of a log from a position to its end.
type batchWalk struct {
	at      map[int]int // index of the batch at a position
	batches []*dumpedBatch
	last    []int64
}

// batchOf finds the first batch from a position on whose last offset is at least offset; nil if there is none. Like Kafka it reads
// the log to its end, so damage behind the batch is an error; but one walk serves all entries that point to a batch of it.
func (c *timeIndexCheck) batchOf(position int, offset int64) (*dumpedBatch, int64, error) {
	if c.walked != nil {
		if first, ok := c.walked.at[position]; ok {
			return c.walked.find(first, offset)
		}
	}
	part, err := c.log.slice(position, math.MaxInt32)
	if err != nil {
		return nil, 0, err
	}
	w := &batchWalk{at: make(map[int]int)}
	for b, err := range part.batches() {
		if err != nil {
			return nil, 0, err
		}
		last, err := b.lastOffset()
		if err != nil {
			return nil, 0, err
		}
		w.at[b.position] = len(w.batches)
		w.batches, w.last = append(w.batches, b), append(w.last, last)
	}
	c.walked = w
	return w.find(0, offset)
}

func (w *batchWalk) find(first int, offset int64) (*dumpedBatch, int64, error) {
	for i := first; i < len(w.batches); i++ {
		if w.last[i] >= offset {
			return w.batches[i], w.last[i], nil
		}
	}
	return nil, 0, nil
}
