package txn

import (
	"time"

	"github.com/ottla/ottla/internal/statemachine"
)

// abortTimedOut aborts transactions that were open for longer than their timeout, and fences their producers. It looks for
// them every transaction.abort.timed.out.transaction.cleanup.interval.ms; what a full step leaves has the next one.
func (c *Coordinator) abortTimedOut(out *outcome, now time.Time) {
	settings := c.options.Settings()
	c.nextAbort = now.Add(settings.AbortInterval)
	for _, t := range sorted(c.open) {
		switch {
		case !t.timedOut(now):
		case out.full():
			c.nextAbort = now
			return
		default:
			c.abort(out, t, now, noProducerID)
		}
	}
}

func (t *transaction) timedOut(now time.Time) bool {
	return t.state == Ongoing && t.timeout != noTimeout && t.started+int64(t.timeout) < now.UnixMilli()
}

// abort aborts a transaction that took too long. If that cannot be written, the next look finds it again.
func (c *Coordinator) abort(out *outcome, t *transaction, now time.Time, fresh int64) {
	id := t.id
	next, err := t.fence(c.options.Settings().Version, now, fresh)
	if err == errNeedsProducerID {
		c.withProducerID(out, func(current *Coordinator, now time.Time, fresh int64) statemachine.Output {
			var out outcome
			current.begin(&out, now)
			if t := current.open[id]; t != nil && t.timedOut(now) {
				current.abort(&out, t, now, fresh)
			}
			return out.Output
		}, func(err error) { c.notAborted(id, err) })
		return
	}
	timeout := t.timeout
	c.conclude(out, now, id, next, t.expiring(now, &next), func(err error) {
		if err != nil {
			c.notAborted(id, err)
			return
		}
		c.options.Logger.Info("a transaction took too long and is aborted; its producer is fenced",
			"transactional.id", id, "producer.id", next.producerID, "transaction.timeout.ms", timeout)
	})
}

func (c *Coordinator) notAborted(id string, err error) {
	c.options.Logger.Warn("a transaction that took too long cannot be aborted yet", "transactional.id", id, "error", err)
}
