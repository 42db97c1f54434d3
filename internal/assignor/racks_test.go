package assignor

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/ottla/ottla/internal/kafka"
)

// inRacks puts members into racks, "-" for none, and tells the racks of partitions: one letter each, by topic and partition.
func inRacks(g Spec, members string, partitions ...[]string) Spec {
	for i, rack := range strings.Fields(members) {
		if rack != "-" {
			g.Members[i].Rack = rack
		}
	}
	g.Racks = func(id kafka.UUID, p int32) (racks []string) {
		for _, rack := range partitions[id[0]-1][p] {
			racks = append(racks, string(rack))
		}
		return racks
	}
	return g
}

func near(g Spec, a Assignment) (n int) {
	for _, m := range g.Members {
		for id, partitions := range a[m.ID] {
			for _, p := range partitions {
				if slices.Contains(g.Racks(id, p), m.Rack) {
					n++
				}
			}
		}
	}
	return n
}

func TestRacks(t *testing.T) {
	for _, c := range []struct {
		name          string
		assign        Assignor
		subscriptions string
		members       string
		partitions    [][]string
		want          string
	}{
		{"each to its rack", Uniform, "1 1 1", "x y z", [][]string{{"z", "y", "x", "z", "y", "x"}}, "a:1[2,5] b:1[1,4] c:1[0,3]"},
		{"two replicas", Uniform, "1 1 1", "x y z", [][]string{{"xy", "yz", "zx", "xy", "yz", "zx"}}, "a:1[0,3] b:1[1,4] c:1[2,5]"},
		{"everything is near", Uniform, "1 1", "x y", [][]string{{"xy", "yx", "xy", "yx"}}, "a:1[0,1] b:1[2,3]"},
		{"nothing is near", Uniform, "1 1", "x y", [][]string{{"p", "q", "p", "q"}}, "a:1[0,1] b:1[2,3]"},
		{"no racks of members", Uniform, "1 1", "- -", [][]string{{"y", "x", "y", "x"}}, "a:1[0,1] b:1[2,3]"},
		{"who has none gets what is left", Uniform, "1 1", "- y", [][]string{{"y", "x", "x", "y"}}, "a:1[1,2] b:1[0,3]"},
		{"as many to each all the same", Uniform, "1 1", "x y", [][]string{{"x", "x", "x", "x"}}, "a:1[0,1] b:1[2,3]"},
		{"mixed subscriptions", Uniform, "1 1,2", "x y", [][]string{{"y", "x", "y", "x"}, {"x"}}, "a:1[1,3] b:1[0,2]2[0]"},
		{"range", Range, "1 1", "x y", [][]string{{"y", "x", "y", "x"}}, "a:1[1,3] b:1[0,2]"},
		{"topics that are partitioned alike", Range, "1,2 1,2", "x y", [][]string{{"y", "x", "y", "x"}, {"y", "x", "y", "y"}}, "a:1[1,3]2[1,3] b:1[0,2]2[0,2]"},
		{"range without a gain", Range, "1,2 1,2", "x y", [][]string{{"y", "x"}, {"x", "y"}}, "a:1[0]2[0] b:1[1]2[1]"},
	} {
		var counts []int
		for _, partitions := range c.partitions {
			counts = append(counts, len(partitions))
		}
		if got, err := c.assign(inRacks(group(c.subscriptions), c.members, c.partitions...), sizes(counts...)); err != nil || print(got) != c.want {
			t.Errorf("%s: %s, %v; want %s", c.name, print(got), err, c.want)
		}
	}
	// Who has everything gives up what is far.
	g := inRacks(group("1 1"), "x y", []string{"x", "y", "x", "y"})
	g.Members[0].Target = Partitions{topic(1): {0, 1, 2, 3}}
	if got, _ := Uniform(g, sizes(4)); print(got) != "a:1[0,2] b:1[1,3]" {
		t.Error(print(got))
	}
	// Nothing moves only to be nearer.
	g.Members[0].Target, g.Members[1].Target = Partitions{topic(1): {1, 3}}, Partitions{topic(1): {0, 2}}
	if got, _ := Uniform(g, sizes(4)); print(got) != "a:1[1,3] b:1[0,2]" {
		t.Error(print(got))
	}
}

