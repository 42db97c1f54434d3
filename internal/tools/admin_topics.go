package tools

import (
	"cmp"
	"slices"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// A listedTopic is a topic as Kafka's listTopics tells it.
type listedTopic struct {
	name     string
	id       [16]byte
	internal bool
}

// listTopics returns all topics, sorted by name.
func (a *admin) listTopics() ([]listedTopic, error) {
	rq := kmsg.NewPtrMetadataRequest()
	response, err := request[*kmsg.MetadataResponse](a, "listTopics", rq)
	if err != nil {
		return nil, err
	}
	var topics []listedTopic
	for _, t := range response.Topics {
		if t.Topic != nil {
			topics = append(topics, listedTopic{*t.Topic, t.TopicID, t.IsInternal})
		}
	}
	slices.SortFunc(topics, func(x, y listedTopic) int { return cmp.Compare(x.name, y.name) })
	return topics, nil
}

// A describedTopic is a topic with its partitions in order.
type describedTopic struct {
	name       string
	id         [16]byte
	partitions []describedPartition
}

type describedPartition struct {
	index, leader     int32 // leader is -1 without one
	leaderEpoch       int32
	replicas, isr     []int32
	elr, lastKnownElr []int32
	tellsEligible     bool // false: the broker does not tell elr
}

// describeTopics describes topics by name; an unknown one is an error. limit bounds the partitions of one response.
func (a *admin) describeTopics(names []string, limit int32) ([]describedTopic, error) {
	if len(names) == 0 {
		return nil, nil
	}
	modern, err := a.serves(int16(kmsg.DescribeTopicPartitions))
	if err != nil {
		return nil, err
	}
	if !modern {
		return a.describeByMetadata(names, nil)
	}
	rq := kmsg.NewPtrDescribeTopicPartitionsRequest()
	rq.ResponsePartitionLimit = limit
	for _, name := range slices.Sorted(slices.Values(names)) {
		t := kmsg.NewDescribeTopicPartitionsRequestTopic()
		t.Topic = name
		rq.Topics = append(rq.Topics, t)
	}
	var topics []describedTopic
	for {
		response, err := request[*kmsg.DescribeTopicPartitionsResponse](a, "describeTopicPartitions", rq)
		if err != nil {
			return nil, err
		}
		for _, t := range response.Topics {
			if err := responseError(t.ErrorCode, nil); err != nil {
				return nil, err
			}
			topics = appendPartitions(topics, t)
		}
		if response.NextCursor == nil {
			break
		}
		cursor := kmsg.NewDescribeTopicPartitionsRequestCursor()
		cursor.Topic, cursor.Partition = response.NextCursor.Topic, response.NextCursor.Partition
		rq.Cursor = &cursor
		rq.Topics = slices.DeleteFunc(rq.Topics, func(t kmsg.DescribeTopicPartitionsRequestTopic) bool { return t.Topic < cursor.Topic })
	}
	return sortTopics(topics), nil
}

// appendPartitions adds what one response says of a topic, whose earlier partitions may have come before.
func appendPartitions(topics []describedTopic, t kmsg.DescribeTopicPartitionsResponseTopic) []describedTopic {
	name := ""
	if t.Topic != nil {
		name = *t.Topic
	}
	if len(topics) == 0 || topics[len(topics)-1].name != name {
		topics = append(topics, describedTopic{name: name, id: t.TopicID})
	}
	last := &topics[len(topics)-1]
	for _, p := range t.Partitions {
		last.partitions = append(last.partitions, describedPartition{index: p.Partition, leader: p.LeaderID, leaderEpoch: p.LeaderEpoch,
			replicas: p.Replicas, isr: p.ISR, elr: p.EligibleLeaderReplicas, lastKnownElr: p.LastKnownELR, tellsEligible: true})
	}
	return topics
}

// describeByMetadata describes topics by name or by id with the Metadata API, which does not know eligible leaders.
func (a *admin) describeByMetadata(names []string, ids [][16]byte) ([]describedTopic, error) {
	rq := kmsg.NewPtrMetadataRequest()
	rq.Topics = []kmsg.MetadataRequestTopic{}
	for _, name := range names {
		t := kmsg.NewMetadataRequestTopic()
		t.Topic = kmsg.StringPtr(name)
		rq.Topics = append(rq.Topics, t)
	}
	for _, id := range ids {
		t := kmsg.NewMetadataRequestTopic()
		t.TopicID = id
		rq.Topics = append(rq.Topics, t)
	}
	response, err := request[*kmsg.MetadataResponse](a, "describeTopics", rq)
	if err != nil {
		return nil, err
	}
	var topics []describedTopic
	for _, t := range response.Topics {
		if err := responseError(t.ErrorCode, nil); err != nil && !hasCode(err, kerr.LeaderNotAvailable) {
			return nil, err
		}
		d := describedTopic{id: t.TopicID}
		if t.Topic != nil {
			d.name = *t.Topic
		}
		for _, p := range t.Partitions {
			d.partitions = append(d.partitions, describedPartition{index: p.Partition, leader: p.Leader, leaderEpoch: p.LeaderEpoch,
				replicas: p.Replicas, isr: p.ISR})
		}
		topics = append(topics, d)
	}
	return sortTopics(topics), nil
}

func sortTopics(topics []describedTopic) []describedTopic {
	slices.SortFunc(topics, func(x, y describedTopic) int { return cmp.Compare(x.name, y.name) })
	for _, t := range topics {
		slices.SortFunc(t.partitions, func(x, y describedPartition) int { return cmp.Compare(x.index, y.index) })
	}
	return topics
}

// liveBrokers returns the ids of the brokers that are there.
func (a *admin) liveBrokers() ([]int32, error) {
	response, err := a.describeCluster(false)
	if err != nil {
		return nil, err
	}
	var ids []int32
	for _, b := range response.Brokers {
		ids = append(ids, b.NodeID)
	}
	slices.Sort(ids)
	return ids, nil
}

// deleteTopics deletes topics; the first that cannot be is the error.
func (a *admin) deleteTopics(names []string) error {
	rq := kmsg.NewPtrDeleteTopicsRequest()
	rq.TimeoutMillis = createTimeoutMs
	rq.TopicNames = names
	for _, name := range names {
		topic := kmsg.NewDeleteTopicsRequestTopic()
		topic.Topic = kmsg.StringPtr(name)
		rq.Topics = append(rq.Topics, topic)
	}
	response, err := request[*kmsg.DeleteTopicsResponse](a, "deleteTopics", rq)
	if err != nil {
		return err
	}
	for _, answer := range response.Topics {
		if err := responseError(answer.ErrorCode, answer.ErrorMessage); err != nil {
			return err
		}
	}
	return nil
}
