package broker

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"

	"github.com/ottla/ottla/internal/storagecheck"
	"github.com/ottla/ottla/internal/vfs"
	"github.com/ottla/ottla/test/torture/ledger"
)

var (
	crashSeed   = flag.Uint64("txn.crash.seed", 1, "seed of TestTransactionsSurviveCrashes: what clients do, and before which operations of the disk the power fails")
	crashPoints = flag.Int("txn.crash.points", 6, "how often the power fails")
)

const (
	paidPartitions = 3
	later          = 1 << 16 // the first number of transactions, and of records, after a failure
)

// payer runs transactions: records on several partitions, and an offset that is the number of the transaction plus one.
type payer struct {
	id     int
	old    bool // speaks as clients did before transaction.version=2
	random *rand.Rand
	client *kgo.Client
	book   *ledger.Ledger
	next   [paidPartitions]int // number of the next record
}

func (p *payer) group() string { return fmt.Sprint("payer-", p.id) }

func newPayer(t testing.TB, b *Broker, id int, book *ledger.Ledger) *payer {
	p := &payer{id: id, old: id == 0, book: book, random: rand.New(rand.NewPCG(*crashSeed, uint64(id)))}
	opts := []kgo.Opt{kgo.TransactionalID(p.group()), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerLinger(0), kgo.DefaultProduceTopic("paid")}
	if p.old {
		opts = append(opts, kgo.MaxVersions(kversion.V3_7_0()))
	}
	p.client = connect(t, b, opts...)
	return p
}

// pay is one transaction; one of four is aborted.
func (p *payer) pay(ctx context.Context, number int) error {
	name := ledger.Transaction{Topic: "paid", Producer: p.id, Number: number}
	if err := p.client.BeginTransaction(); err != nil {
		return err
	}
	var records []*kgo.Record
	var entries []ledger.Entry
	for range 1 + p.random.IntN(5) {
		partition := p.random.IntN(paidPartitions)
		e := ledger.Entry{Topic: "paid", Producer: p.id, Partition: partition, Number: p.next[partition]}
		p.next[partition]++
		p.book.Send(name, e)
		entries = append(entries, e)
		records = append(records, &kgo.Record{Partition: int32(partition), Key: strconv.AppendInt(nil, int64(number), 10), Value: e.Value()})
	}
	commit := p.random.IntN(4) > 0
	if err := p.client.ProduceSync(ctx, records...).FirstErr(); err != nil {
		return err
	}
	for i, r := range records {
		p.book.Stored(name, entries[i], r.Offset)
	}
	if err := p.commitOffset(ctx, int64(number+1)); err != nil {
		return err
	}
	if commit {
		p.book.Ask(name)
	}
	if err := p.client.EndTransaction(ctx, kgo.TransactionEndTry(commit)); err != nil {
		return err
	}
	if commit {
		p.book.Confirm(name)
	}
	return nil
}

// commitOffset makes an offset part of the transaction, outside of any group's membership.
func (p *payer) commitOffset(ctx context.Context, offset int64) error {
	id, epoch, err := p.client.ProducerID(ctx)
	if err != nil {
		return err
	}
	if p.old {
		add := kmsg.NewPtrAddOffsetsToTxnRequest()
		add.TransactionalID, add.ProducerID, add.ProducerEpoch, add.Group = p.group(), id, epoch, p.group()
		answer, err := add.RequestWith(ctx, p.client)
		if err == nil {
			err = kerr.ErrorForCode(answer.ErrorCode)
		}
		if err != nil {
			return err
		}
	}
	rq := kmsg.NewPtrTxnOffsetCommitRequest()
	rq.TransactionalID, rq.ProducerID, rq.ProducerEpoch, rq.Group, rq.Generation = p.group(), id, epoch, p.group(), -1
	topic, partition := kmsg.NewTxnOffsetCommitRequestTopic(), kmsg.NewTxnOffsetCommitRequestTopicPartition()
	topic.Topic, partition.Offset = "paid", offset
	topic.Partitions = append(topic.Partitions, partition)
	rq.Topics = append(rq.Topics, topic)
	for {
		answer, err := rq.RequestWith(ctx, p.client)
		if err == nil {
			err = kerr.ErrorForCode(answer.Topics[0].Partitions[0].ErrorCode)
		}
		if err == nil || !kerr.IsRetriable(err) {
			return err
		}
	}
}

// crashPoint is a disk as a power failure leaves it, and what clients had been told.
type crashPoint struct {
	operation int
	loss      string
	disk      *vfs.Memory
	before    ledger.Snapshot // not later than the failure: what has to be there
	after     *ledger.Ledger  // not earlier: what may be there
}

// losses are ways in which a disk loses what was not synced.
var losses = []struct {
	name string
	loss func(seed uint64) vfs.Loss
}{
	{"all that was not synced is lost", func(uint64) vfs.Loss { return vfs.LoseUnsynced() }},
	{"the process alone ended", func(uint64) vfs.Loss { return vfs.KeepUnsynced() }},
	{"some writes are lost", func(seed uint64) vfs.Loss { return vfs.KeepSome(seed, 0) }},
	{"writes are torn", func(seed uint64) vfs.Loss { return vfs.KeepSome(seed, 512) }},
}

