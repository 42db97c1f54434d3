package record

import "math"

// finder is the visitor that stops at the first record it looks for.
type finder struct {
	from     int64 // offset
	earliest int64 // timestamp, in milliseconds
	latest   int64
	// What it has found.
	found             bool
	offset, timestamp int64
}

func (f *finder) visit(_ int32, r *Record, _, _ int) (stop bool) {
	f.found = r.Timestamp >= f.earliest && r.Timestamp <= f.latest && r.Offset >= f.from
	f.offset, f.timestamp = r.Offset, r.Timestamp
	return f.found
}

// OffsetOfMaxTimestamp returns the offset of the first record whose timestamp is the batch's maximum
// timestamp (ListOffsets -3), or -1 if there is none. maxBytes is as in Records. Unlike Records it takes
// little memory for a compressed batch, whatever that decompresses to.
func (b Batch) OffsetOfMaxTimestamp(maxBytes int) (int64, error) {
	f := finder{from: math.MinInt64, earliest: b.MaxTimestamp(), latest: b.MaxTimestamp()}
	if err := b.find(&f, maxBytes); err != nil || !f.found {
		return -1, err
	}
	return f.offset, nil
}

// FindTimestamp returns offset and timestamp of the first record at or after startOffset whose
// timestamp is at least ms (ListOffsets by time). maxBytes and memory are as in OffsetOfMaxTimestamp.
func (b Batch) FindTimestamp(ms, startOffset int64, maxBytes int) (offset, timestamp int64, found bool, err error) {
	f := finder{from: startOffset, earliest: ms, latest: math.MaxInt64}
	if err := b.find(&f, maxBytes); err != nil || !f.found {
		return 0, 0, false, err
	}
	return f.offset, f.timestamp, true, nil
}

// find shows f the records until it has found one. What comes after that is not looked at.
func (b Batch) find(f *finder, maxBytes int) error {
	codec := b.Attributes().Codec()
	if codec == None || b.Count() == 0 {
		for r, err := range b.Records(0) {
			if err != nil {
				return err
			}
			if f.visit(0, &r, 0, 0) {
				return nil
			}
		}
		return nil
	}
	err := b.walk(f, maxBytes)
	if err == errStop {
		return nil
	}
	return err
}
