package record

import (
	"iter"

	"github.com/ottla/ottla/internal/kafka"
)

// DefaultMaxDecompressedBytes is the most that one batch may decompress to unless the caller says
// otherwise: 128 MiB.
const DefaultMaxDecompressedBytes = 128 << 20

// Records walks over the records, decompressing at most maxBytes (0: DefaultMaxDecompressedBytes) if
// the batch is compressed; beyond that it yields MESSAGE_TOO_LARGE. A batch that does not hold exactly
// Count records yields INVALID_RECORD. After an error it stops. The records stay valid as long as the
// batch's bytes do.
func (b Batch) Records(maxBytes int) iter.Seq2[Record, error] {
	return new(Reader).Records(b, maxBytes)
}

// Reader walks over the records of many batches with one decompression buffer.
// The zero value is ready. It must not be used by two goroutines at once.
type Reader struct{ buffer []byte }

// Records is Batch.Records; the records of a compressed batch are valid until the next call.
func (rd *Reader) Records(b Batch, maxBytes int) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		data, err := rd.uncompressed(b, maxBytes)
		if err != nil {
			yield(Record{}, err)
			return
		}
		c := b.cursor(data)
		var r Record
		for range b.Count() {
			if err := c.next(&r); err != nil {
				yield(Record{}, err)
				return
			}
			if !yield(r, nil) {
				return
			}
		}
		if err := c.end(b.Count()); err != nil {
			yield(Record{}, err)
		}
	}
}

func (rd *Reader) uncompressed(b Batch, maxBytes int) ([]byte, error) {
	codec := b.Attributes().Codec()
	if codec == None || b.Count() == 0 {
		return b.payload(), nil
	}
	if maxBytes <= 0 {
		maxBytes = DefaultMaxDecompressedBytes
	}
	data, err := Decompress(rd.buffer[:0], codec, b.payload(), maxBytes)
	if err != nil {
		return nil, err
	}
	rd.buffer = data
	return data, nil
}

// end checks that count was honest and that nothing is left.
func (c *cursor) end(count int32) error {
	if count < 0 {
		return kafka.Errorf(kafka.InvalidRecord, "Found invalid record count %d in magic v%d batch", count, Magic)
	}
	if len(c.data) > 0 && count > 0 {
		return kafka.Errorf(kafka.InvalidRecord, "Incorrect declared batch size, records still remaining in file")
	}
	return nil
}

// OffsetOfMaxTimestamp returns the offset of the first record whose timestamp is the batch's maximum
// timestamp (ListOffsets -3), or -1 if there is none. maxBytes is as in Records.
func (b Batch) OffsetOfMaxTimestamp(maxBytes int) (int64, error) {
	for r, err := range b.Records(maxBytes) {
		if err != nil {
			return -1, err
		}
		if r.Timestamp == b.MaxTimestamp() {
			return r.Offset, nil
		}
	}
	return -1, nil
}

// FindTimestamp returns offset and timestamp of the first record at or after startOffset whose
// timestamp is at least ms (ListOffsets by time). maxBytes is as in Records.
func (b Batch) FindTimestamp(ms, startOffset int64, maxBytes int) (offset, timestamp int64, found bool, err error) {
	for r, err := range b.Records(maxBytes) {
		if err != nil {
			return 0, 0, false, err
		}
		if r.Timestamp >= ms && r.Offset >= startOffset {
			return r.Offset, r.Timestamp, true, nil
		}
	}
	return 0, 0, false, nil
}
