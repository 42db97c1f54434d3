package txn

import (
	"time"

	"github.com/ottla/ottla/internal/causes"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/statemachine"
)

// AddPartitions are partitions that a transaction writes to, or that somebody wants to know to be part of it.
type AddPartitions struct {
	TransactionalID string
	Producer        statemachine.Producer
	Partitions      []kafka.TopicPartition
	// VerifyOnly adds nothing: partitions that do not belong to the transaction fail with TRANSACTION_ABORTABLE (KIP-890).
	VerifyOnly bool
	Client     causes.Client // who asks, if that is the producer itself
	Version    int16         // of transaction.version that the producer uses: 2, if a partition's leader adds it for the producer, or 0
	// Patience is how long partitions that are to be added wait for the end of the producer's last transaction, whose
	// markers are on their way, before the answer is CONCURRENT_TRANSACTIONS.
	Patience time.Duration
}

// AddPartitions adds partitions to the transaction of a producer, which is open from then on, or verifies that they belong
// to it. The answer has an error for each partition in the order of the request, nil if there is none at all. Nothing of rq
// is used after AddPartitions has returned.
func (c *Coordinator) AddPartitions(now time.Time, rq *AddPartitions, answer func(errs []error)) statemachine.Output {
	var out outcome
	c.begin(&out, now)
	t := c.transactions[rq.TransactionalID]
	switch {
	case rq.VerifyOnly:
		errs := c.verify(rq)
		for _, err := range errs {
			c.noteRefused(now, rq.TransactionalID, rq.Client, rq.Producer, err)
		}
		out.addressed(len(rq.Partitions), answer, errs)
	case t == nil:
		err := unknownID(rq.TransactionalID)
		c.noteRefused(now, rq.TransactionalID, rq.Client, rq.Producer, err)
		out.addressed(len(rq.Partitions), answer, alike(len(rq.Partitions), err))
	case t.state.deciding() && rq.Patience > 0:
		c.park(now, rq, answer)
	default:
		c.add(&out, now, t, rq, answer)
	}
	return out.Output
}

// addressed gives n partitions their errors, nil for none, or that of the log.
func (o *outcome) addressed(n int, answer func([]error), errs []error) {
	o.then(func(log error) {
		if log != nil {
			errs = alike(n, log)
		}
		answer(errs)
	})
}

// add adds partitions to a transaction, and returns the status that it has written for that; nil if none.
func (c *Coordinator) add(out *outcome, now time.Time, t *transaction, rq *AddPartitions, answer func([]error)) (next *status) {
	next, err := t.adding(now, rq)
	var errs []error
	if err != nil {
		c.noteRefused(now, rq.TransactionalID, rq.Client, rq.Producer, err)
		errs = alike(len(rq.Partitions), err)
	} else if next != nil {
		c.write(out, rq.TransactionalID, *next)
	}
	out.addressed(len(rq.Partitions), answer, errs)
	return next
}

func alike(n int, err error) []error {
	errs := make([]error, n)
	for i := range errs {
		errs[i] = err
	}
	return errs
}

// adding is the status with more partitions, nil if they are all there.
func (t *transaction) adding(now time.Time, rq *AddPartitions) (*status, error) {
	switch {
	case t.state.deciding():
		return nil, t.busy()
	case t.producerID != rq.Producer.ID:
		return nil, t.otherProducer(rq.Producer.ID)
	case t.epoch != rq.Producer.Epoch:
		return nil, t.fenced(rq.Producer)
	case t.state == Ongoing && t.hasAll(rq.Partitions):
		return nil, nil
	}
	next := t.then(Ongoing, now)
	next.partitions, next.version = t.with(rq.Partitions), rq.Version
	if t.state != Ongoing {
		next.started = next.updated
	}
	if next.owner == nil && rq.Client != (causes.Client{}) {
		owner := rq.Client
		next.owner = &owner
	}
	return &next, nil
}

func (s *status) hasAll(partitions []kafka.TopicPartition) bool {
	for _, tp := range partitions {
		if !s.has(tp) {
			return false
		}
	}
	return true
}

// verify tells which partitions do not belong to the transaction of a producer.
func (c *Coordinator) verify(rq *AddPartitions) []error {
	t := c.transactions[rq.TransactionalID]
	n := len(rq.Partitions)
	switch {
	case t == nil:
		return alike(n, unknownID(rq.TransactionalID))
	case t.producerID != rq.Producer.ID:
		return alike(n, t.otherProducer(rq.Producer.ID))
	case t.epoch != rq.Producer.Epoch:
		return alike(n, t.fenced(rq.Producer))
	case t.state.deciding():
		return alike(n, t.busy())
	}
	var errs []error
	for i, tp := range rq.Partitions {
		if t.has(tp) {
			continue
		}
		if errs == nil {
			errs = make([]error, n)
		}
		errs[i] = kafka.Errorf(kafka.TransactionAbortable, "%s is not part of the transaction of %s, which is in %s", tp, t.id, t.state)
	}
	return errs
}
