package group

import (
	"cmp"
	"maps"
	"slices"

	"github.com/ottla/ottla/internal/kafka"
)

// committed is a committed offset.
type committed struct {
	offset      int64
	leaderEpoch int32 // -1: not told
	metadata    string
	at          int64 // when it was committed, in milliseconds
	expires     int64 // its own expiry time in milliseconds, which clients before version 5 could set; -1 without
	topicID     kafka.UUID
}

// partitions lists the partitions with a committed offset, in order.
func (g *group) partitions() []kafka.TopicPartition {
	return slices.SortedFunc(maps.Keys(g.offsets), comparePartitions)
}

func comparePartitions(a, b kafka.TopicPartition) int {
	return cmp.Or(cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Partition, b.Partition))
}

// partitionsOf lists the partitions of some topics with a committed offset, in order.
func (g *group) partitionsOf(topics map[string]bool) []kafka.TopicPartition {
	var found []kafka.TopicPartition
	for tp := range g.offsets {
		if topics[tp.Topic] {
			found = append(found, tp)
		}
	}
	slices.SortFunc(found, comparePartitions)
	return found
}
