//go:build unix

package golden

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ottla/ottla/internal/tools"
	"github.com/ottla/ottla/test/harness"
)

// TestGolden replays every scenario of testdata on a fresh cluster.
func TestGolden(t *testing.T) {
	paths, err := filepath.Glob(filepath.Join("testdata", "*.golden"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no scenarios in testdata: %v", err)
	}
	for _, path := range paths {
		name := strings.TrimSuffix(filepath.Base(path), ".golden")
		t.Run(name, func(t *testing.T) {
			s, err := readScenario(path)
			if err != nil {
				t.Fatal(err)
			}
			replay(t, name, s)
		})
	}
}

// replay runs the steps of a scenario and reports those that differ, and how many did not.
func replay(t *testing.T, name string, s scenario) {
	known := deviations()
	bootstrap, ours := "", false
	if s.needsBroker() {
		bootstrap, ours = cluster(t, s)
	} else {
		t.Parallel()
	}
	if ours {
		known = slices.Concat(notServedYet(), additions(), known)
	}
	fixtures, err := filepath.Abs(filepath.Join("testdata", "fixtures"))
	if err != nil {
		t.Fatal(err)
	}
	r := newRunner(toolsDir(t), bootstrap, t.TempDir(), fixtures)
	defer r.close()
	var passed, failed, skipped int
	idle := make(map[string]bool) // processes of the background that a deviation keeps from running
	for _, step := range s.steps {
		process, _, _ := strings.Cut(step.text, " ")
		reason := apply(known, name, &step)
		if step.kind == start {
			idle[process] = reason != ""
		}
		if ends := step.kind == end || step.kind == endAnyOrder; reason != "" || ends && idle[process] {
			skipped++
			continue
		}
		faults, err := r.do(step)
		for end := time.Now().Add(settleLimit); err == nil && faults != nil && !ours && describes(step) && time.Now().Before(end); {
			faults, err = r.do(step)
		}
		if err != nil {
			t.Fatalf("%s.golden:%d: %s %s: %v", name, step.line, step.kind, step.text, err)
		}
		if faults != nil {
			failed++
			t.Errorf("%s.golden:%d: %s %s\n\t%s", name, step.line, step.kind, step.text, strings.Join(faults, "\n\t"))
		} else if step.code != "" {
			passed++
		}
	}
	t.Logf("%s: %d passed, %d failed, %d not run", name, passed, failed, skipped)
}

// settleLimit is how long another broker may take to show what it has accepted: real Kafka applies a broker's dynamic configs
// after it has answered, which its own slow tools never notice. Ottla gets no such time.
const settleLimit = 3 * time.Second

// describes reports whether a step only asks, so that it may be run again.
func describes(s step) bool { return s.kind == run && strings.Contains(s.text, "--describe") }

// cluster returns the address of a fresh cluster, and whether it is an Ottla of this tree.
func cluster(t *testing.T, s scenario) (bootstrap string, ours bool) {
	if command := os.Getenv("OTTLA_GOLDEN_FRESH"); command != "" {
		address, err := fresh(command, s)
		if err != nil {
			t.Fatal(err)
		}
		return address, false
	}
	if address := os.Getenv("OTTLA_GOLDEN_BOOTSTRAP"); address != "" {
		return address, false
	}
	t.Parallel()
	if s.nodes > 1 {
		return strings.Join(harness.StartCluster(t, s.nodes, append([]string{"default.replication.factor=1", "min.insync.replicas=1"}, s.properties...)...).Addrs(), ","), true
	}
	return harness.Start(t, append([]string{"node.id=1", "offsets.topic.replication.factor=1"}, s.properties...)...).Addr, true
}

// toolsDir returns a folder with the tools under their names.
func toolsDir(t *testing.T) string {
	if dir := os.Getenv("OTTLA_GOLDEN_TOOLS"); dir != "" {
		return dir
	}
	dir := t.TempDir()
	if err := tools.Links(dir, harness.Binary(t), tools.Names()); err != nil {
		t.Fatal(err)
	}
	return dir
}
