package api

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"github.com/ottla/ottla/internal/group"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/wire"
)

// listGroups answers ListGroups 0-5: the groups that this broker coordinates. Version 4 adds states and a filter by them
// (KIP-518), 5 the same for types (KIP-848). While a partition of __consumer_offsets is being loaded the answer is
// COORDINATOR_LOAD_IN_PROGRESS.
func (a *API) listGroups(c Call, rq *wire.ListGroupsRequest) {
	response := &wire.ListGroupsResponse{Groups: []wire.ListGroupsResponseListedGroup{}}
	var lock sync.Mutex
	var engines []*statemachine.Engine[*group.Coordinator]
	for _, engine := range a.Groups.All() {
		engines = append(engines, engine)
	}
	all := newGather(len(engines), func() {
		if response.ErrorCode != 0 {
			response.Groups = []wire.ListGroupsResponseListedGroup{}
		}
		slices.SortFunc(response.Groups, func(a, b wire.ListGroupsResponseListedGroup) int { return cmp.Compare(a.GroupID, b.GroupID) })
		c.Reply(response)
	})
	answer := func(listed []wire.ListGroupsResponseListedGroup, err error) {
		lock.Lock()
		// Groups that another broker has just taken over are in that one's list.
		if err != nil && kafka.CodeOf(err) != kafka.NotCoordinator {
			response.ErrorCode = codeOf(err)
		}
		response.Groups = append(response.Groups, listed...)
		lock.Unlock()
		all.one()
	}
	for _, engine := range engines {
		engine.Do(func(g *group.Coordinator, _ time.Time) statemachine.Output {
			return g.List(rq.StatesFilter, rq.TypesFilter, answer)
		}, func(err error) { answer(nil, err) })
	}
	all.one()
}
