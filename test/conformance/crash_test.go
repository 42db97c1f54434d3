package conformance

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

const (
	crashTopic      = "ledger"
	crashGroup      = "auditors"
	crashPartitions = 6
	crashProducers  = 3
	defaultKills    = 6
	cycleLimit      = 2 * time.Minute // for progress between two kills
)

// Idempotent producers with acks=all and a committing group run while the broker is killed with SIGKILL again and again.
// Then everything acknowledged must be there: at its offset, once, in order; and no commit may be lost. OTTLA_TEST_KILLS
// sets the number of kills.
func TestCrashLoop(t *testing.T) {
	t.Parallel()
	kills := defaultKills
	if text := os.Getenv("OTTLA_TEST_KILLS"); text != "" {
		var err error
		if kills, err = strconv.Atoi(text); err != nil {
			t.Fatalf("OTTLA_TEST_KILLS: %v", err)
		}
	}
	tg := newTarget(t)
	if tg.own == nil {
		t.Skip("the broker of OTTLA_TEST_BOOTSTRAP is not ours to kill")
	}
	admin := kadm.NewClient(kafkaClient(t, tg))
	if _, err := admin.CreateTopic(t.Context(), crashPartitions, 1, nil, crashTopic); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	book := newLedger()
	var writers []*writer
	for id := range crashProducers {
		writers = append(writers, startWriter(ctx, t, tg, id, book))
	}
	auditor := startAuditor(ctx, t, tg, book)
	for n := range kills {
		// Progress since the last start, then a little more, so that the kill meets the broker at any point of its work.
		awaitProgress(t, book, 300+rand.IntN(700), 3)
		tg.own.Kill9()
		tg.own.Restart()
		t.Logf("kill %d: %d acknowledged so far", n+1, book.acknowledgements())
	}
	awaitProgress(t, book, 300, 3)
	stop()
	for _, w := range writers {
		w.close()
	}
	auditor.close()
	for _, fault := range check(t, tg, admin, book) {
		t.Error(fault)
	}
}

// awaitProgress waits for that many acknowledgements and commits.
func awaitProgress(t *testing.T, book *ledger, acknowledgements, commits int) {
	t.Helper()
	wantAcks, wantCommits := book.acknowledgements()+acknowledgements, book.commits()+commits
	for deadline := time.Now().Add(cycleLimit); ; time.Sleep(time.Millisecond) {
		if book.acknowledgements() >= wantAcks && book.commits() >= wantCommits {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("no progress within %v: %d more acknowledgements and %d more commits were awaited; last errors: %v",
				cycleLimit, wantAcks-book.acknowledgements(), wantCommits-book.commits(), book.errors())
		}
	}
}

// check reads everything with a client of its own and compares it with the ledger.
func check(t *testing.T, tg target, admin *kadm.Client, book *ledger) (faults []string) {
	t.Helper()
	ends, err := admin.ListEndOffsets(t.Context(), crashTopic)
	if err != nil {
		t.Fatal(err)
	}
	total := 0
	ends.Each(func(o kadm.ListedOffset) { total += int(o.Offset) })
	cl := kafkaClient(t, tg, kgo.ConsumeTopics(crashTopic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	reader := newReading()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for reader.records < total {
		fetches := cl.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			t.Fatalf("after %d of %d records: %v", reader.records, total, err)
		}
		fetches.EachRecord(reader.add)
	}
	faults = append(reader.faults, book.compare(reader)...)
	committed, err := admin.FetchOffsets(t.Context(), crashGroup)
	if err != nil {
		t.Fatal(err)
	}
	for partition, least := range book.committed() {
		if o, found := committed.Lookup(crashTopic, partition); !found || o.At < least {
			faults = append(faults, fmt.Sprintf("partition %d: committed offset is %d, %d was acknowledged", partition, o.At, least))
		}
	}
	t.Logf("%d records read, %d acknowledged", total, book.acknowledgements())
	const most = 20
	if len(faults) > most {
		faults = append(faults[:most], fmt.Sprintf("and %d more", len(faults)-most))
	}
	return faults
}
