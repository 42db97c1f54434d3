package api

import (
	"time"

	"github.com/ottla/ottla/internal/group"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/statemachine"
)

// describedGroup is what descriptions of groups of all newer kinds begin with.
type describedGroup struct {
	id         string
	operations int32
	code       int16
	message    *string // only that a group does not exist is told in words, as in Kafka
}

// describeNewGroups describes groups of a kind that has a protocol of its own (KIP-848 and later): fill puts each where it belongs
// in the answer, which reply sends when all are there. unserved is why nothing of the kind is served, or nil.
func describeNewGroups[D any](
	a *API, c Call, ids []string, withOperations bool, unserved error,
	describe func(g *group.Coordinator, id string, answer func(D, error)) statemachine.Output, fill func(i int, described D, as describedGroup), reply func(),
) {
	operations := operationsNotAsked
	if withOperations {
		operations = a.authorizedOperations(c.Session(), groupResource)
	}
	all := newGather(len(ids), reply)
	for i, id := range ids {
		answer := func(described D, err error) {
			as := describedGroup{id: id, operations: operations}
			if err != nil {
				as.code, as.operations = codeOf(err), operationsNotAsked
				if kafka.CodeOf(err) == kafka.GroupIDNotFound {
					as.message = textOf(err)
				}
			}
			fill(i, described, as)
			all.one()
		}
		refuse := func(err error) { answer(*new(D), err) }
		if unserved != nil {
			refuse(unserved)
			continue
		}
		a.askNamedGroup(id, func(g *group.Coordinator, _ time.Time) statemachine.Output { return describe(g, id, answer) }, refuse)
	}
	all.one()
}