// The power fails before random operations of the disk while producers of both protocols commit and abort transactions with
// records and an offset: on each disk that is left a broker starts, every transaction is there with all that is of it or with
// nothing, what was committed is there, what was aborted is not, and the producers go on.
func TestTransactionsSurviveCrashes(t *testing.T) {
	t.Parallel()
	memory := vfs.NewMemory()
	book := ledger.New()
	random := rand.New(rand.NewPCG(*crashSeed, 77))
	var crashes []crashPoint
	next := 1 << 60
	disk := &watchedFS{FS: memory}
	disk.before = func(operation int) {
		if operation < next || len(crashes) == *crashPoints {
			return
		}
		next = operation + 1 + random.IntN(60)
		c := crashPoint{operation: operation, before: book.Snapshot("paid")}
		way := losses[random.IntN(len(losses))]
		c.loss, c.disk = way.name, memory.Crash(way.loss(random.Uint64()))
		c.after = book.Freeze("paid")
		crashes = append(crashes, c)
	}
	b := start(t, disk, "transaction.state.log.num.partitions=3")
	createTopic(t, b, "paid", paidPartitions)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	payers := []*payer{newPayer(t, b, 0, book), newPayer(t, b, 1, book), newPayer(t, b, 2, book)}
	under := make(chan error, len(payers))
	enough := func() bool {
		disk.mu.Lock()
		defer disk.mu.Unlock()
		return len(crashes) == *crashPoints
	}
	for _, p := range payers {
		go func() {
			for number := 0; ; number++ {
				if err := p.pay(ctx, number); err != nil || number > 20 && enough() {
					under <- err
					return
				}
				if number == 5 && p.id == 0 {
					disk.mu.Lock()
					next = disk.mu.operations + 1
					disk.mu.Unlock()
				}
			}
		}()
	}
	for range payers {
		if err := <-under; err != nil {
			t.Fatal(err)
		}
	}
	stop(t, b)
	crashes = append(crashes, crashPoint{operation: disk.mu.operations, loss: "a clean stop", disk: memory, before: book.Snapshot("paid"), after: book})
	for _, c := range crashes {
		t.Run(fmt.Sprintf("operation %d, %s", c.operation, c.loss), func(t *testing.T) { c.check(t) })
	}
	committed, _, others := book.Transactions("paid")
	t.Logf("%d transactions committed, %d not", committed, others)
}

// verify has the offline checker read the disk.
func (c *crashPoint) verify(t *testing.T) {
	t.Helper()
	report, err := storagecheck.Check(t.Context(), c.disk, "/data", storagecheck.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range report.Findings {
		if f.Severity >= storagecheck.Damaged {
			t.Error(f.String())
		}
	}
}

func (c *crashPoint) check(t *testing.T) {
	c.verify(t)
	b := start(t, c.disk, "transaction.state.log.num.partitions=3")
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var payers []*payer
	for id := range 3 { // as after a restart of the producers: their open transactions end
		p := newPayer(t, b, id, ledger.New())
		if _, _, err := p.client.ProducerID(ctx); err != nil {
			t.Fatalf("producer %d: %v", id, err)
		}
		payers = append(payers, p)
	}
	reading := ledger.NewReading("paid", ledger.Promise{Once: true, Transactions: true})
	last := readCommitted(t, b, reading)
	for _, fault := range append(reading.Decide(c.after, c.before, true), reading.Faults(c.before)...) {
		t.Error(fault)
	}
	for _, p := range payers {
		if got, want := stableOffset(t, b, p.group()), int64(last[p.id]); got != want {
			t.Errorf("torn: the offset of producer %d is %d, but records are there of %d transactions", p.id, got, want)
		}
		// And it goes on.
		for partition := range p.next {
			p.next[partition] = later
		}
		for number := later; number < later+3; number++ {
			if err := p.pay(ctx, number); err != nil {
				t.Fatalf("producer %d goes on: %v", p.id, err)
			}
		}
	}
	stop(t, b)
	c.verify(t)
}

// readCommitted reads all that a consumer with isolation.level=read_committed sees up to records that are written for that, and
// returns the number of the last transaction of each producer, plus one.
func readCommitted(t *testing.T, b *Broker, r *ledger.Reading) (last map[int]int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	const fence = 1000
	c := connect(t, b, kgo.RecordPartitioner(kgo.ManualPartitioner()))
	for p := range paidPartitions {
		value := ledger.Entry{Topic: "paid", Producer: fence, Partition: p}.Value()
		if err := c.ProduceSync(ctx, &kgo.Record{Topic: "paid", Partition: int32(p), Value: value}).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	c = connect(t, b, kgo.ConsumeTopics("paid"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	last = map[int]int{}
	for left := paidPartitions; left > 0; {
		fetches := c.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			t.Fatalf("after %d records, with %d partitions to come: %v", r.Records(), left, err)
		}
		fetches.EachRecord(func(record *kgo.Record) {
			r.Add(record.Partition, record.Offset, record.Value)
			e, err := ledger.Parse(record.Value)
			if err != nil {
				t.Fatal(err)
			}
			if e.Producer == fence {
				left--
				return
			}
			number, err := strconv.Atoi(string(record.Key))
			if err != nil {
				t.Fatal(err)
			}
			last[e.Producer] = max(last[e.Producer], number+1)
		})
	}
	return last
}

// stableOffset is the committed offset of a group, 0 if there is none, once no transaction with one is open.
func stableOffset(t *testing.T, b *Broker, group string) int64 {
	t.Helper()
	admin := kadm.NewClient(connect(t, b))
	var offset int64
	eventually(t, "the offset of "+group+" is stable", func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		all, err := admin.FetchOffsets(kadm.RequireStable(ctx), group)
		if err != nil || all.Error() != nil {
			return false
		}
		got, ok := all.Lookup("paid", 0)
		offset = got.At
		return ok || len(all) == 0
	})
	return max(offset, 0)
}
