package group

import (
	"container/heap"
	"time"
)

// alarm is something to do at a time: a session that runs out, a rebalance that must end. The zero alarm is off.
type alarm struct {
	ring func(out *outcome, now time.Time)
	due  time.Time
	at   time.Time // its place in the heap, not after due
	slot int       // index in the heap plus 1; 0 while it is off
	seq  uint64    // alarms of the same time ring in the order in which they were turned on
}

// alarms are the alarms of a coordinator. Moving an alarm to a later time, which every heartbeat does, costs nothing:
// its place in the heap is corrected when the earlier time comes.
type alarms struct {
	heap alarmHeap
	last uint64 // seq
}

// set has the alarm ring at the given time, instead of when it was set to before.
func (a *alarms) set(al *alarm, at time.Time) {
	al.due = at
	switch {
	case al.slot == 0:
		a.last++
		al.at, al.seq = at, a.last
		heap.Push(&a.heap, al)
	case at.Before(al.at):
		al.at = at
		heap.Fix(&a.heap, al.slot-1)
	}
}

// cancel turns the alarm off.
func (a *alarms) cancel(al *alarm) {
	if al.slot > 0 {
		heap.Remove(&a.heap, al.slot-1)
	}
}

// next is when to look again; ok is false without alarms.
func (a *alarms) next() (at time.Time, ok bool) {
	if len(a.heap) == 0 {
		return time.Time{}, false
	}
	return a.heap[0].at, true
}

// due takes out an alarm whose time has come, nil if there is none.
func (a *alarms) due(now time.Time) *alarm {
	for len(a.heap) > 0 && !now.Before(a.heap[0].at) {
		al := a.heap[0]
		if !now.Before(al.due) {
			heap.Pop(&a.heap)
			return al
		}
		al.at = al.due
		heap.Fix(&a.heap, 0)
	}
	return nil
}

// alarmHeap implements heap.Interface.
type alarmHeap []*alarm

func (h alarmHeap) Len() int { return len(h) }

func (h alarmHeap) Less(i, j int) bool {
	if order := h[i].at.Compare(h[j].at); order != 0 {
		return order < 0
	}
	return h[i].seq < h[j].seq
}

func (h alarmHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].slot, h[j].slot = i+1, j+1
}

func (h *alarmHeap) Push(x any) {
	al := x.(*alarm)
	*h = append(*h, al)
	al.slot = len(*h)
}

func (h *alarmHeap) Pop() any {
	old := *h
	al := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	al.slot = 0
	return al
}
