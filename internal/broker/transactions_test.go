package broker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/vfs"
)

// Of transactions over several partitions, readers see what was committed, whole, and nothing that was aborted; also after a
// power failure.
func TestTransactions(t *testing.T) {
	disk := vfs.NewMemory()
	b := start(t, disk)
	createTopic(t, b, "t", 3)
	producer := connect(t, b, kgo.TransactionalID("writer"), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	var want []string
	for i := range 10 {
		if err := producer.BeginTransaction(); err != nil {
			t.Fatal(err)
		}
		for p := range int32(3) {
			text := fmt.Sprint(i, "-", p)
			if err := producer.ProduceSync(t.Context(), &kgo.Record{Topic: "t", Partition: p, Value: []byte(text)}).FirstErr(); err != nil {
				t.Fatal(err)
			}
			if i%3 != 0 {
				want = append(want, text)
			}
		}
		if err := producer.EndTransaction(t.Context(), kgo.TransactionEndTry(i%3 != 0)); err != nil {
			t.Fatal(err)
		}
	}
	slices.Sort(want)
	if got := committed(t, b, "t", len(want)); !slices.Equal(got, want) {
		t.Errorf("read %v, committed were %v", got, want)
	}
	producer.Close()
	stop(t, b)
	b = start(t, disk.Crash(vfs.LoseUnsynced()))
	defer stop(t, b)
	if got := committed(t, b, "t", len(want)); !slices.Equal(got, want) {
		t.Errorf("read %v after a power failure, committed were %v", got, want)
	}
}

// committed reads records of a topic until it has n, as a read_committed consumer does, and lists their values.
func committed(t testing.TB, b *Broker, topic string, n int) []string {
	t.Helper()
	c := connect(t, b, kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	defer c.Close()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var values []string
	for len(values) < n {
		fetches := c.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			t.Fatalf("%d of %d committed records of %s, then %v", len(values), n, topic, err)
		}
		fetches.EachRecord(func(r *kgo.Record) { values = append(values, string(r.Value)) })
	}
	slices.Sort(values)
	return values
}

// Offsets of a transaction are the group's once it commits, not before, and never if it aborts.
func TestTransactionalOffsets(t *testing.T) {
	disk := vfs.NewMemory()
	b := start(t, disk)
	createTopic(t, b, "in", 1)
	producer := connect(t, b, kgo.TransactionalID("copier"))
	admin := kadm.NewClient(connect(t, b))
	for i, commit := range []bool{true, false, true, false} {
		if err := producer.BeginTransaction(); err != nil {
			t.Fatal(err)
		}
		if err := producer.ProduceSync(t.Context(), &kgo.Record{Topic: "in", Value: []byte("x")}).FirstErr(); err != nil {
			t.Fatal(err)
		}
		if err := commitInTransaction(t.Context(), producer, "copiers", "in", int64(10*(i+1))); err != nil {
			t.Fatal(err)
		}
		if err := producer.EndTransaction(t.Context(), kgo.TransactionEndTry(commit)); err != nil {
			t.Fatal(err)
		}
		want := int64(10)
		if i >= 2 {
			want = 30
		}
		eventually(t, "the offset is decided", func() bool {
			got, err := admin.FetchOffsets(t.Context(), "copiers")
			at, _ := got.Lookup("in", 0)
			return err == nil && at.At == want
		})
	}
	producer.Close()
	stop(t, b)
	b = start(t, disk.Crash(vfs.LoseUnsynced()))
	defer stop(t, b)
	admin = kadm.NewClient(connect(t, b))
	eventually(t, "the group has its offset after a power failure", func() bool {
		got, err := admin.FetchOffsets(t.Context(), "copiers")
		at, _ := got.Lookup("in", 0)
		return err == nil && at.At == 30
	})
}

// commitInTransaction is what a consumer's sendOffsetsToTransaction does.
func commitInTransaction(ctx context.Context, producer *kgo.Client, group, topic string, offset int64) error {
	id, epoch, err := producer.ProducerID(ctx)
	if err != nil {
		return err
	}
	rq := kmsg.NewPtrTxnOffsetCommitRequest()
	rq.TransactionalID, rq.Group, rq.ProducerID, rq.ProducerEpoch = "copier", group, id, epoch
	rq.Topics = []kmsg.TxnOffsetCommitRequestTopic{{Topic: topic, Partitions: []kmsg.TxnOffsetCommitRequestTopicPartition{{Offset: offset, LeaderEpoch: -1}}}}
	response, err := rq.RequestWith(ctx, producer)
	if err != nil {
		return err
	}
	return kerr.ErrorForCode(response.Topics[0].Partitions[0].ErrorCode)
}

// A producer that a newer one with its transactional id has replaced writes nothing more, and what it wrote last is aborted.
func TestZombieIsFenced(t *testing.T) {
	b := start(t, vfs.NewMemory())
	defer stop(t, b)
	createTopic(t, b, "t", 1)
	zombie := connect(t, b, kgo.TransactionalID("writer"))
	produce := func(c *kgo.Client, text string) error {
		if err := c.BeginTransaction(); err != nil {
			t.Fatal(err)
		}
		return c.ProduceSync(t.Context(), &kgo.Record{Topic: "t", Value: []byte(text)}).FirstErr()
	}
	if err := produce(zombie, "lost"); err != nil {
		t.Fatal(err)
	}
	heir := connect(t, b, kgo.TransactionalID("writer"))
	if err := produce(heir, "kept"); err != nil {
		t.Fatal(err)
	}
	if err := heir.EndTransaction(t.Context(), kgo.TryCommit); err != nil {
		t.Fatal(err)
	}
	err := zombie.EndTransaction(t.Context(), kgo.TryCommit)
	if !errors.Is(err, kerr.ProducerFenced) && !errors.Is(err, kerr.InvalidProducerEpoch) {
		t.Errorf("the zombie's commit: %v", err)
	}
	if got := committed(t, b, "t", 1); !slices.Equal(got, []string{"kept"}) {
		t.Errorf("read %v", got)
	}
}

// A transaction that nobody ends is aborted after its timeout, and holds back readers no longer.
func TestAbandonedTransactionIsAborted(t *testing.T) {
	t.Parallel()
	b := start(t, vfs.NewMemory(), "transaction.abort.timed.out.transaction.cleanup.interval.ms=50")
	defer stop(t, b)
	createTopic(t, b, "t", 1)
	abandoned := connect(t, b, kgo.TransactionalID("writer"), kgo.TransactionTimeout(time.Second))
	if err := abandoned.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	if err := abandoned.ProduceSync(t.Context(), &kgo.Record{Topic: "t", Value: []byte("lost")}).FirstErr(); err != nil {
		t.Fatal(err)
	}
	if err := connect(t, b).ProduceSync(t.Context(), &kgo.Record{Topic: "t", Value: []byte("kept")}).FirstErr(); err != nil {
		t.Fatal(err)
	}
	if got := committed(t, b, "t", 1); !slices.Equal(got, []string{"kept"}) {
		t.Errorf("read %v", got)
	}
}
