package api

import (
	"github.com/ottla/ottla/internal/group"
	"github.com/ottla/ottla/internal/wire"
)

// streamsGroupDescribe answers StreamsGroupDescribe 0: epochs, topology, members and their tasks.
func (a *API) streamsGroupDescribe(c Call, rq *wire.StreamsGroupDescribeRequest) {
	response := &wire.StreamsGroupDescribeResponse{Groups: make([]wire.StreamsGroupDescribeResponseDescribedGroup, len(rq.GroupIDs))}
	describeNewGroups(a, c, rq.GroupIDs, rq.IncludeAuthorizedOperations, a.serves(streamsProtocol, streamsVersion), (*group.Coordinator).DescribeStreams,
		func(i int, described wire.StreamsGroupDescribeResponseDescribedGroup, as describedGroup) {
			described.GroupID, described.AuthorizedOperations, described.ErrorCode, described.ErrorMessage = as.id, as.operations, as.code, as.message
			response.Groups[i] = described
		}, func() { c.Reply(response) })
}
