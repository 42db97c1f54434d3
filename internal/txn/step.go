package txn

import (
	"errors"
	"time"

	"github.com/ottla/ottla/internal/statemachine"
)

const (
	// maxStepRecords and maxStepBytes bound what housekeeping (timeouts, expiry) writes in one step: a batch over
	// max.message.bytes would be refused for ever, and requests wait while a step runs.
	maxStepRecords = 1000
	maxStepBytes   = 256 << 10
)

// outcome is the Output of a step while it is made.
type outcome struct {
	statemachine.Output
	bytes int // of Records
}

// then has f called once everything that the step wrote and saw is committed, or has failed.
func (o *outcome) then(f func(err error)) { o.Then = append(o.Then, f) }

// full reports whether housekeeping should leave the rest to a further step.
func (o *outcome) full() bool { return len(o.Records) >= maxStepRecords || o.bytes >= maxStepBytes }

// write writes the new status of a transactional id.
func (c *Coordinator) write(out *outcome, id string, s status) {
	c.writeBecause(out, id, s, nil)
}

// writeBecause is write with the cause that is kept once the status is in the log.
func (c *Coordinator) writeBecause(out *outcome, id string, s status, cause *Cause) {
	c.written = append(c.written, change{id, s, cause})
	out.add(statusRecord(id, &s, c.options.Settings().Version))
}

// forget writes the tombstone of a transactional id.
func (c *Coordinator) forget(out *outcome, id string) { out.add(tombstone(id)) }

func (o *outcome) add(r statemachine.Record) {
	o.Records = append(o.Records, r)
	o.bytes += len(r.Key) + len(r.Value)
}

// again has a further step of this coordinator run, unless it has stopped by then.
func (c *Coordinator) again(op func(out *outcome, now time.Time)) {
	c.options.Again(func(current *Coordinator, now time.Time) statemachine.Output {
		var out outcome
		if current == c {
			c.begin(&out, now)
			op(&out, now)
		}
		return out.Output
	}, func(error) {})
}

// errNeedsProducerID is what a decision ends with that cannot go on without a new producer id.
var errNeedsProducerID = errors.New("a new producer id is needed")

// withProducerID has a step run once there is a new producer id; failed is called instead if there is none to be had, or
// nobody coordinates the partition any more. The step may meet another coordinator than the one that asks.
func (c *Coordinator) withProducerID(out *outcome, op func(current *Coordinator, now time.Time, id int64) statemachine.Output, failed func(error)) {
	out.then(func(err error) {
		if err != nil {
			failed(err)
			return
		}
		c.options.NewProducerID(func(id int64, err error) {
			if err != nil {
				failed(err)
				return
			}
			c.options.Again(func(current *Coordinator, now time.Time) statemachine.Output { return op(current, now, id) }, failed)
		})
	})
}
