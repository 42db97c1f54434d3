package api

import (
	"github.com/ottla/ottla/internal/group"
	"github.com/ottla/ottla/internal/wire"
)

// consumerGroupDescribe answers ConsumerGroupDescribe 0-1: epochs, members and their assignments. Version 1 adds by which
// protocol a member takes part.
func (a *API) consumerGroupDescribe(c Call, rq *wire.ConsumerGroupDescribeRequest) {
	response := &wire.ConsumerGroupDescribeResponse{Groups: make([]wire.ConsumerGroupDescribeResponseDescribedGroup, len(rq.GroupIDs))}
	describeNewGroups(a, c, rq.GroupIDs, rq.IncludeAuthorizedOperations, a.serves(consumerProtocol, groupVersion), (*group.Coordinator).DescribeConsumer,
		func(i int, described wire.ConsumerGroupDescribeResponseDescribedGroup, as describedGroup) {
			described.GroupID, described.AuthorizedOperations, described.ErrorCode, described.ErrorMessage = as.id, as.operations, as.code, as.message
			response.Groups[i] = described
		}, func() { c.Reply(response) })
}
