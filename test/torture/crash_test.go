package torture

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/ottla/ottla/test/harness"
	"github.com/ottla/ottla/test/torture/ledger"
)

const (
	defaultKills = 15
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
	b := harness.Start(t, "log.retention.check.interval.ms=500", "log.cleaner.backoff.ms=200", "transaction.abort.timed.out.transaction.cleanup.interval.ms=200")
	book := ledger.New()
	check := newChecker(t, []string{b.Addr}, topics, book)
	createTopics(t, check.admin, topics)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	closes := startWork(ctx, t, []string{b.Addr}, topics, book, seed)
	for n := range kills {
		// Progress since the last start, then a little more, so that the kill meets the broker at any point of its work.
		awaitProgress(t, topics, book, 20+random.IntN(60), 1+random.IntN(2))
		time.Sleep(time.Duration(random.IntN(20_000)) * time.Microsecond)
		b.Kill9()
		now := n%verifyEvery == 0 || n == kills-1
		if now {
			verifyDirectory(t, b)
		}
		b.Restart()
		report(t, check.all(now, false))
		if n%verifyEvery == verifyEvery-1 || n == kills-1 {
			t.Logf("kill %d: %s", n+1, summary(topics, book))
		}
	}
	stop()
	for _, end := range closes {
		end()
	}
	report(t, check.all(true, false))
	check.forget()
	report(t, check.all(true, true))
	b.Stop()
	verifyDirectory(t, b)
	records := 0
	for _, r := range check.readings {
		records += r.Records()
	}
	t.Logf("after %d kills: %s; %d records read at the end", kills, summary(topics, book), records)
}

// startWork starts the clients of all topics and returns what waits for their ends.
func startWork(ctx context.Context, t *testing.T, seeds []string, topics []topic, book *ledger.Ledger, seed uint64) (closes []func()) {
	t.Helper()
	for _, topic := range topics {
		for id := range topic.writers {
			closes = append(closes, startWriter(ctx, t, seeds, topic, id, book).close)
		}
		for id := range topic.transactors {
			closes = append(closes, startTransactor(ctx, t, seeds, topic, id, book, seed).close)
		}
		if topic.group != "" {
			closes = append(closes, startAuditor(ctx, t, seeds, topic, book).close)
		}
		if topic.copies != "" {
			closes = append(closes, startCopier(ctx, t, seeds, topic, book, seed).close)
		}
	}
	return closes
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

func summary(topics []topic, book *ledger.Ledger) string {
	acknowledged, commits := book.Acknowledgements()
	all, groups := 0, 0
	for _, n := range acknowledged {
		all += n
	}
	for _, n := range commits {
		groups += n
	}
	transactions := ""
	for _, topic := range topics {
		if len(topic.transactors) > 0 {
			committed, doubtful, others := book.Transactions(topic.name)
			transactions += fmt.Sprintf("; transactions on %s: %d committed, %d in doubt, %d others", topic.name, committed, doubtful, others)
		}
	}
	return fmt.Sprintf("%d records acknowledged %v, %d commits%s", all, acknowledged, groups, transactions)
}

// slow is when the test's log names what is waited for.
const slow = 3 * time.Second

// awaitProgress waits until each topic has so many more acknowledgements, and each group so many more commits.
func awaitProgress(t *testing.T, topics []topic, book *ledger.Ledger, acknowledgements, commits int) {
	t.Helper()
	beforeTopics, beforeGroups := book.Acknowledgements()
	beforeCommitted := map[string]int{}
	for _, topic := range topics {
		beforeCommitted[topic.name], _, _ = book.Transactions(topic.name)
	}
	behind := func() string {
		nowTopics, nowGroups := book.Acknowledgements()
		for _, topic := range topics {
			if n := nowTopics[topic.name] - beforeTopics[topic.name]; n < acknowledgements && topic.writers > 0 && topic.name != "no-ack" {
				return fmt.Sprintf("topic %s has %d of %d acknowledgements", topic.name, n, acknowledgements)
			}
			if group := topic.committer(); group != "" && nowGroups[group]-beforeGroups[group] < commits {
				return fmt.Sprintf("group %s has %d of %d commits", group, nowGroups[group]-beforeGroups[group], commits)
			}
			if n, _, _ := book.Transactions(topic.name); topic.commits() && n-beforeCommitted[topic.name] < commits {
				return fmt.Sprintf("topic %s has %d of %d transactions", topic.name, n-beforeCommitted[topic.name], commits)
			}
		}
		return ""
	}
	last := ""
	for start := time.Now(); ; time.Sleep(time.Millisecond) {
		missing := behind()
		switch waited := time.Since(start); {
		case missing == "":
			if waited > slow {
				t.Logf("after %v without: %s; last errors: %s", waited, last, book.Failures())
			}
			return
		case waited > cycleLimit:
			t.Fatalf("no progress within %v: %s; last errors: %s", cycleLimit, missing, book.Failures())
		}
		last = missing
	}
}
