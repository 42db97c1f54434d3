package sim

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"

	"github.com/ottla/ottla/test/torture/ledger"
)

// transactors is how many clients work at transactions. Those with an odd number speak the protocol of before KIP-890: partitions are
// added by requests of their own, and the epoch stays the same from one transaction to the next.
const transactors = 2

// firstTransactor is the number of the first of them.
const firstTransactor = 100

// transactionTimeout is long enough for most of what goes wrong, hastyTimeout is not.
const (
	transactionTimeout = 20 * time.Second
	hastyTimeout       = 3 * time.Second
)

// transact commits most of its transactions and aborts the others. If one ends with an error, a successor with the same
// transactional id fences it; now and then one comes without need, in the middle of a transaction.
func (w *clients) transact(id int) {
	random := w.random(uint64(id))
	t := &transactor{clients: w, id: id, coin: func(n int) int { return random.IntN(n) }, next: map[int]int{}}
	t.offsets = t.connect(kgo.RequestRetries(0))
	defer t.offsets.Close()
	for w.ctx.Err() == nil {
		client := t.begin()
		for w.ctx.Err() == nil {
			if _, err := t.transaction(client); err != nil {
				w.story.note("transactor %d: %v", id, err)
				break
			}
			if t.coin(12) == 0 {
				client = t.replace(client)
			}
			wait(w.ctx, between(random, time.Millisecond, 80*time.Millisecond))
		}
		client.Close()
		wait(w.ctx, 100*time.Millisecond)
	}
	t.last()
}

// last commits one more transaction, which must go well once all is healed.
func (t *transactor) last() {
	for end := time.Now().Add(patience); ; wait(context.Background(), 100*time.Millisecond) {
		client := t.begin()
		committed, err := t.transaction(client)
		client.Close()
		if committed {
			return
		}
		if time.Now().After(end) {
			t.cluster.fault("transactor %d commits no transaction after all was healed: %v", t.id, err)
			return
		}
	}
}

type transactor struct {
	*clients
	id     int
	coin   func(n int) int
	number int
	next   map[int]int // number of the next record by partition
	hasty  bool        // the present client's transactions have a short timeout
	// offsets is a client that sends nothing twice: in the old protocol a copy that comes late is part of the next transaction.
	offsets *kgo.Client
}

func (t *transactor) old() bool { return t.id%2 == 1 }

// begin is a client for the transactional id.
func (t *transactor) begin() *kgo.Client {
	timeout := transactionTimeout
	if t.hasty = t.coin(3) == 0; t.hasty {
		timeout = hastyTimeout
	}
	return t.connect(kgo.TransactionalID(fmt.Sprint("t-", t.id)), kgo.TransactionTimeout(timeout))
}

// connect is a client of the transactor's protocol.
func (t *transactor) connect(opts ...kgo.Opt) *kgo.Client {
	if t.old() {
		opts = append(opts, kgo.MaxVersions(kversion.V3_8_0()))
	}
	return t.clients.connect(opts...)
}

// transactionLimit is how long a client works at a transaction before it thinks better of it.
const transactionLimit = 45 * time.Second

func (t *transactor) transaction(client *kgo.Client) (committed bool, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), transactionLimit)
	defer cancel()
	name, all, err := t.work(ctx, client)
	if err != nil {
		return false, err
	}
	if t.hasty && t.coin(8) == 0 { // it falls silent until the coordinator aborts the transaction, if that is there
		wait(t.ctx, hastyTimeout+2*time.Second)
	}
	commit := all && t.coin(4) > 0
	if commit {
		t.book.Ask(name)
	}
	if err := client.EndTransaction(ctx, kgo.TransactionEndTry(commit)); err != nil {
		return false, err
	}
	if commit {
		t.book.Confirm(name)
		t.story.note("transaction %d of %d", t.number, t.id)
	}
	return commit, nil
}

// work is a transaction up to its end: records, and in each second one an offset; all: nothing of it has failed.
func (t *transactor) work(ctx context.Context, client *kgo.Client) (name ledger.Transaction, all bool, err error) {
	name = ledger.Transaction{Topic: payments, Producer: t.id, Number: t.number}
	t.number++
	if err := client.BeginTransaction(); err != nil {
		return name, false, err
	}
	stored := t.produce(ctx, client, name)
	carried := true
	if t.coin(2) == 0 {
		if err := t.carry(ctx, client, name); err != nil {
			if t.old() { // what is on its way may come to lie in the next transaction, unless that has another epoch
				return name, false, err
			}
			t.story.note("offset of transaction %d of %d: %v", name.Number, t.id, err)
			carried = false
		}
	}
	if err := client.Flush(ctx); err != nil {
		return name, false, err
	}
	return name, stored() && carried, nil
}

