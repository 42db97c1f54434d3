package txn

import (
	"maps"
	"slices"
	"time"
)

// A producer that ends a transaction begins the next one at once, and meets the last one's markers on their way. Kafka tells
// it CONCURRENT_TRANSACTIONS then, and it asks again after a pause, or its partition's leader does. Here the question waits:
// it is answered with the record that completes the last transaction, in the same batch.

// parked is a request to add partitions that waits for the end of the last transaction.
type parked struct {
	rq     AddPartitions
	until  time.Time
	answer func(errs []error)
}

// park keeps a request. Nothing of rq is used later: it is copied.
func (c *Coordinator) park(now time.Time, rq *AddPartitions, answer func([]error)) {
	p := parked{*rq, now.Add(rq.Patience), answer}
	p.rq.Partitions = slices.Clone(rq.Partitions)
	c.parked[rq.TransactionalID] = append(c.parked[rq.TransactionalID], p)
	if c.nextImpatient.IsZero() || p.until.Before(c.nextImpatient) {
		c.nextImpatient = p.until
	}
}

// unpark decides requests that have waited for a transaction, whose last record this step writes.
func (c *Coordinator) unpark(out *outcome, now time.Time, id string, completed status) {
	waiting := c.parked[id]
	delete(c.parked, id)
	after := transaction{id: id, status: completed}
	for i := range waiting {
		if next := c.add(out, now, &after, &waiting[i].rq, waiting[i].answer); next != nil {
			after.status = *next
		}
	}
}

// turnAway answers requests whose patience is over.
func (c *Coordinator) turnAway(out *outcome, now time.Time) {
	c.nextImpatient = time.Time{}
	for _, id := range slices.Sorted(maps.Keys(c.parked)) {
		left := c.parked[id][:0]
		for _, p := range c.parked[id] {
			if !now.Before(p.until) {
				out.addressed(len(p.rq.Partitions), p.answer, alike(len(p.rq.Partitions), c.transactions[id].busy()))
				continue
			}
			left = append(left, p)
			if c.nextImpatient.IsZero() || p.until.Before(c.nextImpatient) {
				c.nextImpatient = p.until
			}
		}
		if c.parked[id] = left; len(left) == 0 {
			delete(c.parked, id)
		}
	}
}

// Stopped implements statemachine.Stopper: requests that wait are told.
func (c *Coordinator) Stopped(err error) {
	for _, id := range slices.Sorted(maps.Keys(c.parked)) {
		for _, p := range c.parked[id] {
			p.answer(alike(len(p.rq.Partitions), err))
		}
	}
	c.parked = nil
}
