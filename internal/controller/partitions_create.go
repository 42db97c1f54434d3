package controller

import (
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/wire"
)

// CreatePartitions adds partitions to topics: Count is how many there shall be then (KIP-195). Results are those
// of names that occur twice, then the others in the order of the request.
func (c *Controller) CreatePartitions(now time.Time, rq *wire.CreatePartitionsRequest, reply Reply[*wire.CreatePartitionsResponse]) statemachine.Output {
	if err := c.ready(); err != nil {
		return refused(err, reply)
	}
	response := new(wire.CreatePartitionsResponse)
	answer := func(name string, err error) {
		response.Results = append(response.Results, wire.CreatePartitionsResponseCreatePartitionsTopicResult{
			Name: name, ErrorCode: code(err), ErrorMessage: text(err),
		})
	}
	occurs := make(map[string]int, len(rq.Topics))
	for i := range rq.Topics {
		name := rq.Topics[i].Name
		if occurs[name]++; occurs[name] == 2 {
			answer(name, errDuplicateName)
		}
	}
	var records []wire.Message
	for i := range rq.Topics {
		if t := &rq.Topics[i]; occurs[t.Name] == 1 {
			added, err := c.addPartitions(t, maxRecords-len(records))
			answer(t.Name, err)
			records = append(records, added...)
		}
	}
	if rq.ValidateOnly {
		records = nil
	}
	return decided(records, response, reply)
}

// addPartitions decides on one topic. room is how many records the request may still write.
func (c *Controller) addPartitions(rq *wire.CreatePartitionsRequestCreatePartitionsTopic, room int) ([]wire.Message, error) {
	t := c.Image().Topic(rq.Name)
	if t == nil {
		return nil, kafka.UnknownTopicOrPartition
	}
	there := len(t.Partitions)
	switch {
	case int(rq.Count) == there:
		return nil, kafka.Errorf(kafka.InvalidPartitions, "Topic already has %d partition(s).", there)
	case int(rq.Count) < there:
		return nil, kafka.Errorf(kafka.InvalidPartitions, "The topic %s currently has %d partition(s); %d would not be an increase.", t.Name, there, rq.Count)
	}
	additional := int(rq.Count) - there
	if rq.Assignments != nil && len(rq.Assignments) != additional {
		return nil, kafka.Errorf(kafka.InvalidReplicaAssignment, "Attempted to add %d additional partition(s), but only %d assignment(s) were specified.", additional, len(rq.Assignments))
	}
	if additional > room {
		return nil, errTooMany
	}
	added, err := c.morePartitions(t, rq, additional)
	if err != nil {
		return nil, err
	}
	records := make([]wire.Message, len(added))
	for i, p := range added {
		records[i] = p.Record(t.ID, int32(there+i))
	}
	return records, nil
}

// morePartitions places the additional partitions of a topic, with as many replicas as its first one has.
func (c *Controller) morePartitions(t *metadata.Topic, rq *wire.CreatePartitionsRequestCreatePartitionsTopic, additional int) ([]*metadata.Partition, error) {
	replicationFactor := len(t.Partitions[0].Replicas)
	if rq.Assignments == nil {
		placed, reason := c.place(additional, int16(replicationFactor))
		if reason != "" {
			return nil, &kafka.Error{Code: kafka.InvalidReplicationFactor, Message: reason}
		}
		return c.startPartitions(placed, int16(replicationFactor))
	}
	added := make([]*metadata.Partition, additional)
	for i, a := range rq.Assignments {
		p, err := c.assignedPartition(int32(len(t.Partitions)+i), a.BrokerIDs, replicationFactor)
		if err != nil {
			return nil, err
		}
		added[i] = p
	}
	return added, nil
}
