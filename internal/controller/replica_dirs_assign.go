package controller

import (
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/wire"
)

// AssignReplicasToDirs takes from a broker with several log directories in which of them its replicas are
// (KIP-858). Replicas in a directory that is not online leave the ISR.
func (c *Controller) AssignReplicasToDirs(now time.Time, rq *wire.AssignReplicasToDirsRequest, reply Reply[*wire.AssignReplicasToDirsResponse]) statemachine.Output {
	if err := c.ready(); err != nil {
		return refused(err, reply)
	}
	if err := c.checkBrokerEpoch(rq.BrokerID, rq.BrokerEpoch); err != nil {
		return refused(err, reply)
	}
	broker := c.Image().Broker(rq.BrokerID)
	response := new(wire.AssignReplicasToDirsResponse)
	var records []wire.Message
	for _, d := range rq.Directories {
		dir := wire.AssignReplicasToDirsResponseDirectoryData{ID: d.ID}
		for _, wanted := range d.Topics {
			t := c.Image().TopicByID(wanted.TopicID)
			topic := wire.AssignReplicasToDirsResponseTopicData{TopicID: wanted.TopicID}
			for _, p := range wanted.Partitions {
				record, err := c.assignDir(broker, t, p.PartitionIndex, d.ID)
				if record != nil {
					records = append(records, record)
				}
				topic.Partitions = append(topic.Partitions, wire.AssignReplicasToDirsResponsePartitionData{
					PartitionIndex: p.PartitionIndex, ErrorCode: code(err),
				})
			}
			dir.Topics = append(dir.Topics, topic)
		}
		response.Directories = append(response.Directories, dir)
	}
	return decided(records, response, reply)
}

func (c *Controller) assignDir(broker *metadata.Broker, t *metadata.Topic, id int32, dir kafka.UUID) (wire.Message, error) {
	p := t.Partition(id)
	switch {
	case t == nil:
		return nil, kafka.UnknownTopicID
	case p == nil:
		return nil, kafka.UnknownTopicOrPartition
	case !p.IsReplica(broker.ID):
		return nil, kafka.NotLeaderOrFollower
	}
	b := c.change(t, id, p)
	b.directories = map[int32]kafka.UUID{broker.ID: dir}
	if !broker.HasOnlineDir(dir) {
		b.acceptLeaders(c, func(other int32) bool { return other != broker.ID && c.isActive(other) })
		b.isr = without(p.ISR, broker.ID)
		if c.uncleanAllowed(t.Name) {
			b.election = electUnclean
		}
	}
	if r := b.record(); r != nil {
		return r, nil
	}
	return nil, nil
}
