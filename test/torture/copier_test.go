package torture

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ottla/ottla/test/torture/ledger"
)

// A copier reads one topic and writes another, record by record into the same partition, with its offsets in the same
// transactions. It aborts one of five and then reads again what was in it.
type copier struct {
	from, to string
	protocol protocol
	book     *ledger.Ledger
	random   *rand.Rand
	session  *kgo.GroupTransactSession
	done     sync.WaitGroup
}

func startCopier(ctx context.Context, t *testing.T, seeds []string, to topic, book *ledger.Ledger, seed uint64) *copier {
	t.Helper()
	c := &copier{from: to.copies, to: to.name, protocol: to.copier, book: book, random: rand.New(rand.NewPCG(seed, 99))}
	c.done.Go(func() {
		for ctx.Err() == nil {
			if err := c.open(seeds); err != nil {
				panic(err) // a mistake in the options
			}
			if err := c.work(ctx); err != nil && ctx.Err() == nil {
				book.Fail(fmt.Errorf("copies to %s: %w", c.to, err))
			}
			c.session.Close()
		}
	})
	return c
}

func (c *copier) close() { c.done.Wait() }

func (c *copier) open(seeds []string) (err error) {
	opts := append(quickRetries(), kgo.SeedBrokers(seeds...), kgo.TransactionalID("copier-"+c.to), kgo.TransactionTimeout(transactionTimeout), kgo.ConsumerGroup(c.to),
		kgo.ConsumeTopics(c.from), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.HeartbeatInterval(200*time.Millisecond), kgo.SessionTimeout(6*time.Second), kgo.InstanceID("copier-"+c.to),
		kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerLinger(0))
	c.session, err = kgo.NewGroupTransactSession(append(opts, c.protocol...)...)
	return err
}

func (c *copier) work(ctx context.Context) error {
	// The transaction that the one before has left open ends now. Otherwise that would be at the first record to copy, which
	// does not come before the group's offsets are known, and those wait for the transaction.
	if _, _, err := c.session.Client().ProducerID(ctx); err != nil {
		return err
	}
	for ctx.Err() == nil {
		fetches := c.session.PollRecords(ctx, 50)
		if fetches.NumRecords() == 0 {
			continue
		}
		if err := c.copy(fetches); err != nil {
			return err
		}
	}
	return nil
}

// copy is one transaction.
func (c *copier) copy(fetches kgo.Fetches) error {
	ctx, cancel := context.WithTimeout(context.Background(), cycleLimit)
	defer cancel()
	if err := c.session.Begin(); err != nil {
		return err
	}
	next := map[ledger.Place]int64{}
	var wrong error
	fetches.EachRecord(func(r *kgo.Record) {
		e, err := ledger.Parse(r.Value)
		if err != nil {
			wrong = err
			return
		}
		e.Topic = c.to
		next[ledger.Place{Topic: r.Topic, Partition: r.Partition}] = r.Offset + 1
		c.session.Produce(ctx, &kgo.Record{Topic: c.to, Partition: r.Partition, Value: e.Value()}, func(*kgo.Record, error) {}) // the session knows if one failed
	})
	committed, err := c.session.End(ctx, kgo.TransactionEndTry(wrong == nil && c.random.IntN(5) > 0))
	if committed && err == nil {
		c.book.Commit(c.to, next)
	}
	if err == nil {
		err = wrong
	}
	return err
}

// checkCopies compares what was copied with the offsets that went with it: those of a transaction are there with its records
// or not at all. Between two kills work goes on, so that offsets may be ahead of what was read before; at the end they are equal.
func checkCopies(t *testing.T, admin *kadm.Client, topics []topic, readings map[string]*ledger.Reading, book *ledger.Ledger, whole bool) (faults []string) {
	t.Helper()
	for _, to := range topics {
		if to.copies == "" {
			continue
		}
		told := book.Committed(to.name)
		// The answer comes once no transaction with offsets is open.
		committed := again(t, func() (kadm.OffsetResponses, error) {
			return admin.FetchOffsets(kadm.RequireStable(t.Context()), to.name)
		})
		for p := range to.partitions {
			response, _ := committed.Lookup(to.copies, int32(p))
			offset := max(response.At, 0)
			copied, acknowledged := int64(readings[to.name].Length(0, p)), told[ledger.Place{Topic: to.copies, Partition: int32(p)}]
			switch {
			case copied > offset:
				faults = append(faults, fmt.Sprintf("torn: %d records were copied to %s-%d, but the group's offset is %d", copied, to.name, p, offset))
			case copied < offset && whole:
				faults = append(faults, fmt.Sprintf("torn: %d records were copied to %s-%d, but the group's offset is %d already", copied, to.name, p, offset))
			case offset < acknowledged:
				faults = append(faults, fmt.Sprintf("group %s, %s-%d: committed offset is %d, %d was acknowledged", to.name, to.copies, p, offset, acknowledged))
			}
		}
	}
	return faults
}
