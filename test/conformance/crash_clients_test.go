package conformance

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// quickRetries makes a client come back soon after the broker does.
func quickRetries() []kgo.Opt {
	return []kgo.Opt{
		kgo.RetryBackoffFn(func(int) time.Duration { return 20 * time.Millisecond }),
		kgo.MetadataMinAge(50 * time.Millisecond), kgo.DialTimeout(time.Second), kgo.RequestTimeoutOverhead(5 * time.Second),
	}
}

// A writer is an idempotent producer that never gives a record up, with several requests on their way at a time.
type writer struct {
	client *kgo.Client
	done   sync.WaitGroup
}

func startWriter(ctx context.Context, t *testing.T, tg target, id int, book *ledger) *writer {
	t.Helper()
	w := &writer{client: kafkaClient(t, tg, append(quickRetries(), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.MaxBufferedRecords(200), kgo.ProducerLinger(0))...)}
	w.done.Go(func() {
		for n := 0; ctx.Err() == nil; n++ {
			e := entry{id, n % crashPartitions, n / crashPartitions}
			// The context of a record is not the loop's: what is on its way when the loop ends is finished.
			w.client.Produce(context.WithoutCancel(ctx), &kgo.Record{Topic: crashTopic, Partition: int32(e.partition), Value: e.value()}, func(r *kgo.Record, err error) {
				if err != nil {
					book.fail(err)
				} else {
					book.acknowledge(e, r.Offset)
				}
			})
		}
	})
	return w
}

// close waits for what is on its way.
func (w *writer) close() {
	w.done.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), cycleLimit)
	defer cancel()
	w.client.Flush(ctx)
	w.client.Close()
}

// An auditor reads as a group of one and commits as it reads.
type auditor struct {
	client *kgo.Client
	done   sync.WaitGroup
}

func startAuditor(ctx context.Context, t *testing.T, tg target, book *ledger) *auditor {
	t.Helper()
	a := &auditor{client: kafkaClient(t, tg, append(quickRetries(), kgo.ConsumerGroup(crashGroup), kgo.ConsumeTopics(crashTopic), kgo.DisableAutoCommit(),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.HeartbeatInterval(200*time.Millisecond), kgo.SessionTimeout(6*time.Second))...)}
	a.done.Go(func() {
		for ctx.Err() == nil {
			a.round(ctx, book)
		}
	})
	return a
}

func (a *auditor) round(ctx context.Context, book *ledger) {
	fetches := a.client.PollRecords(ctx, 200)
	next := map[int32]int64{}
	fetches.EachRecord(func(r *kgo.Record) { next[r.Partition] = r.Offset + 1 })
	if len(next) == 0 {
		return
	}
	if err := a.client.CommitRecords(ctx, fetches.Records()...); err != nil {
		if ctx.Err() == nil {
			book.fail(err)
		}
		return
	}
	book.commit(next)
}

func (a *auditor) close() {
	a.done.Wait()
	a.client.Close()
}
