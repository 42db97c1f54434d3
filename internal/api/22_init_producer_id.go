package api

import (
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/txn"
	"github.com/ottla/ottla/internal/wire"
)

// unstableInitProducerID is the version of InitProducerId that Kafka 4.3 serves with unstable.api.versions.enable only; no
// other API has one.
const (
	initProducerIDKey      = 22
	unstableInitProducerID = 6
)

// initProducerID answers InitProducerId 0-6: a producer id and epoch, for an idempotent producer or for the owner of a
// transactional id. Version 3 tells who asks again after an error (KIP-360), 4 knows PRODUCER_FENCED, 6 asks for two-phase
// commit (KIP-939) and is served only with unstable.api.versions.enable, as in Kafka 4.3.
func (a *API) initProducerID(c Call, rq *wire.InitProducerIdRequest) {
	if (rq.ProducerID == txn.NoProducer.ID) != (rq.ProducerEpoch == txn.NoProducer.Epoch) {
		c.Reply(initProducerIDFailure(c, kafka.InvalidRequest)) // an id and an epoch come together or not at all
		return
	}
	answer := func(p statemachine.Producer, err error) {
		if err != nil {
			c.Reply(initProducerIDFailure(c, err))
			return
		}
		c.Reply(&wire.InitProducerIdResponse{ProducerID: p.ID, ProducerEpoch: p.Epoch, OngoingTxnProducerID: -1, OngoingTxnProducerEpoch: -1})
	}
	if rq.TransactionalID == nil {
		a.producerIDs.next(func(id int64, err error) { answer(statemachine.Producer{ID: id}, err) })
		return
	}
	init := txn.Init{
		TransactionalID: *rq.TransactionalID, Timeout: rq.TransactionTimeoutMs,
		TwoPhaseCommit: rq.Enable2Pc, KeepPrepared: rq.KeepPreparedTxn, Client: clientOf(c),
	}
	if rq.ProducerID != txn.NoProducer.ID {
		init.Expected = &statemachine.Producer{ID: rq.ProducerID, Epoch: rq.ProducerEpoch}
	}
	failed := func(err error) { answer(txn.NoProducer, err) }
	if err := a.TransactionSettings().CheckInit(&init); err != nil {
		failed(err)
		if init.TransactionalID != "" {
			a.askTransaction(init.TransactionalID, func(t *txn.Coordinator, now time.Time) statemachine.Output {
				return t.NoteInitRefused(now, &init, err)
			}, func(error) {})
		}
		return
	}
	a.askTransaction(init.TransactionalID, func(t *txn.Coordinator, now time.Time) statemachine.Output {
		return t.InitProducerID(now, init, answer)
	}, failed)
}

func initProducerIDFailure(c Call, err error) *wire.InitProducerIdResponse {
	return &wire.InitProducerIdResponse{
		ErrorCode: fencedCode(err, c.version >= 4), ProducerID: -1, ProducerEpoch: -1, OngoingTxnProducerID: -1, OngoingTxnProducerEpoch: -1,
	}
}

// fencedCode is the error code for clients that may not know PRODUCER_FENCED, which older versions call
// INVALID_PRODUCER_EPOCH.
func fencedCode(err error, known bool) int16 {
	if code := kafka.CodeOf(err); code != kafka.ProducerFenced || known {
		return int16(code)
	}
	return int16(kafka.InvalidProducerEpoch)
}
