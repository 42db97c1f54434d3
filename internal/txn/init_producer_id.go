package txn

import (
	"time"

	"github.com/ottla/ottla/internal/causes"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/statemachine"
)

// Init is a transactional producer that begins, or that begins again after an error.
type Init struct {
	TransactionalID string
	Timeout         int32 // of its transactions, in ms
	// Expected is whom the producer takes itself for, if it has been initialized before (KIP-360).
	Expected *statemachine.Producer
	// TwoPhaseCommit asks for transactions without a timeout, which an outside coordinator ends; KeepPrepared for the open
	// one to be left as it is (KIP-939).
	TwoPhaseCommit, KeepPrepared bool
	Client                       causes.Client
}

// NoProducer stands for no producer id and no epoch.
var NoProducer = statemachine.Producer{ID: noProducerID, Epoch: noProducerEpoch}

// CheckInit says why the settings allow nobody to be initialized so, or nil. It comes before the search for the
// coordinator.
func (s Settings) CheckInit(rq *Init) error {
	switch {
	case rq.TransactionalID == "":
		return kafka.Errorf(kafka.InvalidRequest, "the transactional id is empty")
	case rq.TwoPhaseCommit && !s.TwoPhaseCommit:
		return kafka.Errorf(kafka.TransactionalIDAuthorizationFailed, "two-phase commit is off: set transaction.two.phase.commit.enable=true")
	case rq.KeepPrepared:
		return kafka.Errorf(kafka.UnsupportedVersion, "prepared transactions are not kept yet, as in Kafka 4.3")
	case rq.TwoPhaseCommit:
		return nil
	case rq.Timeout <= 0:
		return kafka.Errorf(kafka.InvalidTransactionTimeout, "transaction.timeout.ms = %d is not positive", rq.Timeout)
	case int64(rq.Timeout) > s.MaxTimeout.Milliseconds():
		return kafka.Errorf(kafka.InvalidTransactionTimeout, "transaction.timeout.ms = %d exceeds the broker's transaction.max.timeout.ms = %d",
			rq.Timeout, s.MaxTimeout.Milliseconds())
	}
	return nil
}

// timeoutOf is the timeout of the producer's transactions, in ms.
func (rq *Init) timeoutOf() int32 {
	if rq.TwoPhaseCommit {
		return noTimeout
	}
	return rq.Timeout
}

// InitProducerID gives the transactional id's producer its id and a new epoch, which fences whoever had it before; an open
// transaction is aborted first, and the producer is to ask again: CONCURRENT_TRANSACTIONS. What CheckInit refuses must not
// come here.
func (c *Coordinator) InitProducerID(now time.Time, rq Init, answer func(statemachine.Producer, error)) statemachine.Output {
	return c.initProducerID(now, rq, noProducerID, answer)
}

// initProducerID is InitProducerID with a new producer id, in case that it needs one.
func (c *Coordinator) initProducerID(now time.Time, rq Init, fresh int64, answer func(statemachine.Producer, error)) statemachine.Output {
	var out outcome
	c.begin(&out, now)
	failed := func(err error) { answer(NoProducer, err) }
	next, err := c.initialize(now, &rq, fresh)
	switch {
	case err == errNeedsProducerID:
		c.withProducerID(&out, func(current *Coordinator, now time.Time, id int64) statemachine.Output {
			return current.initProducerID(now, rq, id, answer)
		}, failed)
	case err != nil:
		if rq.Expected != nil {
			c.noteRefused(now, rq.TransactionalID, rq.Client, *rq.Expected, err)
		}
		out.then(func(log error) { failed(either(log, err)) })
	case next.state == PrepareAbort:
		cause := c.transactions[rq.TransactionalID].taking(&rq, &next)
		next.owner = &rq.Client
		c.conclude(&out, now, rq.TransactionalID, next, cause, func(log error) {
			failed(either(log, kafka.Errorf(kafka.ConcurrentTransactions, "the open transaction of %s is being aborted; try again", rq.TransactionalID)))
		})
	default:
		c.writeBecause(&out, rq.TransactionalID, next, c.transactions[rq.TransactionalID].taking(&rq, &next))
		out.then(func(log error) {
			if log != nil {
				failed(log)
				return
			}
			answer(next.producer(), nil)
		})
	}
	return out.Output
}

