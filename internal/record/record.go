package record

import (
	"iter"

	"github.com/ottla/ottla/internal/kafka"
)

// Record is one record of a batch. Key, Value and headers alias the bytes of the batch, or of the
// buffer that it was decompressed into.
type Record struct {
	// Offset is its place in the log; OffsetDelta the same from the batch's base offset.
	Offset      int64
	OffsetDelta int32
	// Timestamp is in milliseconds; in a batch with LogAppendTime it is the batch's maximum timestamp.
	Timestamp int64
	// Key and Value are nil for null, which is not the same as empty. A null value is a tombstone.
	Key, Value []byte
	// HeaderCount is how many headers there are.
	HeaderCount int
	headers     []byte
	// size is the number of bytes it takes in the batch, uncompressed.
	size int
}

// Size is the number of bytes that the record takes in its batch, uncompressed, with its length.
func (r *Record) Size() int { return r.size }

// Header is one header of a record; Value is nil for null.
type Header struct {
	Key   string
	Value []byte
}

// Headers walks over the headers; values alias the record's bytes. The bytes were checked when the
// record was parsed.
func (r *Record) Headers() iter.Seq[Header] {
	b, n := r.headers, r.HeaderCount
	return func(yield func(Header) bool) {
		at := 0
		for range n {
			size, next := varint(b, at)
			key := string(b[next : next+int(size)])
			value, after := bytesField(b, next+int(size))
			at = after
			if !yield(Header{key, value}) {
				return
			}
		}
	}
}

// bytesField reads a length and as many bytes from b[at:]; nil for a negative length. next is 0 if
// the bytes are not there.
func bytesField(b []byte, at int) (field []byte, next int) {
	size, next := varint(b, at)
	if next == 0 || int(size) > len(b)-next {
		return nil, 0
	}
	if size < 0 {
		return nil, next
	}
	end := next + int(size)
	return b[next:end:end], end
}

// cursor walks over the uncompressed records of a batch. It never reads past the bytes it has.
type cursor struct {
	data          []byte
	baseOffset    int64
	baseTimestamp int64
	appendTime    int64
	logAppendTime bool
}

func (b Batch) cursor(data []byte) cursor {
	return cursor{data, b.BaseOffset(), b.FirstTimestamp(), b.MaxTimestamp(), b.Attributes().TimestampType() == LogAppendTime}
}

// next parses the next record into r. Errors are INVALID_RECORD, worded as in Kafka's DefaultRecord.
func (c *cursor) next(r *Record) error {
	size, at := varint(c.data, 0)
	if at == 0 {
		return errPremature()
	}
	if size < 0 {
		return errStructure()
	}
	if remaining := len(c.data) - at; int(size) > remaining {
		return errRecordSize(int(size), remaining)
	}
	body := c.data[at : at+int(size)]
	if err := c.parse(body, r); err != nil {
		return err
	}
	r.size = at + int(size)
	c.data = c.data[r.size:]
	return nil
}

// parse reads the body of a record, everything after its length.
func (c *cursor) parse(b []byte, r *Record) error {
	// b[0] holds attributes of which none has a meaning.
	timestampDelta, at := varlong(b, 1)
	if at == 0 {
		return errStructure()
	}
	if r.OffsetDelta, at = varint(b, at); at == 0 {
		return errStructure()
	}
	if r.Key, at = bytesField(b, at); at == 0 {
		return errStructure()
	}
	if r.Value, at = bytesField(b, at); at == 0 {
		return errStructure()
	}
	count, at := varint(b, at)
	if at == 0 {
		return errStructure()
	}
	end, err := skipHeaders(b, at, count)
	if err != nil {
		return err
	}
	if end != len(b) {
		return errTail(len(b), end)
	}
	r.HeaderCount, r.headers = int(count), b[at:end:end]
	r.Offset, r.Timestamp = c.place(r.OffsetDelta, timestampDelta)
	return nil
}

// place returns the offset and timestamp of a record that has these deltas.
func (c *cursor) place(offsetDelta int32, timestampDelta int64) (offset, timestamp int64) {
	if c.logAppendTime {
		return c.baseOffset + int64(offsetDelta), c.appendTime
	}
	return c.baseOffset + int64(offsetDelta), c.baseTimestamp + timestampDelta
}

// skipHeaders checks count headers at b[at:] and returns where they end.
func skipHeaders(b []byte, at int, count int32) (end int, err error) {
	if count < 0 || int(count) > len(b)-at {
		return 0, errHeaderCount(count)
	}
	for range count {
		size, next := varint(b, at)
		if next == 0 || int(size) > len(b)-next {
			return 0, errStructure()
		}
		if size < 0 {
			return 0, errHeaderKey(size)
		}
		if _, at = bytesField(b, next+int(size)); at == 0 {
			return 0, errStructure()
		}
	}
	return at, nil
}

func errStructure() error {
	return kafka.Errorf(kafka.InvalidRecord, "Found invalid record structure")
}
