package controller

import (
	"time"

	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/wire"
)

// ListPartitionReassignments lists the partitions whose replicas are being changed: the given ones, or all.
func (c *Controller) ListPartitionReassignments(now time.Time, rq *wire.ListPartitionReassignmentsRequest, reply Reply[*wire.ListPartitionReassignmentsResponse]) statemachine.Output {
	if err := c.ready(); err != nil {
		return refused(err, reply)
	}
	return decided(nil, ListReassignments(c.Image(), rq), reply)
}

// ListReassignments is ListPartitionReassignments as a read of any image.
func ListReassignments(image *metadata.Image, rq *wire.ListPartitionReassignmentsRequest) *wire.ListPartitionReassignmentsResponse {
	response := new(wire.ListPartitionReassignmentsResponse)
	if rq.Topics == nil {
		for t := range image.Topics() {
			var all []int32
			for i := range t.Partitions {
				all = append(all, int32(i))
			}
			listReassigning(response, t, all)
		}
	}
	for _, wanted := range rq.Topics {
		if t := image.Topic(wanted.Name); t != nil {
			listReassigning(response, t, wanted.PartitionIndexes)
		}
	}
	return response
}

func listReassigning(response *wire.ListPartitionReassignmentsResponse, t *metadata.Topic, ids []int32) {
	ongoing := wire.ListPartitionReassignmentsResponseOngoingTopicReassignment{Name: t.Name}
	for _, id := range ids {
		if p := t.Partition(id); p != nil && p.Reassigning() {
			ongoing.Partitions = append(ongoing.Partitions, wire.ListPartitionReassignmentsResponseOngoingPartitionReassignment{
				PartitionIndex: id, Replicas: p.Replicas, AddingReplicas: p.Adding, RemovingReplicas: p.Removing,
			})
		}
	}
	if len(ongoing.Partitions) > 0 {
		response.Topics = append(response.Topics, ongoing)
	}
}
