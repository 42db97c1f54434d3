package assignor

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/ottla/ottla/internal/kafka"
)

// Partitions are partitions of topics by topic id, each list in order.
type Partitions map[kafka.UUID][]int32

// Member is one member of a group.
type Member struct {
	ID         string
	InstanceID string       // group.instance.id, "" of a dynamic member
	Rack       string       // client.rack, "" if the member tells none
	Topics     []kafka.UUID // that it subscribes to and that exist, in order, each once
	Target     Partitions   // what it was to have so far
}

// Spec is a group: its members in the order of their ids.
type Spec struct {
	Members []Member
	// Racks returns the racks of the brokers that have a partition; nil if they are not known, or of no interest.
	Racks func(topic kafka.UUID, partition int32) []string
}

// Topics returns how many partitions a topic has, -1 if there is no such topic.
type Topics func(id kafka.UUID) int

// Assignment is what each member, by id, is to have.
type Assignment map[string]Partitions

// Assignor makes an assignment. It fails if a member subscribes to a topic that does not exist.
type Assignor func(group Spec, topics Topics) (Assignment, error)

// Named returns an assignor by the name that group.consumer.assignors gives it, nil if there is none of that name.
func Named(name string) Assignor {
	switch name {
	case "range":
		return Range
	case "uniform":
		return Uniform
	}
	return nil
}

// Compare orders topic ids.
func Compare(a, b kafka.UUID) int { return bytes.Compare(a[:], b[:]) }

// board is an assignment while it is made. Topics and members are numbered.
type board struct {
	members     []Member
	topics      []kafka.UUID
	number      map[kafka.UUID]int // of a topic
	owners      [][]int32          // by topic and partition: a member, or nobody
	subscribers [][]int32          // members by topic, in order
	load        []int              // partitions of a member
	racks       *racks             // nil if they make no difference
}

const nobody = -1

func newBoard(group Spec, topics Topics) (*board, error) {
	b := &board{members: group.Members, number: map[kafka.UUID]int{}, load: make([]int, len(group.Members))}
	for i := range group.Members {
		for _, id := range group.Members[i].Topics {
			if _, known := b.number[id]; !known {
				b.number[id] = 0
				b.topics = append(b.topics, id)
			}
		}
	}
	slices.SortFunc(b.topics, Compare)
	for t, id := range b.topics {
		n := topics(id)
		if n < 0 {
			return nil, fmt.Errorf("members are subscribed to topic %s, which does not exist", id)
		}
		b.number[id] = t
		b.owners = append(b.owners, slices.Repeat([]int32{nobody}, n))
	}
	b.subscribers = make([][]int32, len(b.topics))
	for i := range group.Members {
		for _, id := range group.Members[i].Topics {
			t := b.number[id]
			b.subscribers[t] = append(b.subscribers[t], int32(i))
		}
	}
	b.racks = newRacks(group, b)
	return b, nil
}

// claim gives a member a partition that nobody has, and reports whether it could.
func (b *board) claim(member, topic int, partition int32) bool {
	owners := b.owners[topic]
	if partition < 0 || int(partition) >= len(owners) || owners[partition] != nobody {
		return false
	}
	owners[partition] = int32(member)
	b.load[member]++
	return true
}

// keep lets a member have up to quota partitions that it had before and still subscribes to, those in its rack first.
func (b *board) keep(member, quota int) {
	if b.racks != nil && b.racks.of[member] != nobody {
		b.keepThose(member, quota, func(t int, p int32) bool {
			return int(p) < len(b.owners[t]) && p >= 0 && b.racks.isNear(int32(member), b.racks.near[t][p])
		})
	}
	b.keepThose(member, quota, func(int, int32) bool { return true })
}

func (b *board) keepThose(member, quota int, those func(topic int, partition int32) bool) {
	m := &b.members[member]
	for _, id := range m.Topics {
		t := b.number[id]
		for _, partition := range m.Target[id] {
			if b.load[member] >= quota {
				return
			}
			if those(t, partition) {
				b.claim(member, t, partition)
			}
		}
	}
}

// assignment is what the board says.
func (b *board) assignment() Assignment {
	given := make([]Partitions, len(b.members))
	for i := range given {
		given[i] = Partitions{}
	}
	for t, owners := range b.owners {
		id := b.topics[t]
		for partition, owner := range owners {
			if owner != nobody {
				given[owner][id] = append(given[owner][id], int32(partition))
			}
		}
	}
	result := make(Assignment, len(given))
	for i := range given {
		result[b.members[i].ID] = given[i]
	}
	return result
}
