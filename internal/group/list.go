package group

import (
	"slices"
	"strings"

	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/wire"
)

// List tells all groups in any of the given states and of any of the given types, by id; no states, no types stand for
// all. Upper and lower case are the same, as in Kafka, and so are states with and without space around them.
func (c *Coordinator) List(states, types []string, answer func([]wire.ListGroupsResponseListedGroup, error)) statemachine.Output {
	listed := []wire.ListGroupsResponseListedGroup{}
	for _, g := range c.sorted() {
		groupType, protocolType, state := g.kind.list()
		if wanted(types, groupType) && wanted(states, string(state)) {
			listed = append(listed, wire.ListGroupsResponseListedGroup{
				GroupID: g.id, ProtocolType: protocolType, GroupState: string(state), GroupType: groupType,
			})
		}
	}
	var out outcome
	out.then(func(err error) { answer(listed, err) })
	return out.Output
}

func wanted(filter []string, value string) bool {
	return len(filter) == 0 || slices.ContainsFunc(filter, func(f string) bool { return strings.EqualFold(strings.TrimSpace(f), value) })
}
