package assignor

import (
	"cmp"
	"slices"
)

// Range gives each subscriber of a topic a range of its partitions: static members first, in the order of their instance ids,
// then the others in the order of their ids; the first ones get one more where it does not come out even
// (org.apache.kafka.coordinator.group.assignor.RangeAssignor).
func Range(group Spec, topics Topics) (Assignment, error) {
	ordered := Spec{Members: slices.Clone(group.Members)}
	slices.SortStableFunc(ordered.Members, func(a, b Member) int {
		switch {
		case a.InstanceID != "" && b.InstanceID != "":
			return cmp.Compare(a.InstanceID, b.InstanceID)
		case a.InstanceID != "":
			return -1
		case b.InstanceID != "":
			return 1
		}
		return cmp.Compare(a.ID, b.ID)
	})
	b, err := newBoard(ordered, topics)
	if err != nil {
		return nil, err
	}
	for t, subscribers := range b.subscribers {
		n := len(b.owners[t])
		size, extra, next := n/len(subscribers), n%len(subscribers), int32(0)
		for i, member := range subscribers {
			end := next + int32(size)
			if i < extra {
				end++
			}
			for ; next < end; next++ {
				b.claim(int(member), t, next)
			}
		}
	}
	return b.assignment(), nil
}
