package torture

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ottla/ottla/test/torture/ledger"
)

// A topic of the workload with what its clients may rely on after a SIGKILL. The segments are so small that rolls and
// retention happen all the time.
type topic struct {
	name       string
	partitions int
	replicas   int // 0: one
	writers    int
	acks       kgo.Acks
	config     map[string]string
	promise    ledger.Promise
	group      string // that reads it and commits; "" for none

	transactors []transactors // who write to it in transactions
	copies      string        // the topic of which it is a copy, which a copier makes; its group has the name of this topic
	copier      protocol
	rarely      bool // it takes long until all that was written can be read, so that it is not read after each kill
}

// decided reports whether it is read with isolation.level=read_committed.
func (t topic) decided() bool { return t.promise.Transactions }

var topics = []topic{
	{name: "twelve", partitions: 12, writers: 2, acks: kgo.AllISRAcks(), promise: ledger.Promise{Once: true}, group: "auditors",
		config: map[string]string{"internal.segment.bytes": "32768", "index.interval.bytes": "512"}},
	{name: "single", partitions: 1, writers: 2, acks: kgo.AllISRAcks(), promise: ledger.Promise{Once: true}, group: "readers",
		config: map[string]string{"internal.segment.bytes": "65536"}},
	{name: "retained", partitions: 2, writers: 1, acks: kgo.AllISRAcks(), promise: ledger.Promise{Once: true, Trimmed: true},
		config: map[string]string{"internal.segment.bytes": "16384", "retention.bytes": "65536", "file.delete.delay.ms": "100"}},
	{name: "compacted", partitions: 2, writers: 2, acks: kgo.AllISRAcks(), promise: ledger.Promise{Once: true, Latest: true},
		config: map[string]string{"cleanup.policy": "compact", "internal.segment.bytes": "16384", "min.cleanable.dirty.ratio": "0.01"}},
	// A process that is killed takes nothing with it that is in the page cache.
	{name: "cached", partitions: 2, writers: 1, acks: kgo.AllISRAcks(), promise: ledger.Promise{Once: true},
		config: map[string]string{"write.caching": "true", "internal.segment.bytes": "65536"}},
	{name: "one-ack", partitions: 2, writers: 1, acks: kgo.LeaderAck(), promise: ledger.Promise{}},
	{name: "no-ack", partitions: 1, writers: 1, acks: kgo.NoAck(), promise: ledger.Promise{}},
	{name: "payments", partitions: 4, writers: 1, acks: kgo.AllISRAcks(), promise: ledger.Promise{Once: true, Transactions: true},
		transactors: []transactors{{protocol: current}, {protocol: current}, {protocol: old}},
		config:      map[string]string{"internal.segment.bytes": "32768", "index.interval.bytes": "512"}},
	{name: "abandoned", partitions: 1, writers: 1, acks: kgo.AllISRAcks(), promise: ledger.Promise{Once: true, Transactions: true}, rarely: true,
		transactors: []transactors{{protocol: current, leaves: true}, {protocol: old, leaves: true}}},
	{name: "orders", partitions: 2, writers: 1, acks: kgo.AllISRAcks(), promise: ledger.Promise{Once: true, Gapless: true}},
	{name: "copied", partitions: 2, promise: ledger.Promise{Once: true, Transactions: true, Gapless: true}, copies: "orders", copier: current},
	{name: "copied-old", partitions: 2, promise: ledger.Promise{Once: true, Transactions: true, Gapless: true}, copies: "orders", copier: old},
}

// committer is the group that reads it, or that makes it as a copy; "" for none.
func (t topic) committer() string {
	if t.copies != "" {
		return t.name
	}
	return t.group
}

// commits reports whether there are transactions on it that are committed.
func (t topic) commits() bool { return len(t.transactors) > 0 && !t.transactors[0].leaves }

