package tools

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
)

// Special timestamps of ListOffsets.
const (
	latestTimestamp   = -1
	earliestTimestamp = -2
)

// A partitionOffset is the answer for one partition.
type partitionOffset struct {
	offset int64 // -1: there is none
	epoch  int32
	err    error
}

// listOffsets asks the leaders for an offset of each partition. One without a leader is waited for, and costs the others nothing but
// time: its answer is that it timed out.
func (a *admin) listOffsets(partitions []kafka.TopicPartition, timestamp int64) (map[kafka.TopicPartition]partitionOffset, error) {
	answers := make(map[kafka.TopicPartition]partitionOffset)
	led, leaderless, err := a.splitByLeader(partitions)
	if err != nil {
		return nil, err
	}
	if err := a.listOffsetsOf(led, timestamp, answers); err != nil {
		return nil, err
	}
	if err := a.listOffsetsOf(leaderless, timestamp, answers); err != nil {
		for _, tp := range leaderless {
			answers[tp] = partitionOffset{err: err}
		}
	}
	return answers, nil
}

// splitByLeader separates the partitions that have no leader, for which a request waits in vain, from all others.
func (a *admin) splitByLeader(partitions []kafka.TopicPartition) (led, leaderless []kafka.TopicPartition, err error) {
	if len(partitions) == 0 {
		return nil, nil, nil
	}
	rq := kmsg.NewPtrMetadataRequest()
	for topic := range byTopic(partitions) {
		t := kmsg.NewMetadataRequestTopic()
		t.Topic = &topic
		rq.Topics = append(rq.Topics, t)
	}
	response, err := request[*kmsg.MetadataResponse](a, "describeTopics", rq)
	if err != nil {
		return nil, nil, err
	}
	without := make(map[kafka.TopicPartition]bool)
	for _, t := range response.Topics {
		for _, p := range t.Partitions {
			if t.Topic != nil && p.Leader < 0 {
				without[kafka.TopicPartition{Topic: *t.Topic, Partition: p.Partition}] = true
			}
		}
	}
	for _, tp := range partitions {
		if without[tp] {
			leaderless = append(leaderless, tp)
		} else {
			led = append(led, tp)
		}
	}
	return led, leaderless, nil
}

// listOffsetsOf adds the answers for partitions.
func (a *admin) listOffsetsOf(partitions []kafka.TopicPartition, timestamp int64, answers map[kafka.TopicPartition]partitionOffset) error {
	if len(partitions) == 0 {
		return nil
	}
	rq := kmsg.NewPtrListOffsetsRequest()
	rq.ReplicaID = -1
	rq.TimeoutMillis = int32(min(a.timeout.Milliseconds(), createTimeoutMs))
	for topic, ids := range byTopic(partitions) {
		t := kmsg.NewListOffsetsRequestTopic()
		t.Topic = topic
		for _, id := range ids {
			p := kmsg.NewListOffsetsRequestTopicPartition()
			p.Partition, p.Timestamp, p.CurrentLeaderEpoch = id, timestamp, -1
			t.Partitions = append(t.Partitions, p)
		}
		rq.Topics = append(rq.Topics, t)
	}
	response, err := request[*kmsg.ListOffsetsResponse](a, "listOffsets(api=METADATA)", rq)
	if err != nil {
		return err
	}
	for _, t := range response.Topics {
		for _, p := range t.Partitions {
			answers[kafka.TopicPartition{Topic: t.Topic, Partition: p.Partition}] = partitionOffset{p.Offset, p.LeaderEpoch, responseError(p.ErrorCode, nil)}
		}
	}
	return nil
}

// byTopic groups partitions.
func byTopic(partitions []kafka.TopicPartition) map[string][]int32 {
	topics := make(map[string][]int32)
	for _, tp := range partitions {
		topics[tp.Topic] = append(topics[tp.Topic], tp.Partition)
	}
	return topics
}

// sortPartitions sorts by topic, then by number.
func sortPartitions(partitions []kafka.TopicPartition) []kafka.TopicPartition {
	slices.SortFunc(partitions, func(a, b kafka.TopicPartition) int {
		return cmp.Or(cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Partition, b.Partition))
	})
	return partitions
}

// partitionsOf lists the partitions of topics.
func partitionsOf(topics []describedTopic) []kafka.TopicPartition {
	var partitions []kafka.TopicPartition
	for _, t := range topics {
		for _, p := range t.partitions {
			partitions = append(partitions, kafka.TopicPartition{Topic: t.name, Partition: p.index})
		}
	}
	return partitions
}

func parseInt32(text string) (int32, error) {
	n, err := strconv.ParseInt(text, 10, 32)
	return int32(n), err
}
