package api

import (
	"time"

	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/txn"
	"github.com/ottla/ottla/internal/wire"
)

// describeTransactions answers DescribeTransactions 0: the states of transactional ids that this broker coordinates.
func (a *API) describeTransactions(c Call, rq *wire.DescribeTransactionsRequest) {
	response := &wire.DescribeTransactionsResponse{TransactionStates: make([]wire.DescribeTransactionsResponseTransactionState, len(rq.TransactionalIDs))}
	all := newGather(len(rq.TransactionalIDs), func() { c.Reply(response) })
	for i, id := range rq.TransactionalIDs {
		answer := func(described wire.DescribeTransactionsResponseTransactionState, err error) {
			described.TransactionalID, described.ErrorCode = id, codeOf(err)
			response.TransactionStates[i] = described
			all.one()
		}
		a.askTransaction(id, func(t *txn.Coordinator, _ time.Time) statemachine.Output { return t.Describe(id, answer) }, func(err error) {
			answer(wire.DescribeTransactionsResponseTransactionState{}, err)
		})
	}
	all.one()
}
