package assignor

import (
	"cmp"
	"errors"
	"slices"
)

// Tasks are tasks of a Kafka Streams application: by subtopology the partitions of its input topics that they process, each
// list in order.
type Tasks map[string][]int32

// Subtopology is a part of an application's topology that shares no topic with the others but those in between.
type Subtopology struct {
	ID string
	// Partitions is how many tasks there are: as many as its input topic with the most partitions has.
	Partitions int
	// Stateful is set if it has state, which standby tasks keep copies of.
	Stateful bool
}

// TaskMember is one member, which is a thread, of an application's group.
type TaskMember struct {
	ID      string
	Process string // that the thread belongs to: copies of state in one process are of no use
	// Active and Standby are the tasks that it was to have so far.
	Active, Standby Tasks
}

// TaskAssignment is what one member is to have.
type TaskAssignment struct{ Active, Standby, Warmup Tasks }

// ErrNoMembers is why the tasks of a group without members are not assigned.
var ErrNoMembers = errors.New("no member is there to assign tasks to")

// StickyTasks shares the tasks of an application as Kafka's only assignor for streams groups does
// (org.apache.kafka.coordinator.group.streams.assignor.StickyTaskAssignor): every task is active in one member, and members
// have as many as the others, or one more; each stateful task has as many standbys as asked for, as far as there are other
// processes to have them; and tasks stay where they, or copies of their state, are. Members come in the order of their ids,
// subtopologies in the order of theirs. There are no warm-up tasks in Kafka 4.3.
func StickyTasks(members []TaskMember, topology []Subtopology, standbys int) (map[string]TaskAssignment, error) {
	if len(members) == 0 {
		return nil, ErrNoMembers
	}
	b := newTaskBoard(members, topology, standbys)
	b.assignActive()
	if standbys > 0 {
		b.assignStandbys()
	}
	return b.assignment(), nil
}

// task is a task, with its subtopology by number.
type task struct {
	subtopology int
	partition   int32
}

// taskMember is a member while tasks are assigned.
type taskMember struct {
	process *process
	count   int // tasks that it is to have
	active  []task
	standby []task
}

// taskBoard is an assignment of tasks while it is made.
type taskBoard struct {
	specs    []TaskMember
	topology []Subtopology
	standbys int

	members     []taskMember
	processes   []*process
	active      quota // tasks that are active
	all         quota // tasks of both kinds
	prevActive  map[task]int
	prevStandby map[task][]int
}

// quota is how many tasks a member may have: what there is, divided by those who have not reached it.
type quota struct{ tasks, members, each int }

func (q *quota) divide() {
	q.each = 0
	if q.members > 0 {
		q.each = (q.tasks + q.members - 1) / q.members
	}
}

// reached tells that a member has count tasks now: if that is what each may have, the others share the rest.
func (q *quota) reached(count int) {
	if count == q.each {
		q.members--
		q.tasks -= count
		q.divide()
	}
}

func newTaskBoard(specs []TaskMember, topology []Subtopology, standbys int) *taskBoard {
	b := &taskBoard{
		specs: specs, topology: topology, standbys: standbys, members: make([]taskMember, len(specs)),
		prevActive: map[task]int{}, prevStandby: map[task][]int{},
	}
	number := make(map[string]int, len(topology))
	for i, s := range topology {
		number[s.ID] = i
		b.active.tasks += s.Partitions
		b.all.tasks += s.Partitions
		if s.Stateful {
			b.all.tasks += s.Partitions * standbys
		}
	}
	b.active.members, b.all.members = len(specs), len(specs)
	b.active.divide()
	b.all.divide()
	byID := map[string]*process{}
	for i := range specs {
		p := byID[specs[i].Process]
		if p == nil {
			p = &process{number: len(b.processes), tasks: map[task]bool{}}
			byID[specs[i].Process] = p
			b.processes = append(b.processes, p)
		}
		p.members = append(p.members, i)
		b.members[i].process = p
		eachTask(specs[i].Active, number, func(t task) { b.prevActive[t] = i })
		eachTask(specs[i].Standby, number, func(t task) { b.prevStandby[t] = append(b.prevStandby[t], i) })
	}
	return b
}

func eachTask(tasks Tasks, number map[string]int, f func(t task)) {
	for id, partitions := range tasks {
		if s, known := number[id]; known {
			for _, p := range partitions {
				f(task{s, p})
			}
		}
	}
}

// tasks lists all tasks, or those with state.
func (b *taskBoard) tasks(stateful bool) []task {
	var list []task
	for i, s := range b.topology {
		if stateful && !s.Stateful {
			continue
		}
		for p := range s.Partitions {
			list = append(list, task{i, int32(p)})
		}
	}
	return list
}

