package record

import "iter"

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

// Reader walks over the records of many batches with one decompression buffer, unless a batch needs a large one.
// The zero value is ready. It must not be used by two goroutines at once.
type Reader struct {
	output output
	buffer buffer
	kept   []byte
}

// maxKeptBuffer is the largest buffer that a Reader keeps for the next batch.
const maxKeptBuffer = 1 << 20

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
	rd.buffer = newBuffer(rd.kept[:0], maxBytes)
	err := rd.output.decompress(&rd.buffer, codec, b.payload(), maxBytes)
	data := rd.buffer.bytes
	rd.buffer, rd.output = buffer{}, output{}
	if cap(data) <= maxKeptBuffer {
		rd.kept = data
	}
	return data, err
}

// end checks that count was honest and that nothing is left.
func (c *cursor) end(count int32) error {
	if count < 0 {
		return errCount(count)
	}
	if len(c.data) > 0 && count > 0 {
		return errSurplus()
	}
	return nil
}
