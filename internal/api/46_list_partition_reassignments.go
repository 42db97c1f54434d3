package api

import (
	"github.com/ottla/ottla/internal/controller"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/wire"
)

// listPartitionReassignments answers ListPartitionReassignments 0: partitions whose replicas are being moved.
func (a *API) listPartitionReassignments(c Call, rq *wire.ListPartitionReassignmentsRequest) {
	askController(a, c.origin(), (*controller.Controller).ListPartitionReassignments, rq, func(response *wire.ListPartitionReassignmentsResponse, err error) {
		if err != nil {
			response = &wire.ListPartitionReassignmentsResponse{ErrorCode: codeOf(err), ErrorMessage: kafka.MessageOf(err)}
		}
		c.Reply(response)
	})
}