// quickRetries makes a client come back soon after the broker does.
func quickRetries() []kgo.Opt {
	return []kgo.Opt{
		kgo.RetryBackoffFn(func(int) time.Duration { return 20 * time.Millisecond }),
		kgo.MetadataMinAge(50 * time.Millisecond), kgo.DialTimeout(time.Second), kgo.RequestTimeoutOverhead(5 * time.Second),
	}
}

func connect(t *testing.T, seeds []string, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	client, err := kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(seeds...)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

func createTopics(t *testing.T, admin *kadm.Client, topics []topic) {
	t.Helper()
	for _, topic := range topics {
		config := map[string]*string{}
		for name, value := range topic.config {
			config[name] = &value
		}
		if _, err := admin.CreateTopic(t.Context(), int32(topic.partitions), int16(max(1, topic.replicas)), config, topic.name); err != nil {
			t.Fatalf("topic %s: %v", topic.name, err)
		}
	}
}

// burst is how many records a writer sends before it pauses: many kills are to cost time, not space.
const burst = 5

// A writer is a producer that gives no record up, with several requests on their way at a time if it is idempotent.
type writer struct {
	client *kgo.Client
	done   sync.WaitGroup
}

func startWriter(ctx context.Context, t *testing.T, seeds []string, topic topic, id int, book *ledger.Ledger) *writer {
	t.Helper()
	opts := append(quickRetries(), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.MaxBufferedRecords(100), kgo.ProducerLinger(0), kgo.RequiredAcks(topic.acks))
	if topic.acks != kgo.AllISRAcks() {
		opts = append(opts, kgo.DisableIdempotentWrite(), kgo.MaxProduceRequestsInflightPerBroker(1))
	}
	w := &writer{client: connect(t, seeds, opts...)}
	key := fmt.Append(nil, id)
	w.done.Go(func() {
		for n := 0; ctx.Err() == nil; n++ {
			e := ledger.Entry{Topic: topic.name, Producer: id, Partition: n % topic.partitions, Number: n / topic.partitions}
			// The context of a record is not the loop's: what is on its way when the loop ends is finished.
			w.client.Produce(context.WithoutCancel(ctx), &kgo.Record{Topic: topic.name, Partition: int32(e.Partition), Key: key, Value: e.Value()}, func(r *kgo.Record, err error) {
				switch {
				case err != nil:
					book.Fail(err)
				case topic.acks != kgo.NoAck(): // of acks=0 nothing is promised
					book.Acknowledge(e, r.Offset)
				}
			})
			if n%burst == burst-1 {
				time.Sleep(2 * time.Millisecond)
			}
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
	group  string
	done   sync.WaitGroup
}

func startAuditor(ctx context.Context, t *testing.T, seeds []string, topic topic, book *ledger.Ledger) *auditor {
	t.Helper()
	a := &auditor{group: topic.group, client: connect(t, seeds, append(quickRetries(), kgo.ConsumerGroup(topic.group), kgo.ConsumeTopics(topic.name), kgo.DisableAutoCommit(),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.HeartbeatInterval(200*time.Millisecond), kgo.SessionTimeout(6*time.Second))...)}
	a.done.Go(func() {
		for ctx.Err() == nil {
			a.round(ctx, book)
		}
	})
	return a
}

func (a *auditor) round(ctx context.Context, book *ledger.Ledger) {
	fetches := a.client.PollRecords(ctx, 200)
	next := map[ledger.Place]int64{}
	fetches.EachRecord(func(r *kgo.Record) { next[ledger.Place{Topic: r.Topic, Partition: r.Partition}] = r.Offset + 1 })
	if len(next) == 0 {
		return
	}
	if err := a.client.CommitRecords(ctx, fetches.Records()...); err != nil {
		if ctx.Err() == nil {
			book.Fail(err)
		}
		return
	}
	book.Commit(a.group, next)
}

func (a *auditor) close() {
	a.done.Wait()
	a.client.Close()
}
