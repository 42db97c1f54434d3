package api

import (
	"slices"
	"time"

	"github.com/ottla/ottla/internal/group"
	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/wire"
)

// deleteGroups answers DeleteGroups 0-2: groups without members go, with their offsets. A group that is named twice has one
// result.
func (a *API) deleteGroups(c Call, rq *wire.DeleteGroupsRequest) {
	names := distinct(rq.GroupsNames)
	response := &wire.DeleteGroupsResponse{Results: make([]wire.DeleteGroupsResponseDeletableGroupResult, len(names))}
	from := clientOf(c)
	all := newGather(len(names), func() { c.Reply(response) })
	for i, id := range names {
		answer := func(err error) {
			response.Results[i] = wire.DeleteGroupsResponseDeletableGroupResult{GroupID: id, ErrorCode: codeOf(err)}
			all.one()
		}
		a.askGroup(id, func(g *group.Coordinator, _ time.Time) statemachine.Output {
			return g.Delete(from, id, errWithinCommitTimeout(a, answer))
		}, answer)
	}
	all.one()
}

// distinct leaves out what has come before.
func distinct(names []string) []string {
	seen := make(map[string]bool, len(names))
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool {
		was := seen[name]
		seen[name] = true
		return was
	})
}