// Whatever racks there are, members have and keep as much as without racks, an assignment is never farther, and it stays.
func TestRandomRacks(t *testing.T) {
	better := 0
	for seed := range uint64(3000) {
		r := rand.New(rand.NewPCG(seed, 2))
		counts, partitions := make([]int, 1+r.IntN(4)), [][]string{}
		for i := range counts {
			counts[i] = r.IntN(12)
			partitions = append(partitions, nil)
			for range counts[i] {
				partitions[i] = append(partitions[i], []string{"", "x", "y", "xy", "z", "zx", "xyz", "p"}[r.IntN(8)])
			}
		}
		g, mixed := randomGroup(r, len(counts))
		var racks []string
		for range g.Members {
			racks = append(racks, []string{"x", "y", "z", "q", "-"}[r.IntN(5)])
		}
		g = inRacks(g, strings.Join(racks, " "), partitions...)
		if r.IntN(3) > 0 {
			former, _ := randomGroup(r, len(counts))
			former.Members = former.Members[:min(len(former.Members), len(g.Members))]
			before, _ := Uniform(former, sizes(counts...))
			g = withTargets(g, before)
		}
		blind := Spec{Members: g.Members}
		for name, assign := range map[string]Assignor{"range": Range, "uniform": Uniform} {
			got, _ := assign(g, sizes(counts...))
			plain, _ := assign(blind, sizes(counts...))
			check(t, g, counts, got)
			if name == "range" || !mixed {
				compareLoads(t, g, got, plain, name == "uniform")
			}
			if fresh := g.Members[0].Target == nil; (name == "range" || fresh && !mixed) && near(g, got) < near(g, plain) {
				t.Errorf("%s: %s is farther than %s", name, print(got), print(plain))
			}
			if near(g, got) > near(g, plain) {
				better++
			}
			again := Spec{Members: slices.Clone(g.Members), Racks: g.Racks}
			if again, _ := assign(withTargets(again, got), sizes(counts...)); !reflect.DeepEqual(again, got) {
				t.Errorf("%s: %s becomes %s for no reason", name, print(got), print(again))
			}
		}
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
	if better < 500 {
		t.Errorf("racks made only %d assignments of 6000 nearer", better)
	}
}

// compareLoads checks that each member has as much in both assignments, and keeps as much.
func compareLoads(t *testing.T, g Spec, got, plain Assignment, sticky bool) {
	t.Helper()
	for _, m := range g.Members {
		if a, b := held(got[m.ID], nil), held(plain[m.ID], nil); a != b {
			t.Errorf("%s has %d instead of %d: %s, %s", m.ID, a, b, print(got), print(plain))
		}
		if a, b := held(got[m.ID], former(m)), held(plain[m.ID], former(m)); sticky && a < b {
			t.Errorf("%s keeps %d instead of %d: %s, %s", m.ID, a, b, print(got), print(plain))
		}
	}
}

// former is what a member had, not nil.
func former(m Member) Partitions {
	if m.Target == nil {
		return Partitions{}
	}
	return m.Target
}

// held counts partitions, only those that are in both unless kept is nil.
func held(has, kept Partitions) (n int) {
	for id, partitions := range has {
		for _, p := range partitions {
			if kept == nil || slices.Contains(kept[id], p) {
				n++
			}
		}
	}
	return n
}

func BenchmarkRacks(b *testing.B) {
	for name, assign := range map[string]Assignor{"range": Range, "uniform": Uniform} {
		b.Run(name, func(b *testing.B) {
			var g Spec
			for i := range 1000 {
				m := Member{ID: fmt.Sprintf("m%04d", i), Rack: string(rune('x' + i%3))}
				for n := 1; n <= 100; n++ {
					m.Topics = append(m.Topics, topic(n))
				}
				g.Members = append(g.Members, m)
			}
			two := [][]string{{"x", "y"}, {"y", "z"}, {"z", "x"}}
			g.Racks = func(_ kafka.UUID, p int32) []string { return two[p%3] }
			for b.Loop() {
				if _, err := assign(g, sizes(slices.Repeat([]int{100}, 100)...)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
