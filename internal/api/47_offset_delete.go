package api

import (
	"time"

	"github.com/ottla/ottla/internal/group"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/wire"
)

// offsetDelete answers OffsetDelete 0 (KIP-496): committed offsets of topics that the group does not consume go. Topics and
// partitions that do not exist are refused one by one.
func (a *API) offsetDelete(c Call, rq *wire.OffsetDeleteRequest) {
	image := a.Metadata.Current()
	ask := &wire.OffsetDeleteRequest{GroupID: rq.GroupID}
	var unknown []wire.OffsetDeleteResponseTopic
	for _, topic := range rq.Topics {
		known := image.Topic(topic.Name)
		wanted, missing := wire.OffsetDeleteRequestTopic{Name: topic.Name}, wire.OffsetDeleteResponseTopic{Name: topic.Name}
		for _, p := range topic.Partitions {
			if known.Partition(p.PartitionIndex) != nil {
				wanted.Partitions = append(wanted.Partitions, p)
				continue
			}
			missing.Partitions = append(missing.Partitions, wire.OffsetDeleteResponsePartition{PartitionIndex: p.PartitionIndex, ErrorCode: int16(kafka.UnknownTopicOrPartition)})
		}
		if len(wanted.Partitions) > 0 {
			ask.Topics = append(ask.Topics, wanted)
		}
		if len(missing.Partitions) > 0 {
			unknown = append(unknown, missing)
		}
	}
	answer := func(response *wire.OffsetDeleteResponse, err error) {
		if err != nil {
			c.Reply(&wire.OffsetDeleteResponse{ErrorCode: codeOf(err)})
			return
		}
		response.Topics = withMissing(response.Topics, unknown)
		c.Reply(response)
	}
	from := clientOf(c)
	a.askNamedGroup(rq.GroupID, func(g *group.Coordinator, _ time.Time) statemachine.Output {
		return g.DeleteOffsets(from, ask, withinCommitTimeout(a, answer))
	}, func(err error) { answer(nil, err) })
}

// withMissing adds the partitions that do not exist to the results of those that do: a topic has one entry.
func withMissing(topics, unknown []wire.OffsetDeleteResponseTopic) []wire.OffsetDeleteResponseTopic {
	places := make(map[string]int, len(topics))
	for i := range topics {
		places[topics[i].Name] = i
	}
	for _, missing := range unknown {
		if i, ok := places[missing.Name]; ok {
			topics[i].Partitions = append(topics[i].Partitions, missing.Partitions...)
			continue
		}
		places[missing.Name] = len(topics)
		topics = append(topics, missing)
	}
	return topics
}
