package torture

import (
	"context"
	"sync"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ottla/ottla/test/torture/ledger"
)

// A witness reads a topic with transactions all the time, with isolation.level=read_committed: what it sees is decided, though
// others are under way. At the end the checker sees no open transactions any more.
type witness struct {
	client  *kgo.Client
	reading *ledger.Reading
	done    sync.WaitGroup
}

func startWitness(ctx context.Context, t *testing.T, seeds []string, topic topic) *witness {
	t.Helper()
	w := &witness{reading: ledger.NewReading(topic.name, topic.promise)}
	w.client = connect(t, seeds, append(quickRetries(), kgo.ConsumeTopics(topic.name), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()))...)
	w.done.Go(func() {
		for ctx.Err() == nil {
			w.client.PollFetches(ctx).EachRecord(func(r *kgo.Record) { w.reading.Add(r.Partition, r.Offset, r.Value) })
		}
	})
	return w
}

// faults returns what the witness has seen and must not have. told is what was acknowledged before it ended.
func (w *witness) faults(t *testing.T, book *ledger.Ledger, told ledger.Snapshot) []string {
	t.Helper()
	w.done.Wait()
	w.client.Close()
	t.Logf("a witness has read %d records in committed transactions while things went wrong", w.reading.Records())
	return w.reading.Decide(book, told, false)
}
