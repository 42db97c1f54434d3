package compaction

import (
	"math"

	"github.com/ottla/ottla/internal/record"
)

// LastRecord says what a log knows of a producer's last batch.
type LastRecord struct {
	// Offset is that of its last record with data; NoOffset if it wrote none in this epoch.
	Offset int64
	Epoch  int16
}

// Filter tells for each batch of a log what stays of it. The fields are set before the first call and stay.
type Filter struct {
	Keys         *Keys
	Transactions *Transactions
	// Producers are those that the log knows, by id.
	Producers map[int64]LastRecord
	// NowMs is the time of the compaction, DeleteRetentionMs is delete.retention.ms.
	NowMs, DeleteRetentionMs int64
	// End is where the segment ends that is being written: the batch before it stays, without records if need be.
	End int64

	reader  record.Reader
	builder record.Builder
	keep    []bool
}

// Batch returns what stays of b: b itself, a new batch with fewer records or a delete horizon, or nil. The error is
// that of records that cannot be read.
func (f *Filter) Batch(b record.Batch) (record.Batch, error) {
	gone, err := f.Transactions.Pass(b)
	if err != nil {
		return nil, err
	}
	horizon, stamped := b.DeleteHorizon()
	control := b.Attributes().Control()
	if gone && (!control || stamped && horizon <= f.NowMs) {
		return f.empty(b), nil
	}
	kept, tombstone, err := f.choose(b)
	if err != nil {
		return nil, err
	}
	// A batch is clean when Keys reaches to its end: only then are older records with its keys gone, and the time runs
	// for which readers may count on a tombstone.
	stamp := !stamped && (tombstone && b.LastOffset() <= f.Keys.Latest() || gone && control)
	switch {
	case kept == 0:
		return f.empty(b), nil
	case kept == int(b.Count()) && !stamp:
		return b, nil
	case stamp:
		horizon = f.horizon()
	}
	return f.rebuild(b, horizon)
}

// empty is what stays of a batch without records.
func (f *Filter) empty(b record.Batch) record.Batch {
	switch {
	case !f.isLast(b) && b.LastOffset()+1 != f.End:
		return nil
	case b.Count() == 0:
		return b
	}
	return b.Emptied()
}

// isLast reports whether b has what the log must know of a producer after a restart: its last sequence, or its epoch.
func (f *Filter) isLast(b record.Batch) bool {
	last, known := f.Producers[b.ProducerID()]
	switch {
	case !known || !b.HasProducerID():
		return false
	case last.Offset != NoOffset:
		return b.LastOffset() == last.Offset
	}
	return b.Attributes().Control() && b.ProducerEpoch() == last.Epoch
}

// choose decides about each record, and reports whether a tombstone is among those that stay.
func (f *Filter) choose(b record.Batch) (kept int, tombstone bool, err error) {
	f.keep = f.keep[:0]
	control := b.Attributes().Control()
	horizon, stamped := b.DeleteHorizon()
	due := stamped && horizon <= f.NowMs
	for r, err := range f.reader.Records(b, 0) {
		if err != nil {
			return 0, false, err
		}
		keep := control || r.Offset > f.Keys.Latest() ||
			r.Key != nil && (r.Value != nil || !due) && r.Offset >= f.Keys.Newest(r.Key)
		if f.keep = append(f.keep, keep); keep {
			kept++
			tombstone = tombstone || r.Value == nil
		}
	}
	return kept, tombstone, nil
}

// horizon is the time from which a tombstone may go.
func (f *Filter) horizon() int64 {
	if f.NowMs > math.MaxInt64-f.DeleteRetentionMs {
		return math.MaxInt64
	}
	return f.NowMs + f.DeleteRetentionMs
}

// rebuild makes the batch anew with the records chosen; horizon is 0 for none.
func (f *Filter) rebuild(b record.Batch, horizon int64) (record.Batch, error) {
	a := b.Attributes()
	o := record.BatchOptions{
		BaseOffset: b.BaseOffset(), LeaderEpoch: b.LeaderEpoch(), Compression: record.NewCompression(a.Codec()),
		Producer:      &record.Producer{ID: b.ProducerID(), Epoch: b.ProducerEpoch(), Sequence: b.BaseSequence()},
		Transactional: a.Transactional(), Control: a.Control(), DeleteHorizon: horizon,
	}
	if a.TimestampType() == record.LogAppendTime {
		o.AppendTime = b.MaxTimestamp()
	}
	f.builder.Reset(o)
	i := 0
	for r, err := range f.reader.Records(b, 0) {
		if err != nil {
			return nil, err
		}
		if f.keep[i] {
			f.builder.AppendRecord(&r)
		}
		i++
	}
	return f.builder.BuildUpTo(b.LastOffsetDelta())
}
