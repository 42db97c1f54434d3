package api

import (
	"time"

	"github.com/ottla/ottla/internal/group"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/wire"
)

// describeGroups answers DescribeGroups 0-6. Version 3 adds authorized operations, 4 static members; before version 6 a
// group that does not exist is described as Dead, without an error.
func (a *API) describeGroups(c Call, rq *wire.DescribeGroupsRequest) {
	operations := operationsNotAsked
	if rq.IncludeAuthorizedOperations {
		operations = a.authorizedOperations(c.Session(), groupResource)
	}
	response := &wire.DescribeGroupsResponse{Groups: make([]wire.DescribeGroupsResponseDescribedGroup, len(rq.Groups))}
	all := newGather(len(rq.Groups), func() { c.Reply(response) })
	for i, id := range rq.Groups {
		answer := func(described wire.DescribeGroupsResponseDescribedGroup, err error) {
			described.GroupID = id
			described.AuthorizedOperations = operationsNotAsked
			missing := kafka.CodeOf(err) == kafka.GroupIDNotFound
			if c.version >= 6 {
				described.ErrorMessage = kafka.MessageOf(err)
			}
			if !missing || c.version >= 6 {
				described.ErrorCode = codeOf(err)
			}
			if described.ErrorCode == 0 {
				described.AuthorizedOperations = operations
			}
			response.Groups[i] = described
			all.one()
		}
		a.askGroup(id, func(g *group.Coordinator, _ time.Time) statemachine.Output { return g.Describe(id, answer) }, func(err error) {
			answer(wire.DescribeGroupsResponseDescribedGroup{}, err)
		})
	}
	all.one()
}
