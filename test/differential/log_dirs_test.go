package differential

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ottla/ottla/test/harness"
	"github.com/ottla/ottla/test/realkafka"
)

// TestSeveralLogDirs compares two brokers with three log directories each, which scenarios know as $dir1, $dir2 and $dir3.
func TestSeveralLogDirs(t *testing.T) {
	scenarios := scenariosFor(t, "testdata/log_dirs")
	theirDirs, ourDirs := threeDirs(t), threeDirs(t)
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	kafka, err := realkafka.Start(ctx, t.TempDir(), 1, append(properties, "log.dirs="+strings.Join(theirDirs, ","))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(kafka.Kill)
	ottla := harness.Start(t, append(properties, "log.dirs="+strings.Join(ourDirs, ","))...)
	var used usage
	for _, s := range scenarios {
		t.Run(s.File+"/"+s.Name, func(t *testing.T) {
			now := time.Now()
			var both sync.WaitGroup
			var theirs, ours []Step
			both.Go(func() { theirs = playInDirs(t, "Kafka", s, kafka.Addr, theirDirs, now) })
			both.Go(func() { ours = playInDirs(t, "Ottla", s, ottla.Addr, ourDirs, now) })
			both.Wait()
			var faults []Difference
			for _, d := range compare(s.File+"/"+s.Name, theirs, ours) {
				if !used.allows(d) {
					faults = append(faults, d)
				}
			}
			for _, d := range fold(faults) {
				t.Error(d)
			}
			for _, step := range theirs {
				if os.Getenv("OTTLA_DIFFERENTIAL_SHOW") == "1" {
					t.Log(show(step))
				}
			}
		})
	}
}

func threeDirs(t *testing.T) (dirs []string) {
	base := t.TempDir()
	for i := range 3 {
		dirs = append(dirs, filepath.ToSlash(filepath.Join(base, fmt.Sprint("disk", i+1))))
	}
	return dirs
}

// playInDirs runs a scenario on a broker with these log directories, and names them in its answers as the scenario does.
func playInDirs(t *testing.T, who string, s *Scenario, addr string, dirs []string, now time.Time) []Step {
	with := *s
	with.Commands = nil
	var replacements []string
	for i, dir := range dirs {
		name := fmt.Sprint("dir", i+1)
		with.Commands = append(with.Commands, Command{Verb: "let", Rest: name + " " + dir})
		replacements = append(replacements, dir, "<"+name+">")
	}
	with.Commands = append(with.Commands, s.Commands...)
	steps, err := play(&with, addr, now)
	if err != nil {
		t.Errorf("on %s: %v", who, err)
	}
	anonymous := strings.NewReplacer(replacements...)
	for i := range steps {
		steps[i].Asked = anonymous.Replace(steps[i].Asked)
		for j := range steps[i].Leaves {
			l := &steps[i].Leaves[j]
			l.Value, l.Raw = anonymous.Replace(l.Value), anonymous.Replace(l.Raw)
		}
	}
	return steps
}
