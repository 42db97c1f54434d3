package producerstate

import (
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/record"
)

// Guard stands for one question to the transaction coordinator, "is this partition part of the open
// transaction?" (KIP-890). Only the append that carries the guard of the answer may start a transaction
// here: an answer that was overtaken by a marker carries an older guard. NoGuard fits nowhere.
type Guard uint64

// NoGuard is the guard of an append that was not verified.
const NoGuard Guard = 0

// verification is a question that was asked and whose batch was not appended yet.
type verification struct {
	started int64 // milliseconds
	guard   Guard
	// lowestSequence is the lowest that was seen: a later batch must not be appended before it, or it
	// could never be.
	lowestSequence int32
	epoch          int16
	// epochBump is whether the producer speaks transaction version 2.
	epochBump bool
}

// StartVerification returns the guard with which the coordinator is to be asked, before a transactional
// batch with this first sequence is appended; NoGuard if the transaction is open here already, so that
// there is nothing to ask. epochBump is whether the producer speaks transaction version 2 (Produce
// v12+). INVALID_PRODUCER_EPOCH refuses a zombie. now is in milliseconds.
func (t *Table) StartVerification(producerID int64, epoch int16, sequence int32, epochBump bool, now int64) (Guard, error) {
	if e := t.producers[producerID]; e != nil && epoch < e.epoch {
		return NoGuard, errZombie(producerID, epoch, e.epoch)
	}
	if t.HasOpenTransaction(producerID, epoch) {
		return NoGuard, nil
	}
	v := t.verifying[producerID]
	if v == nil {
		t.guards++
		v = &verification{now, t.guards, sequence, epoch, epochBump}
		t.verifying[producerID] = v
	}
	if epoch == v.epoch {
		v.lowestSequence = min(v.lowestSequence, sequence)
	} else if epoch > v.epoch {
		v.epoch, v.lowestSequence = epoch, sequence
	}
	return v.guard, nil
}

// checkVerified refuses the first batch of a transaction that the coordinator does not know of.
func (t *Table) checkVerified(b record.Batch, e *entry, how Append) error {
	if !b.Attributes().Transactional() || t.HasOpenTransaction(b.ProducerID(), b.ProducerEpoch()) {
		return nil
	}
	if e != nil && b.ProducerEpoch() < e.epoch {
		return errZombie(b.ProducerID(), b.ProducerEpoch(), e.epoch)
	}
	if !how.Verify || b.Attributes().Control() {
		return nil
	}
	if v := t.verifying[b.ProducerID()]; v == nil || how.Guard == NoGuard || how.Guard != v.guard {
		return kafka.Errorf(kafka.InvalidTxnState, "Record was not part of an ongoing transaction")
	}
	return nil
}

// endVerification forgets the question when a transactional batch is in the log: either the transaction
// is open now, or it ended. The marker of a version 2 transaction leaves a question with its own epoch:
// that is already the next transaction's.
func (t *Table) endVerification(b record.Batch) {
	if !b.Attributes().Transactional() {
		return
	}
	v := t.verifying[b.ProducerID()]
	if v == nil || v.epochBump && b.Attributes().Control() && b.ProducerEpoch() == v.epoch {
		return
	}
	delete(t.verifying, b.ProducerID())
}

func errZombie(id int64, epoch, current int16) error {
	return kafka.Errorf(kafka.InvalidProducerEpoch, "Epoch of producer %d is %d, which is smaller than the last seen epoch %d", id, epoch, current)
}