// replace has a successor take the transactional id from a client in the middle of a transaction, which that then cannot commit.
func (t *transactor) replace(client *kgo.Client) *kgo.Client {
	ctx, cancel := context.WithTimeout(context.Background(), transactionLimit)
	defer cancel()
	defer client.Close()
	name, all, err := t.work(ctx, client)
	next := t.begin()
	if err != nil || !all {
		return next
	}
	if _, _, err := next.ProducerID(ctx); err != nil {
		return next
	}
	t.book.Ask(name)
	if err := client.EndTransaction(ctx, kgo.TryCommit); err == nil {
		t.book.Confirm(name)
		t.cluster.fault("transaction %d of %d was committed by a producer that had been fenced", name.Number, t.id)
	}
	t.story.note("transactor %d was fenced", t.id)
	return next
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

// payers is the group whose offset a transactor's transactions carry: the number of the last one that was committed with an offset,
// and one more.
func payers(id int) string { return fmt.Sprint("payers-", id) }

// carry commits an offset in the open transaction.
func (t *transactor) carry(ctx context.Context, client *kgo.Client, name ledger.Transaction) error {
	producer, epoch, err := client.ProducerID(ctx)
	if err != nil {
		return err
	}
	if t.old() {
		add := kmsg.NewPtrAddOffsetsToTxnRequest()
		add.TransactionalID, add.ProducerID, add.ProducerEpoch, add.Group = fmt.Sprint("t-", t.id), producer, epoch, payers(t.id)
		err := untilSettled(ctx, func() (int16, error) {
			answer, err := add.RequestWith(ctx, t.offsets)
			if err != nil {
				return 0, err
			}
			return answer.ErrorCode, nil
		})
		if err != nil {
			return err
		}
	}
	partition := kmsg.NewTxnOffsetCommitRequestTopicPartition()
	partition.Partition, partition.Offset = 0, int64(name.Number)+1
	topic := kmsg.NewTxnOffsetCommitRequestTopic()
	topic.Topic, topic.Partitions = payments, append(topic.Partitions, partition)
	rq := kmsg.NewPtrTxnOffsetCommitRequest()
	rq.TransactionalID, rq.ProducerID, rq.ProducerEpoch, rq.Group, rq.Generation = fmt.Sprint("t-", t.id), producer, epoch, payers(t.id), -1
	rq.Topics = append(rq.Topics, topic)
	err = untilSettled(ctx, func() (int16, error) {
		answer, err := rq.RequestWith(ctx, t.offsets)
		if err != nil {
			return 0, err
		}
		return answer.Topics[0].Partitions[0].ErrorCode, nil
	})
	if err == nil {
		t.carried.Stored(name)
	}
	return err
}

// untilSettled asks again while the answer is an error that goes by.
func untilSettled(ctx context.Context, ask func() (code int16, err error)) error {
	for {
		code, err := ask()
		if err == nil {
			err = kerr.ErrorForCode(code)
		}
		if !kerr.IsRetriable(err) || ctx.Err() != nil {
			return err
		}
		wait(ctx, 100*time.Millisecond)
	}
}

// readCarried fetches the offsets that transactions have carried, once no transaction is open any more.
func (w *clients) readCarried(ctx context.Context, admin *kadm.Client, all *ledger.Reading) (faults []string) {
	for id := firstTransactor; id < firstTransactor+transactors; id++ {
		at, err := stableOffset(ctx, admin, payers(id))
		if err != nil {
			faults = append(faults, fmt.Sprintf("the offset of %s cannot be fetched after all was healed: %v", payers(id), err))
			continue
		}
		faults = append(faults, w.carried.Faults(w.book, all, id, at)...)
	}
	return faults
}

// stableOffset is a group's offset that no transaction can change any more; 0 if there is none.
func stableOffset(ctx context.Context, admin *kadm.Client, group string) (int64, error) {
	for {
		answer, err := admin.FetchOffsets(kadm.RequireStable(ctx), group)
		if err == nil {
			if o, found := answer.Lookup(payments, 0); !found && answer.Error() == nil {
				return 0, nil
			} else if err = o.Err; found && err == nil {
				return max(o.At, 0), nil
			}
		}
		if ctx.Err() != nil {
			return 0, errors.Join(ctx.Err(), err)
		}
		wait(ctx, 100*time.Millisecond)
	}
}