// byPartition orders tasks so that those of the same partition are together.
func byPartition(a, b task) int {
	return cmp.Or(cmp.Compare(a.partition, b.partition), cmp.Compare(a.subtopology, b.subtopology))
}

// bySubtopology orders tasks so that those of the same subtopology are together.
func bySubtopology(a, b task) int {
	return cmp.Or(cmp.Compare(a.subtopology, b.subtopology), cmp.Compare(a.partition, b.partition))
}

func reversed(order func(a, b task) int) func(a, b task) int {
	return func(a, b task) int { return order(b, a) }
}

// give has a member have a task.
func (b *taskBoard) give(member int, t task, active bool) {
	m := &b.members[member]
	m.count++
	if active {
		m.active = append(m.active, t)
		b.active.reached(m.count)
	} else {
		m.standby = append(m.standby, t)
	}
	m.process.count++
	m.process.tasks[t] = true
	b.all.reached(m.count)
}

// assignActive leaves active tasks where they were, then moves them to where standbys keep their state, and deals out the
// rest; nobody gets more than his share before that.
func (b *taskBoard) assignActive() {
	left := b.tasks(false)
	slices.SortFunc(left, byPartition)
	left = slices.DeleteFunc(left, func(t task) bool {
		m, was := b.prevActive[t]
		return was && b.giveActive(m, t)
	})
	left = slices.DeleteFunc(left, func(t task) bool {
		m := b.leastLoaded(b.prevStandby[t], nil)
		return m >= 0 && b.giveActive(m, t)
	})
	slices.SortFunc(left, bySubtopology)
	heap := newProcessHeap(b.processes)
	for _, t := range left {
		p := heap.first()
		b.give(b.leastLoadedOf(p), t, true)
		heap.fix()
	}
}

func (b *taskBoard) giveActive(member int, t task) bool {
	if b.members[member].count >= b.active.each {
		return false
	}
	b.give(member, t, true)
	return true
}

// leastLoaded is the one of some members whose process, and who himself, has less to do than those before, -1 if there is
// none. If t is set, members of a process that has it already do not count.
func (b *taskBoard) leastLoaded(members []int, t *task) int {
	best := -1
	for _, m := range members {
		p := b.members[m].process
		if t != nil && p.tasks[*t] {
			continue
		}
		if best < 0 || p.load() < b.members[best].process.load() && b.members[m].count < b.members[best].count {
			best = m
		}
	}
	return best
}

// leastLoadedOf is the member of a process with the fewest tasks.
func (b *taskBoard) leastLoadedOf(p *process) int {
	best := p.members[0]
	for _, m := range p.members[1:] {
		if b.members[m].count < b.members[best].count {
			best = m
		}
	}
	return best
}

// assignStandbys gives each stateful task its standbys: first where it was active, or was a standby, then to the process
// with the least load that has no copy.
func (b *taskBoard) assignStandbys() {
	type missing struct {
		task
		copies int
	}
	var left []missing
	stateful := b.tasks(true)
	slices.SortFunc(stateful, reversed(byPartition))
	for _, t := range stateful {
		for n := range b.standbys {
			if !b.keepStandby(t) {
				left = append(left, missing{t, b.standbys - n})
				break
			}
		}
	}
	slices.SortFunc(left, func(a, c missing) int { return reversed(bySubtopology)(a.task, c.task) })
	heap := newProcessHeap(b.processes)
	for _, m := range left {
		for range m.copies {
			p := heap.firstWithout(m.task)
			if p == nil {
				break // no further process: more copies would be of no use
			}
			b.give(b.leastLoadedOf(p), m.task, false)
			heap.restore()
		}
		heap.restore()
	}
}

// keepStandby makes a task a standby where it was before, if there is room, and reports whether it could.
func (b *taskBoard) keepStandby(t task) bool {
	if m, was := b.prevActive[t]; was && !b.members[m].process.tasks[t] && b.members[m].count < b.all.each {
		b.give(m, t, false)
		return true
	}
	m := b.leastLoaded(b.prevStandby[t], &t)
	if m < 0 || b.members[m].count >= b.all.each {
		return false
	}
	b.give(m, t, false)
	return true
}

// assignment is what the board says.
func (b *taskBoard) assignment() map[string]TaskAssignment {
	result := make(map[string]TaskAssignment, len(b.members))
	for i := range b.members {
		result[b.specs[i].ID] = TaskAssignment{Active: b.named(b.members[i].active), Standby: b.named(b.members[i].standby), Warmup: Tasks{}}
	}
	return result
}

func (b *taskBoard) named(list []task) Tasks {
	slices.SortFunc(list, bySubtopology)
	tasks := Tasks{}
	for _, t := range list {
		id := b.topology[t.subtopology].ID
		tasks[id] = append(tasks[id], t.partition)
	}
	return tasks
}
