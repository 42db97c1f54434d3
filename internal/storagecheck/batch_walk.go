package storagecheck

import (
	"errors"
	"fmt"
	"math"

	"github.com/ottla/ottla/internal/record"
)

// maxBatchBytes is the largest batch that is read whole; of a larger one, which no setting of message.max.bytes in use
// makes, the header alone is checked.
const maxBatchBytes = 256 << 20

// damage is why bytes are no batch.
type damage struct{ reason string }

func (d *damage) Error() string { return d.reason }

func damagef(format string, args ...any) error { return &damage{fmt.Sprintf(format, args...)} }

// bounds are the offsets that a batch may have where it lies: from least on, below limit.
type bounds struct{ base, least, limit int64 }

// segmentLimit is what the offsets of a segment stay below: the next segment's base, or what an index can name.
func segmentLimit(base, next int64) int64 {
	limit := int64(math.MaxInt64)
	if base <= math.MaxInt64-math.MaxInt32-1 {
		limit = base + math.MaxInt32 + 1
	}
	if next != None {
		limit = min(limit, next)
	}
	return limit
}

// header returns the header at position if it can be that of a batch. Its error is a *damage, or the disk's.
func (r *reader) header(position int64, in bounds) (record.Batch, error) {
	if left := r.size - position; left < record.HeaderSize {
		return nil, damagef("%d bytes are left, a batch has at least %d", left, record.HeaderSize)
	}
	raw, err := r.bytes(position, record.HeaderSize)
	if err != nil {
		return nil, err
	}
	b := record.Batch(raw)
	size, last := int64(b.Length()), b.LastOffset()
	switch {
	case b.Magic() == 0 || b.Magic() == 1:
		return nil, damagef("the records have message format %d, which Kafka 0.10 and older wrote; only format 2 can be read", b.Magic())
	case b.Magic() != record.Magic:
		return nil, damagef("magic is %d, want %d", b.Magic(), record.Magic)
	case size < record.HeaderSize:
		return nil, damagef("batch length is %d, at least %d is possible", size, record.HeaderSize)
	case position+size > r.size:
		return nil, damagef("the batch has %d bytes, but the file ends after %d of them", size, r.size-position)
	case b.BaseOffset() < 0 || b.LastOffsetDelta() < 0 || last < 0:
		return nil, damagef("base offset is %d, last offset delta %d", b.BaseOffset(), b.LastOffsetDelta())
	case b.BaseOffset() < in.least:
		return nil, damagef("base offset is %d, at least %d was expected", b.BaseOffset(), in.least)
	case last >= in.limit:
		return nil, damagef("the batch has offsets %d to %d; those of its segment end below %d", b.BaseOffset(), last, in.limit)
	}
	return b, nil
}

// batch returns the whole batch at position with its CRC checked; of a batch over maxBatchBytes the header.
func (r *reader) batch(position int64, in bounds) (record.Batch, error) {
	h, err := r.header(position, in)
	if err != nil || h.Length() > maxBatchBytes {
		return h, err
	}
	raw, err := r.bytes(position, h.Length())
	if err != nil {
		return nil, err
	}
	b := record.Batch(raw)
	if err := b.CheckCRC(); err != nil {
		return nil, &damage{reasonOf(err)}
	}
	return b, nil
}

// contradicted says whether a batch that does not begin where the one before ended has a wrong base offset, which no CRC covers: what
// follows begins before it ends. b is not valid any more then.
func (r *reader) contradicted(position int64, b record.Batch, in bounds) error {
	first, last, next := b.BaseOffset(), b.LastOffset(), position+int64(b.Length())
	after, err := r.header(next, in)
	if err != nil || after.BaseOffset() > last {
		return nil
	}
	return damagef("the batch has offsets %d to %d, but the next one begins at %d", first, last, after.BaseOffset())
}

// resyncBudget bounds how many bytes are checksummed in the search for a batch behind damage, in files that were made
// to look like many beginnings.
const resyncBudget = 1 << 30

// resync finds the next whole batch at or after position; ok is false if there is none.
func (r *reader) resync(position int64, in bounds) (at int64, ok bool, err error) {
	budget := int64(resyncBudget)
	for ; position+record.HeaderSize <= r.size; position++ {
		raw, err := r.bytes(position, record.HeaderSize)
		if err != nil {
			return 0, false, err
		}
		if raw[magicPosition] != record.Magic {
			continue
		}
		h, err := r.header(position, in)
		if err != nil {
			continue
		}
		if budget -= int64(h.Length()); budget < 0 {
			return 0, false, nil
		}
		if _, err := r.batch(position, in); err == nil {
			return position, true, nil
		} else if _, is := errors.AsType[*damage](err); !is {
			return 0, false, err
		}
	}
	return 0, false, nil
}

// magicPosition is where a batch says its format.
const magicPosition = 16

// behind returns where to go on after the damage at position: at the next whole batch. If the length of the damaged one
// can be believed, because a batch or the end of the file follows, that is right behind it.
func (r *reader) behind(position int64, in bounds) (at int64, ok bool, err error) {
	h, err := r.header(position, in)
	if err == nil {
		next, after := position+int64(h.Length()), bounds{in.base, h.LastOffset() + 1, in.limit}
		if next == r.size {
			return 0, false, nil
		}
		if _, err := r.batch(next, after); err == nil {
			return next, true, nil
		}
	}
	return r.resync(position+1, in)
}
