package producerstate

import (
	"slices"

	"github.com/ottla/ottla/internal/record"
)

// Completed is a transaction that a marker ended in this partition. The facts of an aborted one are a
// row of the transaction index.
type Completed struct {
	ProducerID int64
	// FirstOffset is that of its first record, LastOffset that of the marker.
	FirstOffset int64
	LastOffset  int64
	// LastStableOffset is the first offset of the oldest transaction that is still open, or the offset
	// after the marker.
	LastStableOffset int64
	Aborted          bool
}

// Update takes in a batch that was appended: stamped with its base offset, on a leader after Check. ended
// is true if it was a marker that ended a transaction with records. The error (INVALID_RECORD) is that of
// a control batch that is no marker; the table is as before then.
func (t *Table) Update(b record.Batch) (done Completed, ended bool, err error) {
	if b.HasProducerID() {
		if b.Attributes().Control() {
			done, ended, err = t.updateMarker(b)
		} else {
			t.updateData(b)
		}
		if err != nil {
			return Completed{}, false, err
		}
		t.endVerification(b)
	}
	t.end = b.LastOffset() + 1
	return done, ended, nil
}

func (t *Table) entry(id int64) *entry {
	e := t.producers[id]
	if e == nil {
		e = newEntry()
		t.producers[id] = e
	}
	return e
}

func (t *Table) updateData(b record.Batch) {
	e := t.entry(b.ProducerID())
	e.addBatch(b.ProducerEpoch(), batch{b.LastOffset(), b.MaxTimestamp(), b.LastSequence(), b.LastOffsetDelta()})
	if b.Attributes().Transactional() && e.txnFirstOffset == NoOffset {
		e.txnFirstOffset = b.BaseOffset()
		t.ongoing = put(t.ongoing, transaction{b.ProducerID(), b.BaseOffset(), NoOffset})
	}
}

func (t *Table) updateMarker(b record.Batch) (done Completed, ended bool, err error) {
	m, ok, err := b.EndTxnMarker()
	if err != nil || !ok { // not ok: compaction took the whole transaction
		return Completed{}, false, err
	}
	e := t.entry(b.ProducerID())
	first := e.txnFirstOffset
	e.setEpoch(b.ProducerEpoch())
	e.coordinatorEpoch, e.lastTimestamp, e.txnFirstOffset = m.CoordinatorEpoch, m.Timestamp, NoOffset
	if first == NoOffset {
		return Completed{}, false, nil
	}
	if at, found := slices.BinarySearchFunc(t.ongoing, first, byFirstOffset); found {
		t.ongoing = slices.Delete(t.ongoing, at, at+1)
	}
	t.unreplicated = put(t.unreplicated, transaction{b.ProducerID(), first, b.BaseOffset()})
	stable, open := t.FirstUndecidedOffset()
	if !open {
		stable = b.BaseOffset() + 1
	}
	return Completed{b.ProducerID(), first, b.BaseOffset(), stable, !m.Commit}, true, nil
}
