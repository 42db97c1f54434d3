//go:build unix

package golden

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
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
	var c target
	if s.needsBroker() {
		c = cluster(t, s)
	} else {
		t.Parallel()
	}
	if c.ours {
		known = slices.Concat(notServedYet(), additions(), known)
	}
	fixtures, err := filepath.Abs(filepath.Join("testdata", "fixtures"))
	if err != nil {
		t.Fatal(err)
	}
	if c.controllers == "" && s.needsControllers() {
		t.Skip("where the controllers of this cluster listen is not known")
	}
	r := newRunner(toolsDir(t), c.bootstrap, c.controllers, t.TempDir(), fixtures)
	r.kill = c.kill
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
		if c.settle != nil {
			c.settle(t)
		}
		faults, err := r.do(step)
		for end := time.Now().Add(settleLimit); err == nil && faults != nil && !c.ours && describes(step) && time.Now().Before(end); {
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

// target is what a scenario is run against.
type target struct {
	bootstrap   string
	controllers string // "" where they are not known
	ours        bool   // an Ottla of this tree
	// kill ends the process of a node, from 1 on, as SIGKILL does.
	kill func(node string) error
	// settle waits until all nodes know what one of them has shown; nil: the tools ask one node, or are so slow that it makes no difference.
	settle func(t *testing.T)
}

// cluster returns a fresh cluster.
func cluster(t *testing.T, s scenario) target {
	if command := os.Getenv("OTTLA_GOLDEN_FRESH"); command != "" {
		address, err := fresh(command, s)
		if err != nil {
			t.Fatal(err)
		}
		return target{bootstrap: address, kill: func(node string) error {
			args := append(strings.Fields(command), "kill", node)
			return exec.Command(args[0], args[1:]...).Run()
		}}
	}
	if address := os.Getenv("OTTLA_GOLDEN_BOOTSTRAP"); address != "" {
		return target{bootstrap: address, kill: func(string) error { return errors.New("OTTLA_GOLDEN_BOOTSTRAP does not tell how a node is killed") }}
	}
	t.Parallel()
	if s.nodes > 1 {
		var places []harness.Place
		for range s.nodes {
			p := harness.NewPlace(t)
			p.HTTP = harness.FreeAddr(t)
			places = append(places, p)
		}
		c := harness.StartClusterAt(t, places, append([]string{"default.replication.factor=1", "min.insync.replicas=1"}, s.properties...)...)
		var controllers []string
		for _, p := range places {
			controllers = append(controllers, p.Controllers.Front)
		}
		return target{bootstrap: strings.Join(c.Addrs(), ","), controllers: strings.Join(controllers, ","), ours: true, settle: func(t *testing.T) { settle(t, c) }, kill: func(node string) error {
			n, err := strconv.Atoi(node)
			if err != nil || n < 1 || n > len(c.Nodes) {
				return fmt.Errorf("there is no node %s", node)
			}
			c.Nodes[n-1].Kill9()
			return nil
		}}
	}
	b := harness.Start(t, append([]string{"node.id=1", "offsets.topic.replication.factor=1"}, s.properties...)...)
	return target{bootstrap: b.Addr, ours: true, kill: func(string) error { b.Kill9(); return nil }}
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
