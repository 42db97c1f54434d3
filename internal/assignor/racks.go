package assignor

import "slices"

// racks tells who can read a partition from a replica in the own rack (KIP-392, KIP-881): those whose client.rack is the
// broker.rack of one of its replicas. Only racks that members are in count; they are numbered.
type racks struct {
	of      []int32     // rack of each member, or nobody
	members [][]int32   // of each rack, in order
	near    [][][]int32 // by topic and partition: racks with a replica, in order
	without bool        // whether some members tell no rack
}

// newRacks returns nil if racks make no difference: no member tells one, or every partition is in all of theirs, or in none.
func newRacks(group Spec, b *board) *racks {
	if group.Racks == nil {
		return nil
	}
	r, number := &racks{}, map[string]int32{}
	for i := range group.Members {
		rack := group.Members[i].Rack
		if rack == "" {
			r.of, r.without = append(r.of, nobody), true
			continue
		}
		n, known := number[rack]
		if !known {
			n = int32(len(r.members))
			number[rack], r.members = n, append(r.members, nil)
		}
		r.of, r.members[n] = append(r.of, n), append(r.members[n], int32(i))
	}
	if len(r.members) == 0 {
		return nil
	}
	matters := false
	for t, owners := range b.owners {
		near := make([][]int32, len(owners))
		for p := range owners {
			for _, rack := range group.Racks(b.topics[t], int32(p)) {
				if n, known := number[rack]; known && !slices.Contains(near[p], n) {
					near[p] = append(near[p], n)
				}
			}
			slices.Sort(near[p])
			matters = matters || r.choosy(near[p])
		}
		r.near = append(r.near, near)
	}
	if !matters {
		return nil
	}
	return r
}

// choosy reports whether it matters who gets a partition that is in these racks.
func (r *racks) choosy(near []int32) bool {
	return len(near) > 0 && (r.without || len(near) < len(r.members))
}

// isNear reports whether a member is in one of the racks.
func (r *racks) isNear(member int32, near []int32) bool {
	return r.of[member] != nobody && slices.Contains(near, r.of[member])
}

// seat shares partitions among members, of whom each takes as many as there is room for: in the order of both, or, if that has
// more of them near, each partition to a member of its racks as long as there is room, those with the fewest racks first.
// near has the racks of each partition; a nil receiver knows of none. It returns the member of each partition, and uses up room.
func (r *racks) seat(members []int32, room []int, near [][]int32) []int32 {
	owners := slices.Repeat([]int32{nobody}, len(near))
	if r == nil {
		return inOrder(members, room, owners)
	}
	matched, left := slices.Clone(owners), slices.Clone(room)
	r.match(members, left, near, matched)
	matched = inOrder(members, left, matched)
	if owners = inOrder(members, room, owners); r.count(matched, near) > r.count(owners, near) {
		return matched
	}
	return owners
}

// inOrder gives partitions that nobody has to the first member with room.
func inOrder(members []int32, room []int, owners []int32) []int32 {
	next := 0
	for p := range owners {
		if owners[p] != nobody {
			continue
		}
		for room[next] == 0 {
			next++
		}
		room[next]--
		owners[p] = members[next]
	}
	return owners
}

// match gives partitions to members of their racks: of several racks to the one with the most room, there to the first member
// that has some.
func (r *racks) match(members []int32, room []int, near [][]int32, owners []int32) {
	seats, roomOf := make([][]int, len(r.members)), make([]int, len(r.members)) // of each rack: places in members
	for i, member := range members {
		if rack := r.of[member]; rack != nobody && room[i] > 0 {
			seats[rack] = append(seats[rack], i)
			roomOf[rack] += room[i]
		}
	}
	var order []int
	for p := range near {
		if r.choosy(near[p]) {
			order = append(order, p)
		}
	}
	slices.SortStableFunc(order, func(x, y int) int { return len(near[x]) - len(near[y]) })
	for _, p := range order {
		best := near[p][0]
		for _, rack := range near[p][1:] {
			if roomOf[rack] > roomOf[best] {
				best = rack
			}
		}
		if roomOf[best] == 0 {
			continue
		}
		i := seats[best][0]
		owners[p] = members[i]
		roomOf[best]--
		if room[i]--; room[i] == 0 {
			seats[best] = seats[best][1:]
		}
	}
}

// count is how many partitions are near their owner.
func (r *racks) count(owners []int32, near [][]int32) (n int) {
	for p, owner := range owners {
		if owner != nobody && r.isNear(owner, near[p]) {
			n++
		}
	}
	return n
}
