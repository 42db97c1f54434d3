package group

import (
	"bytes"
	"maps"
	"slices"

	"github.com/ottla/ottla/internal/kafka"
)

// partitions are partitions of topics by topic id, each list in order. They are never written to once they are shared.
type partitions map[kafka.UUID][]int32

func (p partitions) equal(other partitions) bool {
	return maps.EqualFunc(p, other, func(a, b []int32) bool { return slices.Equal(a, b) })
}

// held are partitions of topics by topic id, each with the member epoch in which it was assigned. They are never written to
// once they are shared.
type held map[kafka.UUID]map[int32]int32

func (h held) equal(other held) bool {
	return maps.EqualFunc(h, other, func(a, b map[int32]int32) bool { return maps.Equal(a, b) })
}

// with adds a partition. h is not shared yet.
func (h held) with(topic kafka.UUID, partition, epoch int32) {
	if h[topic] == nil {
		h[topic] = map[int32]int32{}
	}
	h[topic][partition] = epoch
}

// partitions are the same without epochs.
func (h held) partitions() partitions {
	p := make(partitions, len(h))
	for topic, epochs := range h {
		p[topic] = slices.Sorted(maps.Keys(epochs))
	}
	return p
}

// at are the same partitions, all of one epoch.
func (p partitions) at(epoch int32) held {
	h := make(held, len(p))
	for topic, list := range p {
		for _, id := range list {
			h.with(topic, id, epoch)
		}
	}
	return h
}

// topicsInOrder lists topic ids in order: what depends on the order of a map would differ from run to run.
func topicsInOrder[V any](m map[kafka.UUID]V) []kafka.UUID {
	return slices.SortedFunc(maps.Keys(m), func(a, b kafka.UUID) int { return bytes.Compare(a[:], b[:]) })
}

// sortedIDs puts partitions in order, each once.
func sortedIDs(ids []int32) []int32 {
	slices.Sort(ids)
	return slices.Compact(ids)
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
