package txn

import (
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/planted"
)

// The pauses after markers, or the last record of a transaction, could not be written.
const (
	firstPause = 20 * time.Millisecond
	maxPause   = time.Second
)

// conclude writes the decided end of a transaction, and keeps the cause, if there is one. answer is called when that is committed, and then the partitions get
// their markers. A transaction without partitions is complete at once.
func (c *Coordinator) conclude(out *outcome, now time.Time, id string, decided status, cause *Cause, answer func(error)) {
	c.writeBecause(out, id, decided, cause)
	if len(decided.partitions) == 0 {
		c.write(out, id, decided.completed(now))
		out.then(answer)
		return
	}
	m := c.marker(&decided, decided.partitions)
	out.then(func(err error) {
		answer(err)
		if err == nil {
			c.deliver(id, m)
		}
	})
}

func (c *Coordinator) marker(s *status, partitions []kafka.TopicPartition) Marker {
	if planted.In(planted.HalfTheMarkers) {
		partitions = partitions[:(len(partitions)+1)/2]
	}
	return Marker{
		Producer: s.producer(), CoordinatorEpoch: c.options.Epoch, Commit: s.state == PrepareCommit, Version: s.version,
		Partitions: partitions,
	}
}

// deliver has markers written. It is called without the machine, one delivery of a transaction at a time.
func (c *Coordinator) deliver(id string, m Marker) {
	c.options.Markers(m, func(errs []error) {
		c.again(func(out *outcome, now time.Time) { c.delivered(out, now, id, m, errs) })
	})
}

// delivered notes which partitions have their marker. When all have, the transaction is complete.
func (c *Coordinator) delivered(out *outcome, now time.Time, id string, m Marker, errs []error) {
	t := c.open[id]
	if t == nil || !t.state.deciding() {
		return
	}
	var left []kafka.TopicPartition
	for i, tp := range m.Partitions {
		var err error
		if errs != nil {
			err = errs[i]
		}
		switch kafka.CodeOf(err) {
		case kafka.None:
		case kafka.TransactionCoordinatorFenced:
			c.options.Logger.Info("a newer coordinator writes the markers", "transactional.id", id, "epoch", m.CoordinatorEpoch, "error", err)
			return
		case kafka.InvalidProducerEpoch, kafka.UnsupportedForMessageFormat, kafka.UnsupportedVersion:
			// The partition has records of a newer epoch, or cannot have any of this producer: nothing of it is open there.
			c.noteMarkers(now, id, MarkerRefused, tp, err)
			c.options.Logger.Warn("a partition takes no marker", "transactional.id", id, "partition", tp, "error", err)
		default:
			c.noteMarkers(now, id, MarkersDelayed, tp, err)
			c.options.Logger.Debug("a marker could not be written; it is tried again", "transactional.id", id, "partition", tp, "error", err)
			left = append(left, tp)
		}
	}
	if len(left) < len(t.unmarked) {
		t.attempts = 0
	}
	t.unmarked = left
	if len(left) > 0 {
		c.postpone(t, now)
		return
	}
	c.finish(out, t, now)
}

// finish writes that the transaction is complete, and what the next one that waits for that adds to it.
func (c *Coordinator) finish(out *outcome, t *transaction, now time.Time) {
	next := t.completed(now)
	c.write(out, t.id, next)
	out.then(c.orLater(t))
	c.unpark(out, now, t.id, next)
}

// orLater tries again later if the step's records could not be written.
func (c *Coordinator) orLater(t *transaction) func(error) {
	return func(err error) {
		if err != nil {
			c.again(func(_ *outcome, now time.Time) { c.postpone(t, now) })
		}
	}
}

// postpone goes on with a decided transaction after a pause.
func (c *Coordinator) postpone(t *transaction, now time.Time) {
	if !t.state.deciding() {
		return
	}
	t.retryAt = now.Add(min(firstPause<<min(t.attempts, 10), maxPause))
	t.attempts++
	if c.nextRetry.IsZero() || t.retryAt.Before(c.nextRetry) {
		c.nextRetry = t.retryAt
	}
}

// retry goes on with the transactions whose pause is over.
func (c *Coordinator) retry(out *outcome, now time.Time) {
	c.nextRetry = time.Time{}
	for _, t := range sorted(c.open) {
		switch {
		case t.retryAt.IsZero():
		case !out.full() && !now.Before(t.retryAt):
			c.goOn(out, t, now)
		case c.nextRetry.IsZero() || t.retryAt.Before(c.nextRetry):
			c.nextRetry = t.retryAt
		}
	}
}

// goOn has the markers written that are missing, or the last record.
func (c *Coordinator) goOn(out *outcome, t *transaction, now time.Time) {
	t.retryAt = time.Time{}
	if len(t.unmarked) == 0 {
		c.finish(out, t, now)
		return
	}
	m := c.marker(&t.status, t.unmarked)
	id, later := t.id, c.orLater(t)
	out.then(func(err error) {
		if err != nil {
			later(err)
			return
		}
		c.deliver(id, m)
	})
}
