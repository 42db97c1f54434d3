package assignor

import "container/heap"

// process is a process of an application, whose threads are members.
type process struct {
	number  int
	members []int
	count   int // tasks of its members
	tasks   map[task]bool
}

// load is how many tasks there are for each thread.
func (p *process) load() float64 { return float64(p.count) / float64(len(p.members)) }

// processHeap has the process with the least load first; among equals the first one.
type processHeap struct {
	processes []*process
	aside     []*process // taken out for a while
}

func newProcessHeap(all []*process) *processHeap {
	h := &processHeap{processes: append([]*process(nil), all...)}
	heap.Init(h)
	return h
}

func (h *processHeap) first() *process { return h.processes[0] }

// fix tells that the load of the first has changed.
func (h *processHeap) fix() { heap.Fix(h, 0) }

// firstWithout takes out processes that have the task, and the first that does not have it, which it returns; nil if all
// have it. restore puts them back.
func (h *processHeap) firstWithout(t task) *process {
	for len(h.processes) > 0 {
		p := heap.Pop(h).(*process)
		h.aside = append(h.aside, p)
		if !p.tasks[t] {
			return p
		}
	}
	return nil
}

// restore puts back what firstWithout took out.
func (h *processHeap) restore() {
	for _, p := range h.aside {
		heap.Push(h, p)
	}
	h.aside = h.aside[:0]
}

// Len implements heap.Interface.
func (h *processHeap) Len() int { return len(h.processes) }

// Less implements heap.Interface.
func (h *processHeap) Less(i, j int) bool {
	p, q := h.processes[i], h.processes[j]
	if a, b := p.load(), q.load(); a != b {
		return a < b
	}
	return p.number < q.number
}

// Swap implements heap.Interface.
func (h *processHeap) Swap(i, j int) { h.processes[i], h.processes[j] = h.processes[j], h.processes[i] }

// Push implements heap.Interface.
func (h *processHeap) Push(x any) { h.processes = append(h.processes, x.(*process)) }

// Pop implements heap.Interface.
func (h *processHeap) Pop() any {
	last := h.processes[len(h.processes)-1]
	h.processes = h.processes[:len(h.processes)-1]
	return last
}
