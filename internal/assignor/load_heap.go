package assignor

import "container/heap"

// loadHeap has the member with the least load first, or with the most if sign is negative; among equals the first one.
type loadHeap struct {
	load    []int
	members []int32
	slot    map[int32]int
	sign    int
}

func newLoadHeap(load []int, members []int32, sign int) *loadHeap {
	h := &loadHeap{load: load, members: append([]int32(nil), members...), slot: make(map[int32]int, len(members)), sign: sign}
	for i, m := range h.members {
		h.slot[m] = i
	}
	heap.Init(h)
	return h
}

func (h *loadHeap) first() int32 { return h.members[0] }

// fix tells that the load of the first has changed.
func (h *loadHeap) fix() { heap.Fix(h, 0) }

// moved tells that the load of a member has changed, if it is here.
func (h *loadHeap) moved(member int32) {
	if i, ok := h.slot[member]; ok {
		heap.Fix(h, i)
	}
}

// drop takes the first out.
func (h *loadHeap) drop() { heap.Pop(h) }

// Len implements heap.Interface.
func (h *loadHeap) Len() int { return len(h.members) }

// Less implements heap.Interface.
func (h *loadHeap) Less(i, j int) bool {
	x, y := h.sign*h.load[h.members[i]], h.sign*h.load[h.members[j]]
	if x != y {
		return x < y
	}
	return h.members[i] < h.members[j]
}

// Swap implements heap.Interface.
func (h *loadHeap) Swap(i, j int) {
	h.members[i], h.members[j] = h.members[j], h.members[i]
	h.slot[h.members[i]], h.slot[h.members[j]] = i, j
}

// Push implements heap.Interface.
func (h *loadHeap) Push(x any) {
	h.slot[x.(int32)] = len(h.members)
	h.members = append(h.members, x.(int32))
}

// Pop implements heap.Interface.
func (h *loadHeap) Pop() any {
	last := h.members[len(h.members)-1]
	h.members = h.members[:len(h.members)-1]
	delete(h.slot, last)
	return last
}
