package assignor

import (
	"math"
	"slices"

	"github.com/ottla/ottla/internal/kafka"
)

// Uniform gives every member as many partitions as the others, or one more, as far as their subscriptions allow, and moves as
// few as it can (org.apache.kafka.coordinator.group.assignor.UniformAssignor).
func Uniform(group Spec, topics Topics) (Assignment, error) {
	b, err := newBoard(group, topics)
	if err != nil {
		return nil, err
	}
	if alike(group.Members) {
		b.shareAlike()
	} else {
		b.shareMixed()
	}
	return b.assignment(), nil
}

// alike reports whether all members subscribe to the same topics.
func alike(members []Member) bool {
	return !slices.ContainsFunc(members, func(m Member) bool { return !slices.Equal(m.Topics, members[0].Topics) })
}

// shareAlike shares among members with the same subscription. Each has a quota; those who had more give up what is above it,
// and who had less gets what is free. Members that hold one more than the least are those that held more before, if there are
// such.
func (b *board) shareAlike() {
	total := 0
	for _, owners := range b.owners {
		total += len(owners)
	}
	if total == 0 {
		return
	}
	least, extra := total/len(b.members), total%len(b.members)
	quota := make([]int, len(b.members))
	for i := range b.members {
		quota[i] = least
		if extra > 0 {
			quota[i]++
		}
		b.keep(i, quota[i])
		switch {
		case quota[i] == least:
		case b.load[i] < quota[i] && len(b.members)-i > extra:
			quota[i]-- // somebody who has more may claim it; the last ones must take it
		default:
			extra--
		}
	}
	b.shareFree(quota)
}

// shareFree gives what nobody has to members below their quota.
func (b *board) shareFree(quota []int) {
	var free []place
	var near [][]int32
	for t, owners := range b.owners {
		for p, owner := range owners {
			if owner != nobody {
				continue
			}
			free = append(free, place{t, int32(p)})
			if b.racks != nil {
				near = append(near, b.racks.near[t][p])
			}
		}
	}
	if b.racks == nil {
		near = make([][]int32, len(free))
	}
	members := make([]int32, len(quota))
	for i := range quota {
		members[i] = int32(i)
		quota[i] -= b.load[i]
	}
	for i, member := range b.racks.seat(members, quota, near) {
		b.claim(int(member), free[i].topic, free[i].partition)
	}
}

// place is a partition of a numbered topic.
type place struct {
	topic     int
	partition int32
}

// maxRounds bounds how often the topics of a group with mixed subscriptions are gone through to balance them. Each round about
// halves what is left to do.
const maxRounds = 16

// shareMixed shares among members that subscribe to different topics: all keep what they had, free partitions go to the
// subscriber with the least, the topics with the most partitions for each of their subscribers first; then partitions move from
// those with more to those with less until nothing gets better.
func (b *board) shareMixed() {
	for i := range b.members {
		b.keep(i, math.MaxInt)
	}
	order := b.topicOrder()
	for _, t := range order {
		b.shareTopic(t)
	}
	last := nobody // the topic that was balanced last
	for range maxRounds {
		for _, t := range order {
			if t == last {
				return // all have been gone through since, and nothing moved
			}
			if b.balance(t) || last == nobody {
				last = t
			}
		}
	}
}

// shareTopic gives what nobody has of a topic to the subscribers with the least, of those to one in a rack of the partition.
func (b *board) shareTopic(t int) {
	least := newLoadHeap(b.load, b.subscribers[t], 1)
	var inRack []*loadHeap
	if b.racks != nil {
		for _, members := range b.racks.members {
			inRack = append(inRack, newLoadHeap(b.load, slices.DeleteFunc(slices.Clone(members), func(m int32) bool {
				_, subscribed := least.slot[m]
				return !subscribed
			}), 1))
		}
	}
	for partition, owner := range b.owners[t] {
		if owner != nobody {
			continue
		}
		to := least.first()
		if b.racks != nil {
			for _, rack := range b.racks.near[t][partition] {
				if near := inRack[rack]; near.Len() > 0 && b.load[near.first()] == b.load[to] {
					to = near.first()
					break
				}
			}
		}
		b.claim(int(to), t, int32(partition))
		least.moved(to)
		for _, near := range inRack {
			near.moved(to)
		}
	}
}

// topicOrder orders topics by partitions for each subscriber, the most first, then by subscribers, the fewest first.
func (b *board) topicOrder() []int {
	order := make([]int, len(b.topics))
	for t := range order {
		order[t] = t
	}
	slices.SortStableFunc(order, func(x, y int) int {
		// a/b > c/d as a*d > c*b
		left, right := len(b.owners[y])*len(b.subscribers[x]), len(b.owners[x])*len(b.subscribers[y])
		if left != right {
			return left - right
		}
		return len(b.subscribers[x]) - len(b.subscribers[y])
	})
	return order
}

// balance moves partitions of a topic from subscribers with more partitions to those with less, as long as they differ by more
// than one. It reports whether any moved.
func (b *board) balance(t int) bool {
	owned := map[int32][]int32{}
	for partition, owner := range b.owners[t] {
		if owner != nobody {
			owned[owner] = append(owned[owner], int32(partition))
		}
	}
	var givers []int32
	for _, member := range b.subscribers[t] {
		if len(owned[member]) > 0 {
			givers = append(givers, member)
		}
	}
	moved := false
	most, least := newLoadHeap(b.load, givers, -1), newLoadHeap(b.load, b.subscribers[t], 1)
	for len(most.members) > 0 {
		from, to := most.first(), least.first()
		if b.load[from]-b.load[to] <= 1 {
			break
		}
		mine := owned[from]
		partition := mine[len(mine)-1]
		owned[from] = mine[:len(mine)-1]
		b.owners[t][partition] = to
		moved = true
		b.load[from]--
		least.moved(from)
		if len(owned[from]) == 0 {
			most.drop()
		} else {
			most.fix()
		}
		b.load[to]++
		least.fix() // it is still the first: from has more than it had
		most.moved(to)
	}
	return moved
}

// TopicsOf puts topic ids in order, each once, as a Member has them.
func TopicsOf(ids []kafka.UUID) []kafka.UUID {
	slices.SortFunc(ids, Compare)
	return slices.Compact(ids)
}
