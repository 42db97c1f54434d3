package conformance

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"
)

// Faults are random kills, with SIGKILL, of the broker and of the processes that work with it. Each comes after work has gone
// on since the one before: an application that is stuck fails the test.
type faults struct {
	t         *testing.T
	tg        target
	processes []*process
	progress  func() int // grows with the work done
	step      int        // the progress between two faults
}

// stuckLimit is how long work may take to go on after a fault: sessions and transactions must time out, JVMs start.
const stuckLimit = 3 * time.Minute

// run makes few faults, or, with OTTLA_PROOF_MINUTES, as many as fit into that time. The broker and every process are killed
// in turn; what follows what, and when, is drawn from OTTLA_PROOF_SEED.
func (f faults) run(few int) {
	f.t.Helper()
	if f.tg.shared() {
		f.t.Skip("a shared broker is not killed")
	}
	random := rand.New(rand.NewPCG(proofSeed(f.t), 0))
	end := time.Now().Add(proofTime())
	var victims []int
	for n := 0; n < few || time.Now().Before(end); n++ {
		if len(victims) == 0 {
			victims = random.Perm(len(f.processes) + 1)
		}
		f.work(n)
		time.Sleep(time.Duration(random.IntN(700)) * time.Millisecond) // anywhere in a transaction, a rebalance, a commit
		f.strike(n, victims[0], time.Duration(random.IntN(1500))*time.Millisecond)
		victims = victims[1:]
	}
}

// proofTime is how long a proof goes on; 0 for no longer than its few faults take.
func proofTime() time.Duration {
	minutes, _ := strconv.ParseFloat(os.Getenv("OTTLA_PROOF_MINUTES"), 64)
	return time.Duration(minutes * float64(time.Minute))
}

// proofSeed is what chooses the faults of a proof.
func proofSeed(t *testing.T) uint64 {
	t.Helper()
	seed, err := strconv.ParseUint(os.Getenv("OTTLA_PROOF_SEED"), 10, 64)
	if err != nil {
		seed = rand.Uint64N(1 << 32)
	}
	t.Logf("faults from OTTLA_PROOF_SEED=%d", seed)
	return seed
}

func (f faults) work(n int) {
	f.t.Helper()
	start := f.progress()
	eventually(f.t, stuckLimit, func() string { return fmt.Sprintf("work after %d faults: %d, was %d", n, f.progress(), start) },
		func() bool { return f.progress() >= start+f.step })
}

// strike kills the broker, or a process, and starts it again after a while.
func (f faults) strike(n, victim int, while time.Duration) {
	f.t.Helper()
	name := "broker"
	if victim == len(f.processes) && f.tg.nodes != nil && f.tg.nodes.striker != nil {
		name = f.tg.nodes.striker.Strike()
	} else if victim == len(f.processes) {
		f.tg.kill()
		time.Sleep(while)
		f.tg.restart(f.t)
	} else {
		p := f.processes[victim]
		name = p.name
		p.kill()
		time.Sleep(while)
		p.launch()
	}
	f.t.Logf("%s fault %d: %s, back after %v", time.Now().Format("15:04:05.000"), n+1, name, while)
}
