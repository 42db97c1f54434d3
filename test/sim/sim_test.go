package sim

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"strconv"
	"strings"
	"testing"
	"testing/cryptotest"
	"testing/synctest"
	"time"
)

var (
	seeds   = flag.String("sim.seeds", "1-3", "seeds to run: 7, or 1-200")
	nodes   = flag.Int("sim.nodes", 3, "nodes of the cluster")
	trouble = flag.Duration("sim.trouble", 12*time.Second, "how long things go wrong, in simulated time")
	first   = flag.Bool("sim.first", false, "end with the first seed that fails")
	times   = flag.Int("sim.times", 1, "how often to run each seed")
	tell    = flag.Bool("sim.story", false, "print what happened though all is well")
)

// rangeOf reads seeds: 7, or 1-200.
func rangeOf(text string) (first, last uint64, err error) {
	from, to, isRange := strings.Cut(text, "-")
	if first, err = strconv.ParseUint(from, 10, 64); err != nil {
		return 0, 0, err
	}
	if !isRange {
		return first, first, nil
	}
	last, err = strconv.ParseUint(to, 10, 64)
	return first, last, err
}

// stuckLimit is how long, in real time, a run may take: if simulated time stands still, a goroutine waits for something that is
// not of the bubble, for a mutex above all.
const stuckLimit = time.Minute

// simulate runs a seed in a bubble.
func simulate(t *testing.T, o Options) (r *Report) {
	t.Helper()
	stuck := time.AfterFunc(stuckLimit, func() {
		pprof.Lookup("goroutine").WriteTo(os.Stderr, 2)
		fmt.Fprintf(os.Stderr, "seed %d is stuck\n", o.Seed)
		os.Exit(3)
	})
	defer stuck.Stop()
	t.Run(fmt.Sprint("seed ", o.Seed), func(t *testing.T) {
		cryptotest.SetGlobalRandom(t, o.Seed)
		synctest.Test(t, func(*testing.T) { r = Run(o) })
	})
	return r
}

// TestSeeds runs clusters in which things go wrong.
func TestSeeds(t *testing.T) {
	from, last, err := rangeOf(*seeds)
	if err != nil {
		t.Fatal(err)
	}
	for seed := from; seed <= last; seed++ {
		for range *times {
			runtime.GC() // and not while a seed runs
			start := time.Now()
			r := simulate(t, Options{Seed: seed, Nodes: *nodes, Trouble: *trouble})
			if r == nil {
				t.Fatalf("seed %d did not end; the plan was\n%v", seed, draw(Options{Seed: seed, Nodes: *nodes, Trouble: *trouble}))
			}
			t.Logf("%s; %v of real time", r.Summary(), time.Since(start).Round(time.Millisecond))
			if len(r.Faults) > 0 || *tell {
				t.Logf("what happened:\n%s", r.Story())
			}
			for _, fault := range r.Faults {
				t.Errorf("seed %d: %s", seed, fault)
			}
			if len(r.Faults) > 0 {
				t.Logf("replay: make sim SEEDS=%d NODES=%d", seed, *nodes)
				if *first {
					return
				}
			}
		}
	}
}

// A lone node keeps what it has promised, too.
func TestAlone(t *testing.T) {
	for seed := range uint64(2) {
		r := simulate(t, Options{Seed: seed, Nodes: 1, Trouble: 8 * time.Second})
		if r == nil {
			t.Fatal("it did not end")
		}
		t.Log(r.Summary())
		for _, fault := range r.Faults {
			t.Errorf("seed %d: %s\n%s", seed, fault, r.Story())
		}
	}
}

// A seed has the same plan each time, and the same happens, event by event: what each client was told, and when.
func TestReplay(t *testing.T) {
	o := Options{Seed: 3, Nodes: *nodes, Trouble: 5 * time.Second}
	runtime.GC()
	a := simulate(t, o)
	runtime.GC()
	b := simulate(t, o)
	if a == nil || b == nil || a.Plan.String() != b.Plan.String() {
		t.Fatal("another plan")
	}
	n := 0
	for n < min(len(a.Events), len(b.Events)) && a.Events[n] == b.Events[n] {
		n++
	}
	t.Logf("%d of %d and %d events are the same", n, len(a.Events), len(b.Events))
	if n < max(len(a.Events), len(b.Events)) && n < min(len(a.Events), len(b.Events)) {
		t.Logf("the first that differ: %v and %v", a.Events[n], b.Events[n])
	}
}
