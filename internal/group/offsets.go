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
	record      int64 // offset of its record in the log
}

// partitions lists the partitions with a committed offset, in order.
func (g *group) partitions() []kafka.TopicPartition {
	return slices.SortedFunc(maps.Keys(g.offsets), comparePartitions)
}

// known lists the partitions with a committed or pending offset, in order.
func (g *group) known() []kafka.TopicPartition {
	found := g.partitions()
	for tp := range g.pending {
		if _, ok := g.offsets[tp]; !ok {
			found = append(found, tp)
		}
	}
	slices.SortFunc(found, comparePartitions)
	return found
}

// has reports whether the group has a committed or pending offset of a partition.
func (g *group) has(tp kafka.TopicPartition) bool {
	_, ok := g.offsets[tp]
	return ok || len(g.pending[tp]) > 0
}

func comparePartitions(a, b kafka.TopicPartition) int {
	return cmp.Or(cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Partition, b.Partition))
}

// knownOf lists the partitions of some topics with a committed or pending offset, in order.
func (g *group) knownOf(topics map[string]bool) []kafka.TopicPartition {
	return slices.DeleteFunc(g.known(), func(tp kafka.TopicPartition) bool { return !topics[tp.Topic] })
}
