package api

import (
	"github.com/ottla/ottla/internal/controller"
	"github.com/ottla/ottla/internal/wire"
)

// alterPartition answers AlterPartition 2-3 (KIP-497): a leader proposes the in-sync set. Version 3 has broker epochs (KIP-903).
func (a *API) alterPartition(c Call, rq *wire.AlterPartitionRequest) {
	decideForBroker(a, (*controller.Controller).AlterPartition, rq, func(response *wire.AlterPartitionResponse, err error) {
		if err != nil {
			response = &wire.AlterPartitionResponse{ErrorCode: codeOf(err)}
		}
		c.Reply(response)
	})
}
