package controller

import (
	"slices"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
)

// checkAssignment returns why a manual list of replicas is not valid, or nil. expected is the number of replicas
// of the partitions before, 0 if there are none.
func (c *Controller) checkAssignment(replicas []int32, expected int) error {
	if len(replicas) == 0 {
		return kafka.Errorf(kafka.InvalidReplicaAssignment, "The manual partition assignment includes an empty replica list.")
	}
	ordered := slices.Sorted(slices.Values(replicas))
	for i, id := range ordered {
		broker := c.Image().Broker(id)
		switch {
		case broker == nil:
			return kafka.Errorf(kafka.InvalidReplicaAssignment, "The manual partition assignment includes broker %d, but no such broker is registered.", id)
		case !broker.HasUncordonedDir():
			return kafka.Errorf(kafka.InvalidReplicaAssignment, "The manual partition assignment includes broker %d, but all its log directories are cordoned.", id)
		case i > 0 && ordered[i-1] == id:
			return kafka.Errorf(kafka.InvalidReplicaAssignment, "The manual partition assignment includes the broker %d more than once.", id)
		}
	}
	if expected > 0 && len(replicas) != expected {
		return kafka.Errorf(kafka.InvalidReplicaAssignment, "The manual partition assignment includes a partition with %d replica(s), but this is not consistent with previous partitions, which have %d replica(s).", len(replicas), expected)
	}
	return nil
}

// activeOf returns the brokers that may be in an ISR, in their order.
func (c *Controller) activeOf(replicas []int32) []int32 {
	active := make([]int32, 0, len(replicas))
	for _, id := range replicas {
		if c.isActive(id) {
			active = append(active, id)
		}
	}
	return active
}

func (c *Controller) isActive(id int32) bool {
	b := c.Image().Broker(id)
	return b != nil && b.Active()
}

// defaultDir is where a new replica goes on a broker.
func (c *Controller) defaultDir(id int32) kafka.UUID {
	if b := c.Image().Broker(id); b != nil {
		return b.DefaultDir()
	}
	return metadata.DirectoryUnassigned
}

// newPartition is a partition as it begins: led by the first of its in-sync replicas.
func (c *Controller) newPartition(replicas, isr []int32) *metadata.Partition {
	p := &metadata.Partition{Leader: isr[0], Replicas: replicas, ISR: isr}
	for _, id := range replicas {
		p.Directories = append(p.Directories, c.defaultDir(id))
	}
	return p
}
