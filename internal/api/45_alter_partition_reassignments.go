package api

import (
	"github.com/ottla/ottla/internal/controller"
	"github.com/ottla/ottla/internal/wire"
)

// alterPartitionReassignments answers AlterPartitionReassignments 0-1 (KIP-455, KIP-860): the controller decides. Version 0
// cannot forbid that the number of replicas changes.
func (a *API) alterPartitionReassignments(c Call, rq *wire.AlterPartitionReassignmentsRequest) {
	askController(a, c.origin(), (*controller.Controller).AlterPartitionReassignments, rq, func(response *wire.AlterPartitionReassignmentsResponse, err error) {
		if err != nil {
			response = &wire.AlterPartitionReassignmentsResponse{
				AllowReplicationFactorChange: rq.AllowReplicationFactorChange, ErrorCode: codeOf(err), ErrorMessage: textOf(err),
			}
		}
		c.Reply(response)
	})
}
