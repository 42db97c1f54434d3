package record

import (
	"errors"
	"iter"

	"github.com/ottla/ottla/internal/kafka"
)

// ErrIncomplete means that the bytes end before the batch does. A Fetch response may end so, and so
// may a segment after a crash.
var ErrIncomplete = errors.New("the bytes end inside a record batch")

// First splits the first batch off b. It looks at the lengths and the magic alone; CheckCRC and
// Validate look deeper. It returns ErrIncomplete for bytes that are fine but too few (also for none),
// and a CORRUPT_MESSAGE error for a length or a magic that no batch of format 2 has.
func First(b []byte) (batch Batch, rest []byte, err error) {
	size, ok, err := nextSize(b)
	if err != nil {
		return nil, b, err
	}
	if !ok {
		return nil, b, ErrIncomplete
	}
	batch = Batch(b[:size:size])
	if batch.Magic() != Magic {
		return nil, b, kafka.Errorf(kafka.CorruptMessage, "Record batch has magic %d; only message format %d is stored", batch.Magic(), Magic)
	}
	if size < HeaderSize {
		return nil, b, kafka.Errorf(kafka.CorruptMessage, "Record batch is corrupt (the size %d is smaller than the minimum allowed overhead %d)", size, HeaderSize)
	}
	return batch, b[size:], nil
}

// nextSize returns the size of the batch at the start of b, whatever its magic, and whether all of it
// is there (Kafka's ByteBufferLogInputStream).
func nextSize(b []byte) (size int, ok bool, err error) {
	if len(b) < LogOverhead {
		return 0, false, nil
	}
	length := i32(b, atLength)
	if length < minLength {
		return 0, false, kafka.Errorf(kafka.CorruptMessage, "Record size %d is less than the minimum record overhead (%d)", length, minLength)
	}
	if len(b) < sizeUpToMagic {
		return 0, false, nil
	}
	if magic := int8(b[atMagic]); magic < 0 || magic > Magic {
		return 0, false, kafka.Errorf(kafka.CorruptMessage, "Invalid magic found in record: %d", magic)
	}
	size = LogOverhead + int(length)
	return size, len(b) >= size, nil
}

// Batches walks over the batches in b. It ends after the last one, or with the error of First at the
// first bytes that are not a whole batch; errors.Is(err, ErrIncomplete) tells a cut from damage.
func Batches(b []byte) iter.Seq2[Batch, error] {
	return func(yield func(Batch, error) bool) {
		for len(b) > 0 {
			batch, rest, err := First(b)
			if !yield(batch, err) || err != nil {
				return
			}
			b = rest
		}
	}
}
