package api

import (
	"sync/atomic"
	"time"

	"github.com/ottla/ottla/internal/causes"
	"github.com/ottla/ottla/internal/group"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/statemachine"
)

// groupStep is one call of a method of the group coordinator.
type groupStep func(c *group.Coordinator, now time.Time) statemachine.Output

// clientOf is who sent a request, for the causes that a group keeps. It is called within Handle.
func clientOf(c Call) causes.Client {
	s := c.Session()
	return causes.Client{ID: s.ClientID, Host: s.Host, Software: s.SoftwareName, SoftwareVersion: s.SoftwareVersion}
}

// askNamedGroup is askGroup for requests of members: a group with members has a name. The empty group id only keeps
// offsets, which very old clients committed without one.
func (a *API) askNamedGroup(groupID string, step groupStep, failed func(error)) {
	if groupID == "" {
		failed(kafka.Errorf(kafka.InvalidGroupID, "the group id is empty"))
		return
	}
	a.askGroup(groupID, step, failed)
}

// askGroup has the coordinator of a group run a step. failed is called instead, with the reason, if this broker is not the
// group's coordinator or is still loading it.
func (a *API) askGroup(groupID string, step groupStep, failed func(error)) {
	partition, err := a.groupPartition(groupID)
	if err != nil {
		failed(err)
		return
	}
	engine, err := a.Groups.Get(partition)
	if err != nil {
		failed(err)
		return
	}
	engine.Do(step, failed)
}

// groupPartition is the partition of __consumer_offsets that a group belongs to.
func (a *API) groupPartition(groupID string) (int32, error) {
	topic := a.Metadata.Current().Topic(kafka.OffsetsTopic)
	if topic == nil {
		return 0, kafka.Errorf(kafka.NotCoordinator, "%s does not exist yet, so no broker coordinates groups: look for the coordinator first", kafka.OffsetsTopic)
	}
	return kafka.CoordinatorPartition(groupID, len(topic.Partitions)), nil
}

// gather calls done once after n answers have come, at once if n is 0.
type gather struct {
	left atomic.Int32
	done func()
}

func newGather(n int, done func()) *gather {
	g := &gather{done: done}
	g.left.Store(int32(n) + 1)
	return g
}

// one notes an answer.
func (g *gather) one() {
	if g.left.Add(-1) == 0 {
		g.done()
	}
}
