package api

import (
	"slices"

	"github.com/ottla/ottla/internal/config"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/wire"
)

// describeTopicPartitions answers DescribeTopicPartitions 0 (KIP-966): topics with their eligible leader replicas, in
// pages of at most ResponsePartitionLimit partitions (max.request.partition.size.limit bounds that). The next page begins
// at the cursor that the answer ends with.
func (a *API) describeTopicPartitions(c Call, rq *wire.DescribeTopicPartitionsRequest) {
	image := a.Metadata.Current()
	names, all := wantedTopics(image, rq)
	if rq.Cursor != nil {
		if rq.Cursor.PartitionIndex < 0 || !slices.Contains(names, rq.Cursor.TopicName) {
			c.Reply(refuseTopics(rq))
			return
		}
		names = slices.DeleteFunc(names, func(name string) bool { return name < rq.Cursor.TopicName })
	}
	page := topicPage{
		metadataAnswer: metadataAnswer{api: a, listener: c.Session().ListenerName, version: 13, topicOperations: a.authorizedOperations(c.Session(), topicResource)},
		left:           max(min(int(rq.ResponsePartitionLimit), a.Config().Int(config.MaxRequestPartitionSizeLimit)), 1),
	}
	response := new(wire.DescribeTopicPartitionsResponse)
	for _, name := range names {
		first := int32(0)
		if rq.Cursor != nil && name == rq.Cursor.TopicName {
			first = rq.Cursor.PartitionIndex
		}
		topic := image.Topic(name)
		if topic == nil {
			if !all {
				response.Topics = append(response.Topics, page.unknown(name))
			}
			continue
		}
		next, done := page.add(image, topic, first, response)
		if !done {
			response.NextCursor = &wire.DescribeTopicPartitionsResponseCursor{TopicName: name, PartitionIndex: next}
			break
		}
	}
	c.Reply(response)
}

// refuseTopics answers a cursor that points to nothing: INVALID_REQUEST for every topic of the request.
func refuseTopics(rq *wire.DescribeTopicPartitionsRequest) *wire.DescribeTopicPartitionsResponse {
	response := new(wire.DescribeTopicPartitionsResponse)
	for i := range rq.Topics {
		response.Topics = append(response.Topics, wire.DescribeTopicPartitionsResponseTopic{
			Name: &rq.Topics[i].Name, ErrorCode: int16(kafka.InvalidRequest), TopicAuthorizedOperations: operationsNotAsked,
			IsInternal: kafka.IsInternalTopic(rq.Topics[i].Name),
		})
	}
	return response
}

// wantedTopics lists the topics of the request in order of their names; without any, all of the cluster.
func wantedTopics(image *metadata.Image, rq *wire.DescribeTopicPartitionsRequest) (names []string, all bool) {
	for _, t := range rq.Topics {
		names = append(names, t.Name)
	}
	if len(names) == 0 {
		for t := range image.Topics() {
			names = append(names, t.Name)
		}
		return names, true
	}
	slices.Sort(names)
	return slices.Compact(names), false
}

// topicPage fills one page.
type topicPage struct {
	metadataAnswer
	left int // partitions that still fit
}

// add puts a topic's partitions from first on into the response, as many as fit; next is the first that did not.
func (p *topicPage) add(image *metadata.Image, t *metadata.Topic, first int32, response *wire.DescribeTopicPartitionsResponse) (next int32, done bool) {
	if p.left == 0 {
		return first, false
	}
	out := wire.DescribeTopicPartitionsResponseTopic{
		Name: &t.Name, TopicID: t.ID, IsInternal: kafka.IsInternalTopic(t.Name), TopicAuthorizedOperations: p.topicOperations,
	}
	next = first
	for ; int(next) < len(t.Partitions) && p.left > 0; next++ {
		out.Partitions = append(out.Partitions, p.describe(image, next, t.Partitions[next]))
		p.left--
	}
	response.Topics = append(response.Topics, out)
	return next, int(next) >= len(t.Partitions)
}

// describe is what Metadata says of a partition, but that no leader is no error: its id is -1 then.
func (p *topicPage) describe(image *metadata.Image, id int32, state *metadata.Partition) wire.DescribeTopicPartitionsResponsePartition {
	m := p.partition(image, id, state)
	return wire.DescribeTopicPartitionsResponsePartition{
		PartitionIndex: id, LeaderID: m.LeaderID, LeaderEpoch: m.LeaderEpoch, ReplicaNodes: m.ReplicaNodes,
		IsrNodes: m.IsrNodes, OfflineReplicas: m.OfflineReplicas,
		EligibleLeaderReplicas: notNil(state.ELR), LastKnownElr: notNil(state.LastKnownELR),
	}
}

func (p *topicPage) unknown(name string) wire.DescribeTopicPartitionsResponseTopic {
	return wire.DescribeTopicPartitionsResponseTopic{
		Name: &name, ErrorCode: codeOf(missingTopic(name, nil)), IsInternal: kafka.IsInternalTopic(name), TopicAuthorizedOperations: p.topicOperations,
	}
}

// notNil makes an empty list of none: null has a meaning of its own there.
func notNil(ids []int32) []int32 {
	if ids == nil {
		return []int32{}
	}
	return ids
}
