package sim

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ottla/ottla/test/torture/ledger"
)

// write is an idempotent producer with acks=all that gives no record up. Its clock is wrong by up to half an hour.
func (w *clients) write(topic string, id int) {
	random := w.random(uint64(id))
	skew := between(random, -30*time.Minute, 30*time.Minute)
	client := w.connect(kgo.MaxBufferedRecords(200))
	defer client.Close()
	for n := 0; w.ctx.Err() == nil; n++ {
		e := ledger.Entry{Topic: topic, Producer: id, Partition: n % records, Number: n / records}
		record := &kgo.Record{Topic: topic, Partition: int32(e.Partition), Value: e.Value(), Timestamp: time.Now().Add(skew)}
		// The context of a record is not the loop's: what is on its way when the loop ends is finished.
		client.Produce(context.Background(), record, func(r *kgo.Record, err error) {
			if err != nil {
				w.book.Fail(err)
				w.story.note("%v: %v", e, err)
				return
			}
			w.book.Acknowledge(e, r.Offset)
			w.story.note("%v at %d", e, r.Offset)
		})
		if random.IntN(4) == 0 {
			wait(w.ctx, between(random, time.Millisecond, 60*time.Millisecond))
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := client.Flush(ctx); err != nil {
		w.book.Fail(fmt.Errorf("producer %d did not finish: %w", id, err))
	}
}

// transact commits most of its transactions and aborts the others. If one ends with an error, a successor with the same
// transactional id fences it.
func (w *clients) transact(id int) {
	random := w.random(uint64(id))
	t := &transactor{clients: w, id: id, coin: func(n int) int { return random.IntN(n) }, next: map[int]int{}}
	for w.ctx.Err() == nil {
		client := w.connect(kgo.TransactionalID(fmt.Sprint("t-", id)), kgo.TransactionTimeout(20*time.Second))
		for w.ctx.Err() == nil {
			if err := t.transaction(client); err != nil {
				w.story.note("transactor %d: %v", id, err)
				break
			}
			wait(w.ctx, between(random, time.Millisecond, 80*time.Millisecond))
		}
		client.Close()
		wait(w.ctx, 100*time.Millisecond)
	}
}

type transactor struct {
	*clients
	id     int
	coin   func(n int) int
	number int
	next   map[int]int // number of the next record by partition
}

// transactionLimit is how long a client works at a transaction before it thinks better of it.
const transactionLimit = 45 * time.Second

func (t *transactor) transaction(client *kgo.Client) error {
	ctx, cancel := context.WithTimeout(context.Background(), transactionLimit)
	defer cancel()
	name := ledger.Transaction{Topic: payments, Producer: t.id, Number: t.number}
	t.number++
	if err := client.BeginTransaction(); err != nil {
		return err
	}
	all := t.produce(ctx, client, name)
	if err := client.Flush(ctx); err != nil {
		return err
	}
	commit := all() && t.coin(4) > 0
	if commit {
		t.book.Ask(name)
	}
	if err := client.EndTransaction(ctx, kgo.TransactionEndTry(commit)); err != nil {
		return err
	}
	if commit {
		t.book.Confirm(name)
		t.story.note("transaction %d of %d", t.number, t.id)
	}
	return nil
}

// produce sends the records of a transaction; all, after a flush, says whether every one was acknowledged.
func (t *transactor) produce(ctx context.Context, client *kgo.Client, name ledger.Transaction) (all func() bool) {
	var mu sync.Mutex
	failed := false
	for range 1 + t.coin(6) {
		partition := t.coin(records)
		e := ledger.Entry{Topic: payments, Producer: t.id, Partition: partition, Number: t.next[partition]}
		t.next[partition]++
		t.book.Send(name, e)
		client.Produce(ctx, &kgo.Record{Topic: payments, Partition: int32(partition), Value: e.Value()}, func(r *kgo.Record, err error) {
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				failed = true
				return
			}
			t.book.Stored(name, e, r.Offset)
		})
	}
	return func() bool {
		mu.Lock()
		defer mu.Unlock()
		return !failed
	}
}
