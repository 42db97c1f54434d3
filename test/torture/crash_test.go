package torture

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/ottla/ottla/test/harness"
	"github.com/ottla/ottla/test/torture/ledger"
)

const (
	defaultKills = 20
	cycleLimit   = 2 * time.Minute // for progress between two kills
	verifyEvery  = 10              // kills
)

// setting reads a number from the environment.
func setting(t *testing.T, name string, otherwise uint64) uint64 {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// TestCrashLoop kills the broker with SIGKILL while producers of all kinds write and groups commit. After every restart
// everything acknowledged must be there: at its offset, once, in order; and no commit may be lost. OTTLA_TORTURE_KILLS and
// OTTLA_TORTURE_SEED set how often and when.
func TestCrashLoop(t *testing.T) {
	kills, seed := setting(t, "OTTLA_TORTURE_KILLS", defaultKills), setting(t, "OTTLA_TORTURE_SEED", rand.Uint64()%1_000_000)
	t.Logf("%d kills, seed %d", kills, seed)
	random := rand.New(rand.NewPCG(seed, 0))
	b := harness.Start(t, "log.retention.check.interval.ms=500", "log.cleaner.backoff.ms=200")
	admin := kadm.NewClient(connect(t, b, quickRetries()...))
	createTopics(t, admin)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	book := ledger.New()
	var closes []func()
	for _, topic := range topics {
		for id := range topic.writers {
			closes = append(closes, startWriter(ctx, t, b, topic, id, book).close)
		}
		if topic.group != "" {
			closes = append(closes, startAuditor(ctx, t, b, topic, book).close)
		}
	}
	readings := map[string]*ledger.Reading{}
	for _, topic := range topics {
		readings[topic.name] = ledger.NewReading(topic.name, topic.promise)
	}
	for n := range kills {
		// Progress since the last start, then a little more, so that the kill meets the broker at any point of its work.
		awaitProgress(t, book, 20+random.IntN(60), 1+random.IntN(2))
		time.Sleep(time.Duration(random.IntN(20_000)) * time.Microsecond)
		b.Kill9()
		if n%verifyEvery == 0 || n == kills-1 {
			verifyDirectory(t, b)
		}
		b.Restart()
		report(t, checkAll(t, b, admin, book, readings))
		if n%verifyEvery == verifyEvery-1 || n == kills-1 {
			t.Logf("kill %d: %s", n+1, summary(book))
		}
	}
	stop()
	for _, end := range closes {
		end()
	}
	fresh := map[string]*ledger.Reading{}
	for _, topic := range topics {
		fresh[topic.name] = ledger.NewReading(topic.name, topic.promise)
	}
	report(t, checkAll(t, b, admin, book, fresh))
	b.Stop()
	verifyDirectory(t, b)
	records := 0
	for _, r := range fresh {
		records += r.Records()
	}
	t.Logf("after %d kills: %s; %d records read at the end", kills, summary(book), records)
}

func checkAll(t *testing.T, b *harness.Broker, admin *kadm.Client, book *ledger.Ledger, readings map[string]*ledger.Reading) []string {
	t.Helper()
	faults := checkCommits(t, admin, book)
	for _, topic := range topics {
		faults = append(faults, readOn(t, b, admin, topic, readings[topic.name], book)...)
	}
	return faults
}

// report ends the test with the faults, if there are any.
func report(t *testing.T, faults []string) {
	t.Helper()
	for _, fault := range faults {
		t.Error(fault)
	}
	if len(faults) > 0 {
		t.FailNow()
	}
}

func summary(book *ledger.Ledger) string {
	acknowledged, commits := book.Acknowledgements()
	all, groups := 0, 0
	for _, n := range acknowledged {
		all += n
	}
	for _, n := range commits {
		groups += n
	}
	return fmt.Sprintf("%d records acknowledged %v, %d commits", all, acknowledged, groups)
}

// awaitProgress waits until each topic has so many more acknowledgements, and each group so many more commits.
func awaitProgress(t *testing.T, book *ledger.Ledger, acknowledgements, commits int) {
	t.Helper()
	beforeTopics, beforeGroups := book.Acknowledgements()
	behind := func() string {
		nowTopics, nowGroups := book.Acknowledgements()
		for _, topic := range topics {
			if n := nowTopics[topic.name] - beforeTopics[topic.name]; n < acknowledgements && topic.name != "no-ack" {
				return fmt.Sprintf("topic %s has %d of %d acknowledgements", topic.name, n, acknowledgements)
			}
			if n := nowGroups[topic.group] - beforeGroups[topic.group]; topic.group != "" && n < commits {
				return fmt.Sprintf("group %s has %d of %d commits", topic.group, n, commits)
			}
		}
		return ""
	}
	for deadline := time.Now().Add(cycleLimit); ; time.Sleep(time.Millisecond) {
		missing := behind()
		if missing == "" {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("no progress within %v: %s; last errors: %s", cycleLimit, missing, book.Failures())
		}
	}
}
