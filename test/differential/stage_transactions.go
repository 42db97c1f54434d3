package differential

import "github.com/ottla/ottla/internal/wire"

// awaitEnd waits until a transactional id has no transaction under way, neither open nor with markers to write: "ended ID".
func (r *run) awaitEnd(id string) error {
	return r.until(0, &wire.DescribeTransactionsRequest{TransactionalIDs: []string{id}}, func(m wire.Message) bool {
		switch m.(*wire.DescribeTransactionsResponse).TransactionStates[0].TransactionState {
		case "Empty", "CompleteCommit", "CompleteAbort":
			return true
		}
		return false
	})
}
