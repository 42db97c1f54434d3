package api

import (
	"time"

	"github.com/ottla/ottla/internal/group"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/wire"
)

// consumerGroupDescribe answers ConsumerGroupDescribe 0-1: epochs, members and their assignments. Version 1 adds by which
// protocol a member takes part.
func (a *API) consumerGroupDescribe(c Call, rq *wire.ConsumerGroupDescribeRequest) {
	operations := operationsNotAsked
	if rq.IncludeAuthorizedOperations {
		operations = a.authorizedOperations(c.Session(), groupResource)
	}
	unserved := a.serves(consumerProtocol, groupVersion)
	response := &wire.ConsumerGroupDescribeResponse{Groups: make([]wire.ConsumerGroupDescribeResponseDescribedGroup, len(rq.GroupIDs))}
	all := newGather(len(rq.GroupIDs), func() { c.Reply(response) })
	for i, id := range rq.GroupIDs {
		answer := func(described wire.ConsumerGroupDescribeResponseDescribedGroup, err error) {
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
			answer(wire.ConsumerGroupDescribeResponseDescribedGroup{AuthorizedOperations: operationsNotAsked}, err)
		}
		if unserved != nil {
			refuse(unserved)
			continue
		}
		a.askNamedGroup(id, func(g *group.Coordinator, _ time.Time) statemachine.Output { return g.DescribeConsumer(id, answer) }, refuse)
	}
	all.one()
}
