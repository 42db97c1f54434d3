package sim

import (
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"strconv"
	"strings"
	"sync/atomic"
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
	record  = flag.String("sim.events", "", "a file for what clients were told by the last seed")
	verbose = flag.Bool("sim.verbose", false, "tell all that nodes log from INFO on, not only warnings")
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

// stuckLimit is how long, in real time, simulated time may stand still: a goroutine waits for something that is not of the bubble,
// or one asks again and again without a pause.
const stuckLimit = time.Minute

// beat counts the tenths of a second of a bubble's time.
func beat(n *atomic.Int64, end <-chan struct{}) {
	for {
		select {
		case <-end:
			return
		case <-time.After(100 * time.Millisecond):
			n.Add(1)
		}
	}
}

// watchBeats ends the process if the beats stop; it returns when end is closed.
func watchBeats(seed uint64, n *atomic.Int64, end <-chan struct{}) {
	for {
		before := n.Load()
		select {
		case <-end:
			return
		case <-time.After(stuckLimit):
		}
		if n.Load() == before {
			pprof.Lookup("goroutine").WriteTo(os.Stderr, 2)
			fmt.Fprintf(os.Stderr, "seed %d is stuck: simulated time stands still\n", seed)
			os.Exit(3)
		}
	}
}

// simulate runs a seed in a bubble.
func simulate(t *testing.T, o Options) (r *Report) {
	t.Helper()
	var beats atomic.Int64
	end := make(chan struct{})
	defer close(end)
	go watchBeats(o.Seed, &beats, end)
	t.Run(fmt.Sprint("seed ", o.Seed), func(t *testing.T) {
		cryptotest.SetGlobalRandom(t, o.Seed)
		synctest.Test(t, func(*testing.T) {
			ended := make(chan struct{})
			go beat(&beats, ended)
			r = Run(o)
			close(ended)
		})
	})
	return r
}

// TestSeeds runs clusters in which things go wrong.
func TestSeeds(t *testing.T) {
	from, last, err := rangeOf(*seeds)
	if err != nil {
		t.Fatal(err)
	}
	level := slog.LevelWarn
	if *verbose {
		level = slog.LevelInfo
	}
	for seed := from; seed <= last; seed++ {
		o := Options{Seed: seed, Nodes: *nodes, Trouble: *trouble, Level: level}
		var before []event
		for run := range *times {
			runtime.GC() // and not while a seed runs
			start := time.Now()
			r := simulate(t, o)
			if r == nil {
				t.Fatalf("seed %d did not end; the plan was\n%v", seed, draw(o))
			}
			t.Logf("%s; %v of real time", r.Summary(), time.Since(start).Round(time.Millisecond))
			if run > 0 {
				t.Logf("seed %d: %.0f %% of the run's %d events are those of the run before, at about the same time", seed, 100*alike(before, r.Events), len(r.Events))
			}
			before = r.Events
			if *record != "" {
				if err := os.WriteFile(*record, []byte(r.Told()), 0o644); err != nil {
					t.Fatal(err)
				}
			}
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

// alike is which part of the second run's events the first has, too, within the same tenth of a second.
func alike(first, second []event) float64 {
	count := map[event]int{}
	for _, e := range first {
		e.at = e.at.Truncate(100 * time.Millisecond)
		count[e]++
	}
	same := 0
	for _, e := range second {
		e.at = e.at.Truncate(100 * time.Millisecond)
		if count[e] > 0 {
			count[e]--
			same++
		}
	}
	return float64(same) / float64(max(1, len(second)))
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

// A seed that is run again in another process has the same plan. How much more is the same, event by event, is logged: see the
// package's documentation.
func TestReplay(t *testing.T) {
	var told [2][]string
	for i := range told {
		file := filepath.Join(t.TempDir(), "events")
		run := exec.Command(os.Args[0], "-test.run=TestSeeds$", "-sim.seeds=3", "-sim.trouble=5s", "-sim.events="+file)
		if out, err := run.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		plan, events, _ := strings.Cut(string(content), "\n\n")
		told[i] = append([]string{plan}, strings.Split(events, "\n")...)
	}
	if told[0][0] != told[1][0] {
		t.Fatalf("another plan:\n%s\n\n%s", told[0][0], told[1][0])
	}
	n, least := 0, min(len(told[0]), len(told[1]))
	for n < least && told[0][n] == told[1][n] {
		n++
	}
	t.Logf("%d of %d and %d events are the same", n-1, len(told[0])-1, len(told[1])-1)
	if n < least {
		t.Logf("the first that differ: %s and %s", told[0][n], told[1][n])
	}
}
