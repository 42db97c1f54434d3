package assignor

import (
	"cmp"
	"slices"
)

// Range gives each subscriber of a topic a range of its partitions: static members first, in the order of their instance ids,
// then the others in the order of their ids; the first ones get one more where it does not come out even
// (org.apache.kafka.coordinator.group.assignor.RangeAssignor). Where more partitions are in the rack of their member then, it deals
// them out by rack instead, as many to each, and alike for topics with equally many partitions (KIP-881).
func Range(group Spec, topics Topics) (Assignment, error) {
	ordered := Spec{Members: slices.Clone(group.Members), Racks: group.Racks}
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
	for _, topics := range b.partitionedAlike() {
		b.deal(topics)
	}
	return b.assignment(), nil
}

// partitionedAlike groups topics with equally many partitions and the same subscribers: they are shared alike. Without racks
// each would be anyway, so each is a group.
func (b *board) partitionedAlike() (groups [][]int) {
	for t := range b.topics {
		same := slices.IndexFunc(groups, func(group []int) bool {
			other := group[0]
			return b.racks != nil && len(b.owners[t]) == len(b.owners[other]) && slices.Equal(b.subscribers[t], b.subscribers[other])
		})
		if same < 0 {
			groups = append(groups, []int{t})
		} else {
			groups[same] = append(groups[same], t)
		}
	}
	return groups
}

// deal shares the partitions of topics that are partitioned alike.
func (b *board) deal(topics []int) {
	subscribers, n := b.subscribers[topics[0]], len(b.owners[topics[0]])
	room := make([]int, len(subscribers))
	for i := range room {
		if room[i] = n / len(subscribers); i < n%len(subscribers) {
			room[i]++
		}
	}
	near := make([][]int32, n)
	if b.racks != nil {
		for p := range near {
			near[p] = slices.Clone(b.racks.near[topics[0]][p])
			for _, t := range topics[1:] {
				near[p] = slices.DeleteFunc(near[p], func(rack int32) bool { return !slices.Contains(b.racks.near[t][p], rack) })
			}
		}
	}
	for p, member := range b.racks.seat(subscribers, room, near) {
		for _, t := range topics {
			b.claim(int(member), t, int32(p))
		}
	}
}
