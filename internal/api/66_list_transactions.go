package api

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/txn"
	"github.com/ottla/ottla/internal/wire"
)

// listTransactions answers ListTransactions 0-2: the transactional ids that this broker coordinates. Version 1 adds a filter
// by the time that the transaction has been open for (KIP-994), 2 a pattern of the id (KIP-1152). While a partition of
// __transaction_state is being loaded the answer is COORDINATOR_LOAD_IN_PROGRESS.
func (a *API) listTransactions(c Call, rq *wire.ListTransactionsRequest) {
	filter, unknown, err := txn.NewFilter(rq)
	if err != nil {
		c.Reply(&wire.ListTransactionsResponse{ErrorCode: codeOf(err)})
		return
	}
	response := &wire.ListTransactionsResponse{UnknownStateFilters: unknown}
	var lock sync.Mutex
	var engines []*statemachine.Engine[*txn.Coordinator]
	for _, engine := range a.Transactions.All() {
		engines = append(engines, engine)
	}
	all := newGather(len(engines), func() {
		if response.ErrorCode != 0 {
			response.TransactionStates, response.UnknownStateFilters = nil, nil
		}
		slices.SortFunc(response.TransactionStates, func(a, b wire.ListTransactionsResponseTransactionState) int {
			return cmp.Compare(a.TransactionalID, b.TransactionalID)
		})
		c.Reply(response)
	})
	answer := func(listed []wire.ListTransactionsResponseTransactionState, err error) {
		lock.Lock()
		// Ids that another broker has just taken over are in that one's list.
		if err != nil && kafka.CodeOf(err) != kafka.NotCoordinator {
			response.ErrorCode = codeOf(err)
		}
		response.TransactionStates = append(response.TransactionStates, listed...)
		lock.Unlock()
		all.one()
	}
	for _, engine := range engines {
		engine.Do(func(t *txn.Coordinator, now time.Time) statemachine.Output { return t.List(now, &filter, answer) },
			func(err error) { answer(nil, err) })
	}
	all.one()
}
