package record

import (
	"sync"

	"github.com/ottla/ottla/internal/kafka"
)

// walkers holds *walker.
var walkers sync.Pool

// CheckRecords reads every record of a stored batch and returns an error if they are not what the header says: as many,
// with offsets that ascend within the batch, none later than its maximum timestamp. Compaction may have left gaps. A
// compressed batch is decompressed piece by piece, to at most maxBytes (0: DefaultMaxDecompressedBytes); more is
// MESSAGE_TOO_LARGE, everything else INVALID_RECORD or UNSUPPORTED_COMPRESSION_TYPE. The CRC is not looked at.
func (b Batch) CheckRecords(maxBytes int) error {
	v := storedRecords{last: -1, lastDelta: b.LastOffsetDelta(), maxTimestamp: b.MaxTimestamp(), latest: NoTimestamp}
	if b.Attributes().Codec() == None || b.Count() == 0 {
		c := b.cursor(b.payload())
		var r Record
		for i := range b.Count() {
			if err := c.next(&r); err != nil {
				return err
			}
			v.visit(i, &r, 0, 0)
		}
		if err := c.end(b.Count()); err != nil {
			return err
		}
		return v.err
	}
	if err := b.walk(&v, maxBytes); err != nil {
		return err
	}
	return v.err
}

// walk shows v the records of a compressed batch; errStop if v stopped the walk.
func (b Batch) walk(v visitor, maxBytes int) error {
	if maxBytes <= 0 {
		maxBytes = DefaultMaxDecompressedBytes
	}
	w, _ := walkers.Get().(*walker)
	if w == nil {
		w = new(walker)
	}
	defer walkers.Put(w)
	defer w.end()
	w.begin(b, v)
	if err := w.output.decompress(w, b.Attributes().Codec(), b.payload(), maxBytes); err != nil {
		return err
	}
	return w.finish()
}

// storedRecords is the visitor of CheckRecords.
type storedRecords struct {
	last, lastDelta      int32
	latest, maxTimestamp int64
	err                  error
}

func (v *storedRecords) visit(index int32, r *Record, _, _ int) (stop bool) {
	v.latest = max(v.latest, r.Timestamp)
	switch {
	case v.err != nil:
	case index == 0 && r.OffsetDelta < 0, index > 0 && r.OffsetDelta <= v.last:
		v.err = kafka.Errorf(kafka.InvalidRecord, "Record %d of the batch has offset delta %d after %d", index, r.OffsetDelta, v.last)
	case r.OffsetDelta > v.lastDelta:
		v.err = kafka.Errorf(kafka.InvalidRecord, "Record %d of the batch has offset delta %d; the last of the batch is %d", index, r.OffsetDelta, v.lastDelta)
	case r.Timestamp > v.maxTimestamp:
		v.err = kafka.Errorf(kafka.InvalidRecord, "Record %d of the batch has timestamp %d; the latest of the batch is %d", index, r.Timestamp, v.maxTimestamp)
	}
	v.last = r.OffsetDelta
	return false
}
