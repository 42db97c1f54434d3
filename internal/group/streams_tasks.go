package group

import (
	"maps"
	"slices"

	"github.com/ottla/ottla/internal/assignor"
)

// tasks are tasks by subtopology, each list in order. They are never written to once they are shared.
type tasks = assignor.Tasks

// taskSet is what a member of a streams group is to have, or says that it has.
type taskSet = assignor.TaskAssignment

// activeTasks are active tasks by subtopology and partition, each with the member epoch in which it was assigned. They are
// never written to once they are shared.
type activeTasks map[string]map[int32]int32

// heldTasks are the tasks that a member has.
type heldTasks struct {
	active          activeTasks
	standby, warmup tasks
}

// taskID is one task.
type taskID struct {
	subtopology string
	partition   int32
}

func equalTasks(a, b tasks) bool {
	return maps.EqualFunc(a, b, func(p, q []int32) bool { return slices.Equal(p, q) })
}

func equalTaskSets(a, b taskSet) bool {
	return equalTasks(a.Active, b.Active) && equalTasks(a.Standby, b.Standby) && equalTasks(a.Warmup, b.Warmup)
}

func (h heldTasks) equal(other heldTasks) bool {
	return maps.EqualFunc(h.active, other.active, func(a, b map[int32]int32) bool { return maps.Equal(a, b) }) &&
		equalTasks(h.standby, other.standby) && equalTasks(h.warmup, other.warmup)
}

func (h heldTasks) empty() bool { return len(h.active)+len(h.standby)+len(h.warmup) == 0 }

// with adds a task. a is not shared yet.
func (a activeTasks) with(t taskID, epoch int32) {
	if a[t.subtopology] == nil {
		a[t.subtopology] = map[int32]int32{}
	}
	a[t.subtopology][t.partition] = epoch
}

// tasks are the same without epochs.
func (a activeTasks) tasks() tasks {
	all := make(tasks, len(a))
	for id, epochs := range a {
		all[id] = slices.Sorted(maps.Keys(epochs))
	}
	return all
}

// contains reports whether all of the tasks are among a.
func contains(a, all tasks) bool {
	for id, partitions := range all {
		for _, p := range partitions {
			if !has(a, id, p) {
				return false
			}
		}
	}
	return true
}

// share reports whether some task is in both.
func share(a, b tasks) bool {
	for id, partitions := range b {
		for _, p := range partitions {
			if has(a, id, p) {
				return true
			}
		}
	}
	return false
}

func has(a tasks, subtopology string, partition int32) bool {
	_, found := slices.BinarySearch(a[subtopology], partition)
	return found
}

// shareAny reports whether a member that says it owns some tasks still has some of h.
func (h heldTasks) shareAny(owned taskSet) bool {
	return share(owned.Active, h.active.tasks()) || share(owned.Standby, h.standby) || share(owned.Warmup, h.warmup)
}

// eachTask calls f with all tasks, in order.
func eachTask(all tasks, f func(t taskID)) {
	for _, id := range sortedKeys(all) {
		for _, p := range all[id] {
			f(taskID{id, p})
		}
	}
}
