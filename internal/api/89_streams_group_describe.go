package api

import (
	"time"

	"github.com/ottla/ottla/internal/group"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/wire"
)

// streamsGroupDescribe answers StreamsGroupDescribe 0: epochs, topology, members and their tasks.
func (a *API) streamsGroupDescribe(c Call, rq *wire.StreamsGroupDescribeRequest) {
	operations := operationsNotAsked
	if rq.IncludeAuthorizedOperations {
		operations = a.authorizedOperations(c.Session(), groupResource)
	}
	unserved := a.serves(streamsProtocol, streamsVersion)
	response := &wire.StreamsGroupDescribeResponse{Groups: make([]wire.StreamsGroupDescribeResponseDescribedGroup, len(rq.GroupIDs))}
	all := newGather(len(rq.GroupIDs), func() { c.Reply(response) })
	for i, id := range rq.GroupIDs {
		answer := func(described wire.StreamsGroupDescribeResponseDescribedGroup, err error) {
			described.GroupID, described.AuthorizedOperations = id, operations
			if err != nil {
				described.ErrorCode, described.AuthorizedOperations = codeOf(err), operationsNotAsked
				if kafka.CodeOf(err) == kafka.GroupIDNotFound {
					described.ErrorMessage = textOf(err)
				}
			}
			response.Groups[i] = described
			all.one()
		}
		refuse := func(err error) {
			answer(wire.StreamsGroupDescribeResponseDescribedGroup{AuthorizedOperations: operationsNotAsked}, err)
		}
		if unserved != nil {
			refuse(unserved)
			continue
		}
		a.askNamedGroup(id, func(g *group.Coordinator, _ time.Time) statemachine.Output { return g.DescribeStreams(id, answer) }, refuse)
	}
	all.one()
}
