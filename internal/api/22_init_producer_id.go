package api

import (
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/wire"
)

// initProducerID answers InitProducerId 0-5: a new producer id with epoch 0 for an idempotent producer. Transactional
// producers are refused until the transaction coordinator exists: FindCoordinator has told them so before.
func (a *API) initProducerID(c Call, rq *wire.InitProducerIdRequest) {
	if (rq.ProducerID < 0) != (rq.ProducerEpoch < 0) {
		c.Reply(initProducerIDFailure(kafka.InvalidRequest)) // an id and an epoch come together or not at all
		return
	}
	if rq.TransactionalID != nil {
		c.Reply(initProducerIDFailure(errNoTransactions))
		return
	}
	a.producerIDs.next(func(id int64, err error) {
		if err != nil {
			c.Reply(initProducerIDFailure(err))
			return
		}
		c.Reply(&wire.InitProducerIdResponse{ProducerID: id, OngoingTxnProducerID: -1, OngoingTxnProducerEpoch: -1})
	})
}

// errNoTransactions is what a transactional producer is told: an error that it does not retry.
var errNoTransactions = kafka.Errorf(kafka.InvalidRequest, "this broker does not serve transactions yet: remove transactional.id from the producer's settings")

func initProducerIDFailure(err error) *wire.InitProducerIdResponse {
	return &wire.InitProducerIdResponse{ErrorCode: codeOf(err), ProducerID: -1, ProducerEpoch: -1, OngoingTxnProducerID: -1, OngoingTxnProducerEpoch: -1}
}
