package group

import (
	"slices"
	"strings"

	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/wire"
)

// classicType is the group type of ListGroups.
const classicType = "classic"

// List tells all groups in any of the given states and of any of the given types, by id; no states, no types stand for
// all. Upper and lower case are the same, as in Kafka, and so are states with and without space around them.
func (c *Coordinator) List(states, types []string, answer func([]wire.ListGroupsResponseListedGroup, error)) statemachine.Output {
	listed := []wire.ListGroupsResponseListedGroup{}
	if !wanted(types, classicType) {
		return answerList(listed, answer)
	}
	for _, g := range c.sorted() {
		if wanted(states, string(g.state)) {
			listed = append(listed, wire.ListGroupsResponseListedGroup{
				GroupID: g.id, ProtocolType: g.protocolType, GroupState: string(g.state), GroupType: classicType,
			})
		}
	}
	return answerList(listed, answer)
}

func answerList(listed []wire.ListGroupsResponseListedGroup, answer func([]wire.ListGroupsResponseListedGroup, error)) statemachine.Output {
	var out outcome
	out.then(func(err error) { answer(listed, err) })
	return out.Output
}

func wanted(filter []string, value string) bool {
	return len(filter) == 0 || slices.ContainsFunc(filter, func(f string) bool { return strings.EqualFold(strings.TrimSpace(f), value) })
}
