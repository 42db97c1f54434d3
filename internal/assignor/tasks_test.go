package assignor

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
)

// randomApplication makes members of some processes and a topology.
func randomApplication(r *rand.Rand) ([]TaskMember, []Subtopology) {
	members := make([]TaskMember, 1+r.IntN(8))
	for i := range members {
		members[i] = TaskMember{ID: fmt.Sprintf("m%02d", i), Process: fmt.Sprintf("p%d", r.IntN(5))}
	}
	topology := make([]Subtopology, 1+r.IntN(4))
	for i := range topology {
		topology[i] = Subtopology{ID: fmt.Sprint(i), Partitions: 1 + r.IntN(9), Stateful: r.IntN(2) == 0}
	}
	return members, topology
}

// remembered are the members with what they were assigned.
func remembered(members []TaskMember, given map[string]TaskAssignment) []TaskMember {
	next := slices.Clone(members)
	for i := range next {
		next[i].Active, next[i].Standby = given[next[i].ID].Active, given[next[i].ID].Standby
	}
	return next
}

// checkTasks fails the test unless every task is active once, shares are even, and copies are in different processes, as
// many as there can be.
func checkTasks(t *testing.T, members []TaskMember, topology []Subtopology, standbys int, given map[string]TaskAssignment) {
	t.Helper()
	active, copies, processes := map[task]int{}, map[task]map[string]int{}, map[string]bool{}
	fewest, most := 1<<30, 0
	for _, m := range members {
		processes[m.Process] = true
		n := 0
		for kind, tasks := range []Tasks{given[m.ID].Active, given[m.ID].Standby} {
			for id, partitions := range tasks {
				s := slices.IndexFunc(topology, func(s Subtopology) bool { return s.ID == id })
				for _, p := range partitions {
					key := task{s, p}
					if kind == 0 {
						active[key]++
						n++
					}
					if copies[key] == nil {
						copies[key] = map[string]int{}
					}
					if copies[key][m.Process]++; copies[key][m.Process] > 1 {
						t.Fatalf("process %s has task %v twice", m.Process, key)
					}
				}
			}
		}
		fewest, most = min(fewest, n), max(most, n)
	}
	if most > fewest+1 && len(processes) == len(members) {
		t.Fatalf("one member has %d active tasks, another %d", fewest, most)
	}
	for s, sub := range topology {
		want := 1
		if sub.Stateful {
			want = min(1+standbys, len(processes))
		}
		for p := range sub.Partitions {
			key := task{s, int32(p)}
			if active[key] != 1 || len(copies[key]) != want {
				t.Fatalf("task %v is active %d times, with %d copies of %d", key, active[key], len(copies[key]), want)
			}
		}
	}
}

func TestEveryTaskIsActiveOnceAndCopiedElsewhere(t *testing.T) {
	for seed := range uint64(400) {
		r := rand.New(rand.NewPCG(seed, 1))
		members, topology := randomApplication(r)
		standbys := r.IntN(3)
		for range 4 {
			given, err := StickyTasks(members, topology, standbys)
			if err != nil {
				t.Fatal(err)
			}
			checkTasks(t, members, topology, standbys, given)
			again, _ := StickyTasks(remembered(members, given), topology, standbys)
			if standbys == 0 && !reflect.DeepEqual(again, given) {
				t.Fatalf("seed %d: tasks moved although nothing changed: %v, then %v", seed, given, again)
			}
			members = remembered(members, given)
			if i := r.IntN(len(members)); r.IntN(2) == 0 && len(members) > 1 {
				members = slices.Delete(members, i, i+1)
			} else {
				members = append(members, TaskMember{ID: fmt.Sprintf("n%d", r.IntN(1e9)), Process: fmt.Sprintf("p%d", r.IntN(5))})
			}
			slices.SortFunc(members, func(a, b TaskMember) int { return cmpText(a.ID, b.ID) })
		}
	}
}

func cmpText(a, b string) int {
	if a < b {
		return -1
	}
	return 1
}

// Who joins takes only his share: every other task stays where it is.
func TestANewcomerTakesOnlyItsShareOfTasks(t *testing.T) {
	topology := []Subtopology{{ID: "0", Partitions: 12}}
	members := []TaskMember{{ID: "a", Process: "p"}, {ID: "b", Process: "q"}}
	before, _ := StickyTasks(members, topology, 0)
	members = append(remembered(members, before), TaskMember{ID: "c", Process: "r"})
	after, _ := StickyTasks(members, topology, 0)
	for _, id := range []string{"a", "b"} {
		for _, p := range after[id].Active["0"] {
			if !slices.Contains(before[id].Active["0"], p) {
				t.Errorf("%s got task %d, which it did not have", id, p)
			}
		}
	}
	if len(after["c"].Active["0"]) != 4 {
		t.Errorf("the newcomer has %v", after["c"].Active)
	}
}

// A task whose process is gone goes to where a standby keeps its state.
func TestTasksMoveToTheirStandbys(t *testing.T) {
	topology := []Subtopology{{ID: "0", Partitions: 6, Stateful: true}}
	members := []TaskMember{{ID: "a", Process: "p"}, {ID: "b", Process: "q"}, {ID: "c", Process: "r"}}
	before, _ := StickyTasks(members, topology, 1)
	after, _ := StickyTasks(remembered(members, before)[1:], topology, 1)
	for _, lost := range before["a"].Active["0"] {
		for _, id := range []string{"b", "c"} {
			if slices.Contains(before[id].Standby["0"], lost) && !slices.Contains(after[id].Active["0"], lost) && len(after[id].Active["0"]) < 3 {
				t.Errorf("task %d had a standby in %s, and is not active there", lost, id)
			}
		}
	}
}

func BenchmarkStickyTasks(b *testing.B) {
	members := make([]TaskMember, 1000)
	for i := range members {
		members[i] = TaskMember{ID: fmt.Sprintf("m%04d", i), Process: fmt.Sprintf("p%03d", i/4)}
	}
	topology := []Subtopology{{ID: "0", Partitions: 5000, Stateful: true}, {ID: "1", Partitions: 5000}}
	given, _ := StickyTasks(members, topology, 1)
	members = remembered(members, given)[1:]
	for b.Loop() {
		if _, err := StickyTasks(members, topology, 1); err != nil {
			b.Fatal(err)
		}
	}
}
