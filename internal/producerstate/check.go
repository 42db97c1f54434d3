package producerstate

import (
	"math"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/record"
)

// Append says who appends a batch and under which promises.
type Append struct {
	Origin record.Origin
	// TransactionVersion is that of the transaction.version feature under which a marker was written
	// (WriteTxnMarkers v2, KIP-1228): from 2 on, the coordinator bumps the epoch for each marker.
	// Data batches leave it 0.
	TransactionVersion int16
	// Verify demands that the first batch of a transaction shows the Guard of StartVerification
	// (transaction.partition.verification.enable).
	Verify bool
	Guard  Guard
}

// Check decides whether a batch may be appended at offset. It changes nothing. A batch without a
// producer, and every batch of Origin Replication, may.
//
// For a client's resent batch duplicate is true and dup is what was appended the first time: the answer
// is a success with those offsets. Else the error is, as Kafka's ProducerAppendInfo has it:
//
//   - OUT_OF_ORDER_SEQUENCE_NUMBER: the batch does not follow the last one; or its epoch is new and its
//     sequence is not 0.
//   - INVALID_PRODUCER_EPOCH: a newer epoch has written, so this is a zombie.
//   - INVALID_TXN_STATE: not transactional within a transaction; or the transaction was not verified.
//   - TRANSACTION_COORDINATOR_FENCED: a newer coordinator has written a marker.
//
// A producer without an entry may start at any sequence. UNKNOWN_PRODUCER_ID is no longer answered.
func (t *Table) Check(b record.Batch, offset int64, how Append) (dup AppendedBatch, duplicate bool, err error) {
	if !b.HasProducerID() || how.Origin == record.Replication || how.Origin == record.RaftLeader {
		return AppendedBatch{}, false, nil
	}
	id := b.ProducerID()
	e := t.producers[id]
	if e != nil && how.Origin == record.Client {
		if dup, ok := e.duplicate(b.ProducerEpoch(), b.BaseSequence(), b.LastSequence()); ok {
			return dup, true, nil
		}
	}
	if err := t.checkVerified(b, e, how); err != nil {
		return AppendedBatch{}, false, err
	}
	if b.Attributes().Control() {
		return AppendedBatch{}, false, t.checkMarker(b, e, offset, how.TransactionVersion)
	}
	return AppendedBatch{}, false, t.checkData(b, e, offset, how.Origin)
}

func (t *Table) checkData(b record.Batch, e *entry, offset int64, origin record.Origin) error {
	if e != nil && b.ProducerEpoch() < e.epoch {
		return t.errEpoch(b, offset, "<", e.epoch, versionUnknown)
	}
	if origin == record.Client {
		if err := t.checkSequence(b, e, offset); err != nil {
			return err
		}
	}
	if e != nil && e.txnFirstOffset != NoOffset && !b.Attributes().Transactional() {
		return kafka.Errorf(kafka.InvalidTxnState, "Expected transactional write from producer %d at offset %d in partition %s", b.ProducerID(), offset, t.partition)
	}
	return nil
}

func (t *Table) checkSequence(b record.Batch, e *entry, offset int64) error {
	id, first := b.ProducerID(), b.BaseSequence()
	if v := t.verifying[id]; v != nil {
		if v.epochBump && first != 0 && (e == nil || e.batches == 0) {
			return kafka.Errorf(kafka.OutOfOrderSequenceNumber, "Invalid sequence number for producer %d at offset %d in partition %s: %d (incoming seq. number). "+
				"Expected sequence 0 for transactions v2 idempotent producer with no existing state.", id, offset, t.partition, first)
		}
		if first > v.lowestSequence {
			return kafka.Errorf(kafka.OutOfOrderSequenceNumber, "Out of order sequence number for producer %d at offset %d in partition %s: %d (incoming seq. number), %d (earliest seen sequence)",
				id, offset, t.partition, first, v.lowestSequence)
		}
	}
	switch {
	case e == nil || e.epoch == record.NoProducerEpoch:
		return nil // all records of the producer may be gone: any sequence will do
	case b.ProducerEpoch() != e.epoch:
		if first != 0 {
			return kafka.Errorf(kafka.OutOfOrderSequenceNumber, "Invalid sequence number for new epoch of producer %d at offset %d in partition %s: %d (request epoch), %d (seq. number), %d (current producer epoch)",
				id, offset, t.partition, b.ProducerEpoch(), first, e.epoch)
		}
	case !follows(e.lastSequence(), first):
		return kafka.Errorf(kafka.OutOfOrderSequenceNumber, "Out of order sequence number for producer %d at offset %d in partition %s: %d (incoming seq. number), %d (current end sequence number)",
			id, offset, t.partition, first, e.lastSequence())
	}
	return nil
}

// Expects reports whether b is just what a known producer was to send next: records with the next sequence in the same epoch,
// in a transaction if and only if one is open, or if it never had one. Who replays a log looks twice at any other batch.
func (t *Table) Expects(b record.Batch) bool {
	e := t.producers[b.ProducerID()]
	return e != nil && e.batches > 0 && e.epoch == b.ProducerEpoch() && follows(e.lastSequence(), b.BaseSequence()) &&
		!b.Attributes().Control() && b.Attributes().Transactional() == (e.txnFirstOffset != NoOffset) &&
		(b.Attributes().Transactional() || e.coordinatorEpoch == noCoordinatorEpoch)
}

// follows reports whether next comes after last; after 2147483647 comes 0.
func follows(last, next int32) bool {
	return int64(next) == int64(last)+1 || next == 0 && last == math.MaxInt32
}

func (t *Table) checkMarker(b record.Batch, e *entry, offset int64, version int16) error {
	m, ok, err := b.EndTxnMarker()
	if err != nil || !ok {
		return err
	}
	if e == nil {
		return nil
	}
	if err := t.checkMarkerEpoch(b, e, offset, version); err != nil {
		return err
	}
	if e.coordinatorEpoch > m.CoordinatorEpoch {
		return kafka.Errorf(kafka.TransactionCoordinatorFenced, "Invalid coordinator epoch for producerId %d at offset %d in partition %s: %d (zombie), %d (current)",
			b.ProducerID(), offset, t.partition, m.CoordinatorEpoch, e.coordinatorEpoch)
	}
	return nil
}

// checkMarkerEpoch: under transaction version 2 a marker's epoch is above that of the transaction. The
// same epoch again is a retry of a marker that is already there, and is written again (KAFKA-19999); or
// a producer at the last epoch, which must get out of its transaction somehow.
func (t *Table) checkMarkerEpoch(b record.Batch, e *entry, offset int64, version int16) error {
	epoch := b.ProducerEpoch()
	if version < 2 {
		if epoch < e.epoch {
			return t.errEpoch(b, offset, "<", e.epoch, version)
		}
		return nil
	}
	if epoch > e.epoch || epoch == e.epoch && (e.txnFirstOffset == NoOffset || epoch == math.MaxInt16) {
		return nil
	}
	return t.errEpoch(b, offset, "<=", e.epoch, version)
}

// versionUnknown is how Kafka writes the transaction version of a batch that is no marker.
const versionUnknown int16 = -1

func (t *Table) errEpoch(b record.Batch, offset int64, comparison string, current, version int16) error {
	return kafka.Errorf(kafka.InvalidProducerEpoch, "Epoch of producer %d at offset %d in %s is %d, which is %s the last seen epoch %d (TV%d)",
		b.ProducerID(), offset, t.partition, b.ProducerEpoch(), comparison, current, version)
}
