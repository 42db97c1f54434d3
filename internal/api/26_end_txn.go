package api

import (
	"time"

	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/txn"
	"github.com/ottla/ottla/internal/wire"
)

// endTxn answers EndTxn 0-5: commits or aborts a transaction. Version 2 knows PRODUCER_FENCED; version 5 is that of TV2
// (KIP-890): it gives the producer its next epoch.
func (a *API) endTxn(c Call, rq *wire.EndTxnRequest) {
	answer := func(next statemachine.Producer, err error) {
		c.Reply(&wire.EndTxnResponse{ErrorCode: fencedCode(err, c.version >= 2), ProducerID: next.ID, ProducerEpoch: next.Epoch})
	}
	end := txn.End{
		TransactionalID: rq.TransactionalID, Producer: statemachine.Producer{ID: rq.ProducerID, Epoch: rq.ProducerEpoch}, Commit: rq.Committed,
		Client: clientOf(c),
	}
	if c.version >= 5 {
		end.Version = 2
	}
	a.askTransaction(rq.TransactionalID, func(t *txn.Coordinator, now time.Time) statemachine.Output {
		return t.End(now, end, answer)
	}, func(err error) { answer(txn.NoProducer, err) })
}
