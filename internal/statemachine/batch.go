package statemachine

import (
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/record"
)

// maxBuilder is how much memory an engine keeps for its next batch.
const maxBuilder = 64 << 10

// build makes the batch of a step: uncompressed, stamped with the time, at base offset 0. b is used again.
func build(b *record.Builder, out *Output, now time.Time) (record.Batch, error) {
	ms := now.UnixMilli()
	if m := out.Marker; m != nil {
		if len(out.Records) > 0 || out.Producer != nil {
			return nil, kafka.Errorf(kafka.UnknownServerError, "BUG: a step returned both records and a transaction marker")
		}
		marker := record.EndTxnMarker{Commit: m.Commit, CoordinatorEpoch: m.CoordinatorEpoch, Timestamp: ms}
		return marker.Batch(m.Producer.ID, m.Producer.Epoch), nil
	}
	var options record.BatchOptions
	if p := out.Producer; p != nil {
		options.Transactional = true
		// Sequence 0 as Kafka's coordinator writes it: a coordinator's appends are not checked for sequences.
		options.Producer = &record.Producer{ID: p.ID, Epoch: p.Epoch}
	}
	b.Reset(options)
	for _, r := range out.Records {
		b.Add(ms, r.Key, r.Value)
	}
	batch, err := b.Build()
	if b.Size() > maxBuilder {
		*b = record.Builder{}
	}
	return batch, err
}
