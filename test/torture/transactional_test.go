package torture

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kversion"

	"github.com/ottla/ottla/test/torture/ledger"
)

// A protocol is how transactions are spoken of with the broker.
type protocol []kgo.Opt

var (
	// current: partitions are added by producing, each end of a transaction has an epoch of its own (transaction.version=2).
	current = protocol{}
	// old: AddPartitionsToTxn, one epoch until somebody is fenced.
	old = protocol{kgo.MaxVersions(kversion.V3_7_0())}
)

// transactors are the transactional producers of a topic: so many of each protocol.
type transactors struct {
	protocol protocol
	leaves   bool // each transaction is left open, by a producer that nobody hears of again
}

// A transactor commits three of four transactions and aborts the others. Now and then it does not wait for the answer; its
// successor with the same transactional id then fences it.
type transactor struct {
	ctx    context.Context
	t      *testing.T
	seeds  []string
	book   *ledger.Ledger
	topic  topic
	id     int // not that of a writer
	kind   transactors
	random *rand.Rand
	client *kgo.Client
	number int         // of the next transaction
	next   map[int]int // number of the next record by partition
	done   sync.WaitGroup
}

// firstTransactor is the id of the first one of a topic.
const firstTransactor = 100

func startTransactor(ctx context.Context, t *testing.T, seeds []string, topic topic, id int, book *ledger.Ledger, seed uint64) *transactor {
	t.Helper()
	x := &transactor{ctx: ctx, t: t, seeds: seeds, book: book, topic: topic, id: firstTransactor + id, kind: topic.transactors[id], random: rand.New(rand.NewPCG(seed, uint64(id))), next: map[int]int{}}
	x.done.Go(func() {
		for ctx.Err() == nil {
			x.connect()
			if err := x.work(); err != nil && !errors.Is(err, errGone) && !errors.Is(err, context.DeadlineExceeded) { // as was meant
				book.Fail(fmt.Errorf("transactions %d on %s: %w", id, topic.name, err))
			}
			x.client.Close()
		}
	})
	return x
}

func (x *transactor) close() { x.done.Wait() }

// errGone is why a transactor that leaves its transaction open is replaced by another.
var errGone = errors.New("gone")

// transactionTimeout is long enough for a restart of the broker.
const transactionTimeout = 15 * time.Second

func (x *transactor) connect() {
	name, timeout := fmt.Sprintf("%s-%d", x.topic.name, x.id), transactionTimeout
	if x.kind.leaves {
		name, timeout = fmt.Sprintf("%s-%d-%d", x.topic.name, x.id, x.number), time.Second
	}
	opts := append(quickRetries(), kgo.SeedBrokers(x.seeds...), kgo.TransactionalID(name), kgo.TransactionTimeout(timeout),
		kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerLinger(0))
	client, err := kgo.NewClient(append(opts, x.kind.protocol...)...)
	if err != nil {
		panic(err) // a mistake in the options
	}
	x.client = client
}

// work runs transactions until the end of the test, or until one has an unknown outcome.
func (x *transactor) work() error {
	// What is under way when the test ends is finished, within a time.
	ctx, cancel := context.WithCancel(context.WithoutCancel(x.ctx))
	defer cancel()
	defer context.AfterFunc(x.ctx, func() { time.AfterFunc(cycleLimit, cancel) })()
	for x.ctx.Err() == nil {
		if err := x.transaction(ctx); err != nil {
			return err
		}
		time.Sleep(time.Duration(x.random.IntN(3)) * time.Millisecond)
	}
	return nil
}

func (x *transactor) transaction(ctx context.Context) error {
	name := ledger.Transaction{Topic: x.topic.name, Producer: x.id, Number: x.number}
	x.number++
	if err := x.client.BeginTransaction(); err != nil {
		return err
	}
	all := x.produce(ctx, name)
	if x.kind.leaves {
		_ = x.client.Flush(ctx)
		time.Sleep(200 * time.Millisecond)
		return errGone
	}
	commit := x.random.IntN(4) > 0
	if commit || x.random.IntN(2) == 0 {
		if err := x.client.Flush(ctx); err != nil {
			return err
		}
		commit = all() && commit
	} else if err := x.client.AbortBufferedRecords(ctx); err != nil {
		return err
	}
	if commit {
		x.book.Ask(name)
	}
	ending := ctx
	if x.random.IntN(20) == 0 {
		var cancel context.CancelFunc
		ending, cancel = context.WithTimeout(ctx, time.Duration(x.random.IntN(3000))*time.Microsecond)
		defer cancel()
	}
	if err := x.client.EndTransaction(ending, kgo.TransactionEndTry(commit)); err != nil {
		return err
	}
	if commit {
		x.book.Confirm(name)
	}
	return nil
}

// produce sends the records of a transaction; all, after a flush, says whether every one was acknowledged.
func (x *transactor) produce(ctx context.Context, name ledger.Transaction) (all func() bool) {
	var mu sync.Mutex
	failed := false
	for range 1 + x.random.IntN(8) {
		partition := x.random.IntN(x.topic.partitions)
		e := ledger.Entry{Topic: x.topic.name, Producer: x.id, Partition: partition, Number: x.next[partition]}
		x.next[partition]++
		x.book.Send(name, e)
		x.client.Produce(ctx, &kgo.Record{Topic: x.topic.name, Partition: int32(partition), Value: e.Value()}, func(r *kgo.Record, err error) {
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				failed = true
				return
			}
			x.book.Stored(name, e, r.Offset)
		})
	}
	return func() bool {
		mu.Lock()
		defer mu.Unlock()
		return !failed
	}
}
