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

func topic(n int) kafka.UUID { return kafka.UUID{0: byte(n), 15: 1} }

// group makes members "a", "b", ... that subscribe to the topics in a text such as "1 1,2 2".
func group(subscriptions string) (g Spec) {
	for i, text := range strings.Fields(subscriptions) {
		m := Member{ID: string(rune('a' + i))}
		for number := range strings.SplitSeq(text, ",") {
			if number != "-" {
				m.Topics = append(m.Topics, topic(int(number[0]-'0')))
			}
		}
		g.Members = append(g.Members, m)
	}
	return g
}

// print shows an assignment, member by member: topic and partitions.
func print(a Assignment) string {
	var texts []string
	ids := make([]string, 0, len(a))
	for id := range a {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for _, id := range ids {
		text := id + ":"
		for n := range 10 {
			if list := a[id][topic(n)]; len(list) > 0 {
				text += fmt.Sprintf("%d%v", n, list)
			}
		}
		texts = append(texts, strings.ReplaceAll(text, " ", ","))
	}
	return strings.Join(texts, " ")
}

func sizes(counts ...int) Topics {
	return func(id kafka.UUID) int {
		if n := int(id[0]); n >= 1 && n <= len(counts) {
			return counts[n-1]
		}
		return -1
	}
}

func TestRange(t *testing.T) {
	for _, c := range []struct {
		subscriptions string
		sizes         []int
		want          string
	}{
		{"1 1", []int{4}, "a:1[0,1] b:1[2,3]"},
		{"1,2 1,2", []int{3, 3}, "a:1[0,1]2[0,1] b:1[2]2[2]"},
		{"1 1 1", []int{2}, "a:1[0] b:1[1] c:"},
		{"1 1,2 2", []int{4, 3}, "a:1[0,1] b:1[2,3]2[0,1] c:2[2]"},
		{"- 1", []int{2}, "a: b:1[0,1]"},
	} {
		got, err := Range(group(c.subscriptions), sizes(c.sizes...))
		if err != nil || print(got) != c.want {
			t.Errorf("%s of %v: %s, %v; want %s", c.subscriptions, c.sizes, print(got), err, c.want)
		}
	}
	g := group("1 1 1")
	g.Members[2].InstanceID, g.Members[1].InstanceID = "i", "j"
	if got, _ := Range(g, sizes(3)); print(got) != "a:1[2] b:1[1] c:1[0]" {
		t.Errorf("static members come first: %s", print(got))
	}
}

func TestUniform(t *testing.T) {
	g := group("1 1")
	got, _ := Uniform(g, sizes(5))
	if print(got) != "a:1[0,1] b:1[2,3,4]" {
		t.Errorf("five to two: %s", print(got))
	}
	// A third comes: each of the others gives up as little as possible.
	g = withTargets(group("1 1 1"), got)
	if got, _ = Uniform(g, sizes(5)); print(got) != "a:1[0,1] b:1[2,3] c:1[4]" {
		t.Errorf("five to three: %s", print(got))
	}
	// The first one goes.
	g = withTargets(group("1 1 1"), got)
	g.Members = g.Members[1:]
	if got, _ = Uniform(g, sizes(5)); print(got) != "b:1[2,3] c:1[0,1,4]" {
		t.Errorf("the first of three goes: %s", print(got))
	}
	if got, _ = Uniform(group("1,2 1 2"), sizes(4, 2)); print(got) != "a:1[0,2] b:1[1,3] c:2[0,1]" {
		t.Errorf("mixed: %s", print(got))
	}
	for _, assign := range []Assignor{Range, Uniform} {
		if _, err := assign(group("1 3"), sizes(4, 2)); err == nil {
			t.Error("a topic that does not exist")
		}
		if got, err := assign(Spec{}, sizes()); err != nil || len(got) != 0 {
			t.Errorf("nobody: %v, %v", got, err)
		}
	}
}

func withTargets(g Spec, a Assignment) Spec {
	for i := range g.Members {
		g.Members[i].Target = a[g.Members[i].ID]
	}
	return g
}

// TestRandomGroups: whatever members, subscriptions and former assignments there are, each partition goes to one subscriber;
// uniform shares are even, and nothing moves without a reason.
func TestRandomGroups(t *testing.T) {
	for seed := range uint64(3000) {
		r := rand.New(rand.NewPCG(seed, 1))
		counts := make([]int, 1+r.IntN(5))
		for i := range counts {
			counts[i] = r.IntN(12)
		}
		g, mixed := randomGroup(r, len(counts))
		before := Assignment{}
		if r.IntN(3) > 0 {
			former, _ := randomGroup(r, len(counts))
			former.Members = former.Members[:min(len(former.Members), len(g.Members))]
			before, _ = Uniform(former, sizes(counts...))
			g = withTargets(g, before)
		}
		for name, assign := range map[string]Assignor{"range": Range, "uniform": Uniform} {
			got, err := assign(g, sizes(counts...))
			if err != nil {
				t.Fatal(err)
			}
			check(t, g, counts, got)
			if name == "uniform" && !mixed {
				checkEven(t, got)
			}
			if again, _ := assign(withTargets(g, got), sizes(counts...)); !reflect.DeepEqual(again, got) {
				t.Errorf("%s: %s becomes %s for no reason", name, print(got), print(again))
			}
			withTargets(g, before)
		}
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

func randomGroup(r *rand.Rand, topics int) (g Spec, mixed bool) {
	mixed = r.IntN(2) == 0
	for i := range 1 + r.IntN(6) {
		m := Member{ID: string(rune('a' + i))}
		for n := range topics {
			if !mixed || r.IntN(2) == 0 {
				m.Topics = append(m.Topics, topic(n+1))
			}
		}
		g.Members = append(g.Members, m)
	}
	return g, mixed
}

func check(t *testing.T, g Spec, counts []int, got Assignment) {
	t.Helper()
	owners := map[kafka.TopicPartition]string{}
	wanted := map[kafka.UUID]bool{}
	for _, m := range g.Members {
		for _, id := range m.Topics {
			wanted[id] = true
		}
		for id, list := range got[m.ID] {
			if !slices.Contains(m.Topics, id) || !slices.IsSorted(list) {
				t.Errorf("%s gets %v of %s", m.ID, list, id)
			}
			for _, p := range list {
				tp := kafka.TopicPartition{Topic: id.String(), Partition: p}
				if owners[tp] != "" {
					t.Errorf("%s and %s get %v", owners[tp], m.ID, tp)
				}
				owners[tp] = m.ID
			}
		}
	}
	total := 0
	for id := range wanted {
		total += counts[id[0]-1]
	}
	if len(owners) != total {
		t.Errorf("%d of %d partitions are assigned", len(owners), total)
	}
}

func checkEven(t *testing.T, got Assignment) {
	t.Helper()
	least, most := 1<<30, 0
	for _, p := range got {
		n := 0
		for _, list := range p {
			n += len(list)
		}
		least, most = min(least, n), max(most, n)
	}
	if most-least > 1 {
		t.Errorf("uneven: %s", print(got))
	}
}

// TestTwoTargetsForOnePartition: a log that nobody should have written does not lead to two owners.
func TestTwoTargetsForOnePartition(t *testing.T) {
	g := group("1 1")
	for i := range g.Members {
		g.Members[i].Target = Partitions{topic(1): {0, 1, 7, -1}}
	}
	got, err := Uniform(g, sizes(2))
	if err != nil {
		t.Fatal(err)
	}
	check(t, g, []int{2}, got)
}

func BenchmarkUniform(b *testing.B) {
	for _, mixed := range []bool{false, true} {
		b.Run(fmt.Sprintf("mixed=%v", mixed), func(b *testing.B) {
			var g Spec
			for i := range 1000 {
				m := Member{ID: fmt.Sprintf("m%04d", i)}
				for n := 1; n <= 100; n++ {
					if !mixed || (n+i)%2 == 0 {
						m.Topics = append(m.Topics, topic(n))
					}
				}
				g.Members = append(g.Members, m)
			}
			counts := slices.Repeat([]int{100}, 100)
			for b.Loop() {
				got, err := Uniform(g, sizes(counts...))
				if err != nil {
					b.Fatal(err)
				}
				next := withTargets(g, got)
				next.Members = next.Members[1:]
				if _, err := Uniform(next, sizes(counts...)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
