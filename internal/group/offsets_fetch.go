package group

import (
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/wire"
)

// FetchOffsets answers which offsets a group has committed: of the partitions asked for (-1 where there is none), or,
// without topics, all of them. With stable, a partition for which a transaction is open has UNSTABLE_OFFSET_COMMIT (KIP-447).
func (c *Coordinator) FetchOffsets(rq *wire.OffsetFetchRequestGroup, stable bool, answer func(*wire.OffsetFetchResponseGroup, error)) statemachine.Output {
	response := &wire.OffsetFetchResponseGroup{GroupID: rq.GroupID}
	g := c.groups[rq.GroupID]
	var refused error
	if g != nil {
		refused = g.kind.checkFetch(rq)
	}
	if refused != nil {
		response = nil
	} else if rq.Topics == nil {
		response.Topics = g.allOffsets(stable)
	} else {
		response.Topics = g.offsetsOf(rq.Topics, stable)
	}
	var out outcome
	out.then(func(err error) {
		if err == nil {
			err = refused
		}
		if err != nil {
			response = &wire.OffsetFetchResponseGroup{GroupID: rq.GroupID}
		}
		answer(response, err)
	})
	return out.Output
}

func (g *group) offsetsOf(wanted []wire.OffsetFetchRequestTopics, stable bool) []wire.OffsetFetchResponseTopics {
	topics := make([]wire.OffsetFetchResponseTopics, len(wanted))
	for i, t := range wanted {
		topics[i] = wire.OffsetFetchResponseTopics{Name: t.Name, TopicID: t.TopicID, Partitions: make([]wire.OffsetFetchResponsePartitions, len(t.PartitionIndexes))}
		for j, id := range t.PartitionIndexes {
			topics[i].Partitions[j] = g.offsetOf(kafka.TopicPartition{Topic: t.Name, Partition: id}, t.TopicID, stable)
		}
	}
	return topics
}

// offsetOf is the committed offset of a partition. One that was committed for another topic of the same name does not
// count, if both ids are known.
func (g *group) offsetOf(tp kafka.TopicPartition, topicID kafka.UUID, stable bool) wire.OffsetFetchResponsePartitions {
	none := ""
	answer := wire.OffsetFetchResponsePartitions{PartitionIndex: tp.Partition, CommittedOffset: -1, CommittedLeaderEpoch: -1, Metadata: &none}
	if g == nil {
		return answer
	}
	if stable && len(g.pending[tp]) > 0 {
		answer.ErrorCode = int16(kafka.UnstableOffsetCommit)
		return answer
	}
	o, ok := g.offsets[tp]
	if !ok || !topicID.IsZero() && !o.topicID.IsZero() && topicID != o.topicID {
		return answer
	}
	answer.CommittedOffset, answer.CommittedLeaderEpoch, answer.Metadata = o.offset, o.leaderEpoch, &o.metadata
	return answer
}

func (g *group) allOffsets(stable bool) []wire.OffsetFetchResponseTopics {
	topics := []wire.OffsetFetchResponseTopics{}
	if g == nil {
		return topics
	}
	for _, tp := range g.partitions() {
		if last := len(topics) - 1; last < 0 || topics[last].Name != tp.Topic {
			topics = append(topics, wire.OffsetFetchResponseTopics{Name: tp.Topic})
		}
		topic := &topics[len(topics)-1]
		topic.Partitions = append(topic.Partitions, g.offsetOf(tp, kafka.ZeroUUID, stable))
	}
	return topics
}
