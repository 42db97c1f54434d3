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
	nodes   = flag.Int("sim.nodes", 1, "nodes of the cluster")
	trouble = flag.Duration("sim.trouble", 20*time.Second, "how long things go wrong, in simulated time")
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

// alone has the run keep to one processor, so that less depends on the scheduler.
func alone(t *testing.T) {
	before := runtime.GOMAXPROCS(1)
	t.Cleanup(func() { runtime.GOMAXPROCS(before) })
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
	alone(t)
	first, last, err := rangeOf(*seeds)
	if err != nil {
		t.Fatal(err)
	}
	for seed := first; seed <= last; seed++ {
		for range *times {
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
		}
	}
}
