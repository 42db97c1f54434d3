package txn

import (
	"math"
	"time"

	"github.com/ottla/ottla/internal/causes"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/statemachine"
)

// End is a producer's wish to end its transaction.
type End struct {
	TransactionalID string
	Producer        statemachine.Producer
	Commit          bool
	Version         int16 // of transaction.version that the producer uses: 2 (epoch bump) or 0
	Client          causes.Client
}

// End commits or aborts the open transaction. The answer comes when that is decided for good, before partitions have their
// markers. A producer of TV2 is told the id and epoch of its next transaction, again when it asks again; others get
// NoProducer.
func (c *Coordinator) End(now time.Time, rq End, answer func(statemachine.Producer, error)) statemachine.Output {
	return c.end(now, rq, noProducerID, answer)
}

// end is End with a new producer id, in case that it needs one.
func (c *Coordinator) end(now time.Time, rq End, fresh int64, answer func(statemachine.Producer, error)) statemachine.Output {
	var out outcome
	c.begin(&out, now)
	failed := func(err error) { answer(NoProducer, err) }
	next, err := c.ending(now, &rq, fresh)
	switch {
	case err == errNeedsProducerID:
		c.withProducerID(&out, func(current *Coordinator, now time.Time, id int64) statemachine.Output {
			return current.end(now, rq, id, answer)
		}, failed)
	case err != nil:
		c.noteRefused(now, rq.TransactionalID, rq.Client, rq.Producer, err)
		out.then(func(log error) { failed(either(log, err)) })
	case next.state.deciding():
		told := rq.told(next.completed(now))
		c.conclude(&out, now, rq.TransactionalID, next, rq.aborting(&next), func(log error) {
			if log != nil {
				failed(log)
				return
			}
			answer(told, nil)
		})
	default: // a retry of what is done
		told := rq.told(next)
		out.then(func(log error) {
			if log != nil {
				failed(log)
				return
			}
			answer(told, nil)
		})
	}
	return out.Output
}

// told is what a producer hears of its next transaction.
func (rq *End) told(s status) statemachine.Producer {
	if rq.Version < epochBump {
		return NoProducer
	}
	return s.producer()
}

// ending decides how a transaction ends: with the status that decides it, or the present one if nothing is left to do.
func (c *Coordinator) ending(now time.Time, rq *End, fresh int64) (status, error) {
	t := c.transactions[rq.TransactionalID]
	switch {
	case t == nil:
		return status{}, unknownID(rq.TransactionalID)
	case rq.Version >= epochBump:
		return t.endingWithBump(now, rq, fresh)
	case t.producerID != rq.Producer.ID:
		return status{}, t.otherProducer(rq.Producer.ID)
	case t.epoch != rq.Producer.Epoch:
		return status{}, t.fenced(rq.Producer)
	case t.state.deciding():
		return status{}, t.busy()
	case t.state == Ongoing:
		return t.ended(rq.Commit, 0, now), nil
	case t.state == completeState(rq.Commit):
		return t.status, nil
	}
	return status{}, t.wrongState(rq.Commit)
}

// endingWithBump decides for a producer of TV2, which never ends two transactions with one epoch: an epoch behind by one
// tells that it asks again, the present one that it means another transaction, even if the coordinator knows of none.
//
//	                 abort             commit
//	             again   present    again   present
//	Empty        fenced  ended      fenced  wrong
//	CompleteAbort  ok    ended      wrong   wrong
//	CompleteCommit wrong ended      ok      wrong
func (t *transaction) endingWithBump(now time.Time, rq *End, fresh int64) (status, error) {
	p := rq.Producer
	again := t.epoch == p.Epoch+1 && t.state != Empty && t.state != Ongoing
	// The epoch before was the last of the id before.
	againWithOldID := t.previousID == p.ID && p.Epoch == lastUsableEpoch && t.epoch == 0
	switch {
	case t.state.deciding():
		return status{}, t.busy()
	case t.producerID != p.ID && !againWithOldID:
		return status{}, t.otherProducer(p.ID)
	case t.state == Ongoing || t.state == Empty:
		if t.epoch != p.Epoch {
			return status{}, t.fenced(p)
		}
	case !again && !againWithOldID && t.epoch != p.Epoch:
		return status{}, t.fenced(p)
	}
	switch {
	case t.state == Ongoing:
		return t.endedWithBump(rq.Commit, rq.Version, now, fresh)
	case (again || againWithOldID) && t.state == completeState(rq.Commit):
		return t.status, nil
	case again || againWithOldID || rq.Commit:
		return status{}, t.wrongState(rq.Commit)
	}
	next, err := t.endedWithBump(false, rq.Version, now, fresh)
	next.started = next.updated // nothing was added, so nothing else says when it began
	return next, err
}

func completeState(commit bool) State {
	if commit {
		return CompleteCommit
	}
	return CompleteAbort
}

// ended is the status that decides the end of the transaction.
func (s *status) ended(commit bool, version int16, now time.Time) status {
	state := PrepareAbort
	if commit {
		state = PrepareCommit
	}
	next := s.then(state, now)
	next.nextID, next.version = noProducerID, version
	return next
}

// endedWithBump is ended with the next epoch (TV2). The highest epoch of all goes to markers only: the producer goes on
// with a new id.
func (t *transaction) endedWithBump(commit bool, version int16, now time.Time, fresh int64) (status, error) {
	next := t.ended(commit, version, now)
	if t.exhausted() {
		if fresh == noProducerID {
			return next, errNeedsProducerID
		}
		next.nextID = fresh
	}
	next.lastEpoch = t.epoch
	switch {
	case t.epoch < math.MaxInt16:
		next.epoch++
	case commit:
		return next, kafka.Errorf(kafka.UnknownServerError, "%s has used up the epochs of producer id %d", t.id, t.producerID)
	}
	return next, nil
}

// completed is the status that follows once all partitions have their marker.
func (s status) completed(now time.Time) status {
	next := s.then(s.state.complete(), now)
	if s.version >= epochBump && s.nextID != noProducerID {
		next.producerID, next.epoch = s.nextID, 0
	}
	next.nextID, next.partitions = noProducerID, nil
	return next
}

func (t *transaction) wrongState(commit bool) error {
	wish := "abort"
	if commit {
		wish = "commit"
	}
	return kafka.Errorf(kafka.InvalidTxnState, "%s has no transaction to %s: it is in %s", t.id, wish, t.state)
}