// either is the first error that is not nil.
func either(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

// initialize decides what becomes of a transactional id when its producer is initialized.
func (c *Coordinator) initialize(now time.Time, rq *Init, fresh int64) (status, error) {
	t := c.transactions[rq.TransactionalID]
	if t == nil {
		if fresh == noProducerID {
			return status{}, errNeedsProducerID
		}
		created := status{
			producerID: fresh, nextID: noProducerID, epoch: noProducerEpoch, lastEpoch: noProducerEpoch,
		}
		return created.initialized(rq, now), nil
	}
	switch {
	case t.state.deciding():
		return status{}, t.busy()
	case rq.Expected != nil && !t.expects(*rq.Expected):
		return status{}, t.fenced(*rq.Expected)
	case t.state == Ongoing:
		return t.fence(c.options.Settings().Version, now, fresh)
	}
	return t.succeed(rq, now, fresh)
}

// expects reports whether a producer that is initialized again may be the present one: it has its id, or it has the one
// before with the last epoch of that, and did not hear that it got a new one.
func (t *transaction) expects(p statemachine.Producer) bool {
	return p.ID == t.producerID || p.ID == t.previousID && p.Epoch >= lastUsableEpoch
}

// succeed gives the id's producer the next epoch, or a new id when there is none. A producer that did not hear of its last
// epoch bump gets the same epoch again.
func (t *transaction) succeed(rq *Init, now time.Time, fresh int64) (status, error) {
	next := t.initialized(rq, now)
	switch expected := rq.Expected; {
	case expected != nil && expected.Epoch == t.lastEpoch && expected.Epoch != t.epoch:
		next.epoch, next.lastEpoch = t.epoch, t.lastEpoch
		return next, nil
	case expected != nil && expected.Epoch != t.epoch:
		return next, t.fenced(*expected)
	case t.exhausted() && fresh == noProducerID:
		return next, errNeedsProducerID
	case t.exhausted():
		next.producerID, next.epoch = fresh, 0
	}
	return next, nil
}

// initialized is the status after an epoch bump.
func (s *status) initialized(rq *Init, now time.Time) status {
	next := s.then(Empty, now)
	next.epoch = s.epoch + 1 // wraps only if exhausted; then the caller sets it
	next.lastEpoch = noProducerEpoch
	if rq.Expected != nil {
		next.lastEpoch = s.epoch
	}
	next.owner = &rq.Client
	next.timeout = rq.timeoutOf()
	next.partitions = nil
	next.started = noTimestamp
	return next
}

// fence takes the open transaction from its producer, who has died, been replaced or taken too long: the epoch moves on and
// the transaction is aborted (TransactionMetadata.prepareFenceProducerEpoch).
func (t *transaction) fence(version int16, now time.Time, fresh int64) (status, error) {
	if version < epochBump {
		next := t.ended(false, 0, now)
		next.epoch, next.lastEpoch = min(t.epoch, lastUsableEpoch)+1, noProducerEpoch
		return next, nil
	}
	return t.endedWithBump(false, version, now, fresh)
}

func (t *transaction) busy() error {
	return kafka.Errorf(kafka.ConcurrentTransactions, "the last transaction of %s is in %s until every partition has its marker; try again", t.id, t.state)
}

func (t *transaction) fenced(p statemachine.Producer) error {
	return kafka.Errorf(kafka.ProducerFenced, "producer id %d with epoch %d is not, or no more, the producer of %s: that has id %d and epoch %d",
		p.ID, p.Epoch, t.id, t.producerID, t.epoch)
}

func (t *transaction) otherProducer(id int64) error {
	return kafka.Errorf(kafka.InvalidProducerIDMapping, "%s belongs to producer id %d, not to %d", t.id, t.producerID, id)
}

func unknownID(id string) error {
	return kafka.Errorf(kafka.InvalidProducerIDMapping, "transactional id %s is not known: it was never initialized, or has expired (transactional.id.expiration.ms)", id)
}
