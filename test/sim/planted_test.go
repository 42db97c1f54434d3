//go:build planted

package sim

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/ottla/ottla/internal/planted"
)

var (
	bug   = flag.String("sim.bug", "", "the only bug to plant")
	bound = flag.Int("sim.bound", 20, "how many seeds a bug may take")
)

// Each planted bug is found, within a few seeds, by a checker, or because the cluster does not work again. The first seeds that found
// them: 1 read-undecided, reuse-epoch, forget-vote, half-the-markers; 2 ack-before-commit, early-watermark, ignore-truncation,
// forget-producers; 3 skip-sync, elect-out-of-isr; 4 stale-isr; 5 answer-before-record; 6 count-unsynced.
// Seeds do not replay exactly: some runs need a few more.
func TestPlanted(t *testing.T) {
	for _, b := range planted.All() {
		if *bug != "" && *bug != string(b) {
			continue
		}
		t.Run(string(b), func(t *testing.T) {
			run := exec.Command(os.Args[0], "-test.run=TestSeeds$", "-test.v", "-sim.first", fmt.Sprintf("-sim.seeds=1-%d", *bound))
			run.Env = append(os.Environ(), "OTTLA_PLANTED="+string(b))
			out, err := run.CombinedOutput()
			if err == nil {
				t.Fatalf("%s is not found by %d seeds", b, *bound)
			}
			var found []string
			for line := range strings.Lines(string(out)) {
				if strings.Contains(line, ": seed ") && !strings.Contains(line, "of simulated time") || strings.HasPrefix(line, "panic: BUG") || strings.Contains(line, "is stuck: ") {
					found = append(found, strings.TrimSpace(line))
				}
			}
			if len(found) == 0 {
				t.Fatalf("it ended with %v, but neither a checker nor the broker says why:\n%s", err, out[max(0, len(out)-4000):])
			}
			t.Log(strings.Join(found[:min(3, len(found))], "\n"))
		})
	}
}
