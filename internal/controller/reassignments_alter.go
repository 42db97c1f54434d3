package controller

import (
	"slices"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/wire"
)

// AlterPartitionReassignments begins, changes or cancels moves of replicas (KIP-455). New replicas are added at
// once; those to be removed go when all new ones are in the ISR, which AlterPartition sees.
func (c *Controller) AlterPartitionReassignments(now time.Time, rq *wire.AlterPartitionReassignmentsRequest, reply Reply[*wire.AlterPartitionReassignmentsResponse]) statemachine.Output {
	if err := c.ready(); err != nil {
		return refused(err, reply)
	}
	if len(rq.Topics) == 0 {
		return decided(nil, &wire.AlterPartitionReassignmentsResponse{AllowReplicationFactorChange: true, ErrorMessage: new(string)}, reply)
	}
	response := &wire.AlterPartitionReassignmentsResponse{AllowReplicationFactorChange: rq.AllowReplicationFactorChange}
	var records []wire.Message
	for _, t := range rq.Topics {
		result := wire.AlterPartitionReassignmentsResponseReassignableTopicResponse{Name: t.Name}
		for i := range t.Partitions {
			record, err := c.reassign(t.Name, &t.Partitions[i], rq.AllowReplicationFactorChange)
			if record != nil {
				records = append(records, record)
			}
			result.Partitions = append(result.Partitions, wire.AlterPartitionReassignmentsResponseReassignablePartitionResponse{
				PartitionIndex: t.Partitions[i].PartitionIndex, ErrorCode: code(err), ErrorMessage: text(err),
			})
		}
		response.Responses = append(response.Responses, result)
	}
	if len(records) > maxRecords {
		return refused(errTooMany, reply)
	}
	return decided(records, response, reply)
}

func (c *Controller) reassign(topic string, wanted *wire.AlterPartitionReassignmentsRequestReassignablePartition, anyFactor bool) (wire.Message, error) {
	t := c.Image().Topic(topic)
	if t == nil {
		return nil, kafka.Errorf(kafka.UnknownTopicOrPartition, "Unable to find a topic named %s.", topic)
	}
	p := t.Partition(wanted.PartitionIndex)
	if p == nil {
		return nil, kafka.Errorf(kafka.UnknownTopicOrPartition, "Unable to find partition %s:%d.", topic, wanted.PartitionIndex)
	}
	b := c.change(t, wanted.PartitionIndex, p)
	var err error
	if wanted.Replicas == nil {
		err = c.cancelReassignment(t, p, b, wanted.PartitionIndex)
	} else {
		err = c.beginReassignment(p, b, wanted.Replicas, anyFactor)
	}
	if err != nil {
		return nil, err
	}
	if r := b.record(); r != nil {
		return r, nil
	}
	return nil, nil
}

// cancelReassignment goes back to the replicas there were before, without those that were being added.
func (c *Controller) cancelReassignment(t *metadata.Topic, p *metadata.Partition, b *partitionChange, id int32) error {
	if !p.Reassigning() {
		return kafka.NoReassignmentInProgress
	}
	b.replicas = without(p.Replicas, p.Adding...)
	b.isr = without(p.ISR, p.Adding...)
	b.removing, b.adding = nil, nil
	unclean := c.uncleanAllowed(t.Name)
	if unclean {
		b.election = electUnclean
	}
	switch {
	case len(b.isr) > 0:
		return nil
	case len(b.replicas) == 0:
		return kafka.Errorf(kafka.InvalidReplicaAssignment, "Invalid replica assignment: addingReplicas contains all replicas.")
	case !unclean:
		return kafka.Errorf(kafka.InvalidReplicaAssignment, "Unable to revert partition assignment for %s:%d because it would require an unclean leader election.", t.Name, id)
	}
	b.isr = b.replicas[:1]
	return nil
}

func (c *Controller) beginReassignment(p *metadata.Partition, b *partitionChange, target []int32, anyFactor bool) error {
	if err := c.checkAssignment(target, 0); err != nil {
		return err
	}
	if was := len(without(p.Replicas, p.Removing...)); !anyFactor && was != len(target) {
		return kafka.Errorf(kafka.InvalidReplicationFactor, "The replication factor is changed from %d to %d", was, len(target))
	}
	removing := slices.Sorted(slices.Values(without(p.Replicas, target...)))
	adding := slices.Sorted(slices.Values(without(target, p.Replicas...)))
	b.replicas = slices.Concat(target, removing)
	if len(removing) > 0 {
		b.removing = removing
	}
	if len(adding) > 0 {
		b.adding = adding
	}
	return nil
}
