package txn

import (
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/ottla/ottla/internal/causes"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/statemachine"
)

// Settings are the broker's settings that a coordinator obeys. They may change while it runs.
type Settings struct {
	MaxTimeout     time.Duration // transaction.max.timeout.ms
	TwoPhaseCommit bool          // transaction.two.phase.commit.enable
	IDExpiration   time.Duration // transactional.id.expiration.ms
	AbortInterval  time.Duration // transaction.abort.timed.out.transaction.cleanup.interval.ms
	ExpiryInterval time.Duration // transaction.remove.expired.transaction.cleanup.interval.ms
	Version        int16         // the finalized level of the feature transaction.version
}

// Marker says how a producer's transaction ended, to the partitions that belong to it.
type Marker struct {
	Producer         statemachine.Producer
	CoordinatorEpoch int32
	Commit           bool
	// Version is the transaction.version of the producer that ended the transaction: from 2 on a marker has a higher epoch
	// than the records before it.
	Version    int16
	Partitions []kafka.TopicPartition // sorted, each once
}

// Options are what a coordinator gets from outside.
type Options struct {
	// Epoch is the leader epoch of the partition of __transaction_state: that of the coordinator in markers.
	Epoch    int32
	Settings func() Settings
	// NewProducerID calls done with a producer id that nobody has had, now or later, on any goroutine.
	NewProducerID func(done func(id int64, err error))
	// Markers writes a marker into each of its partitions and calls done once with the outcome of each, in their order; nil
	// if all succeeded. A partition that exists no more has succeeded. done may be called on any goroutine, and before
	// Markers returns.
	Markers func(m Marker, done func(errs []error))
	// Again has the coordinator's engine run a further step: what a step does after its records are committed. It is
	// called without the machine. failed is called instead of the step if nobody coordinates the partition here any more.
	Again  func(op func(c *Coordinator, now time.Time) statemachine.Output, failed func(error))
	Logger *slog.Logger
}

// Coordinator is the state machine of one partition of __transaction_state. Its methods are called one at a time.
type Coordinator struct {
	options Options
	// live is false while the log is loaded.
	live         bool
	loaded       time.Time // when it became live
	transactions map[string]*transaction
	// open are the transactions that are ongoing or whose end is decided.
	open map[string]*transaction

	// written is what the running step has written and Replay has yet to apply: Replay takes the rest of the status from
	// it that the log does not tell. It is of no use to the next step if the append failed.
	written []change

	nextAbort time.Time // when transactions that took too long are looked for
	nextRetry time.Time // of decided transactions; zero: none
	expiry    sweep

	parked        map[string][]parked // by transactional id, of decided transactions only
	nextImpatient time.Time           // when the first of them has waited long enough; zero: none

	now    time.Time // of the step that runs
	causes causes.Ring[Cause, *Cause]
}

// change is a status on its way through the log.
type change struct {
	id string
	status
	cause *Cause // why, if that is worth keeping
}

var (
	_ statemachine.Machine = (*Coordinator)(nil)
	_ statemachine.Stopper = (*Coordinator)(nil)
)

// New returns a coordinator without transactional ids.
func New(options Options) *Coordinator {
	return &Coordinator{options: options, transactions: map[string]*transaction{}, open: map[string]*transaction{}, parked: map[string][]parked{}}
}

// NextWake implements statemachine.Machine. It costs the same for any number of transactional ids.
func (c *Coordinator) NextWake() time.Time {
	if !c.live {
		return time.Unix(0, 0) // the log is loaded: decided transactions get their markers at once
	}
	next := c.expiry.next
	if !c.nextRetry.IsZero() && c.nextRetry.Before(next) {
		next = c.nextRetry
	}
	if !c.nextImpatient.IsZero() && c.nextImpatient.Before(next) {
		next = c.nextImpatient
	}
	if len(c.open) > 0 && c.nextAbort.Before(next) {
		next = c.nextAbort
	}
	return next
}

// Wake implements statemachine.Machine: it turns away who has waited long enough, goes on with what has failed, aborts what
// took too long, or else expires transactional ids.
func (c *Coordinator) Wake(now time.Time) statemachine.Output {
	var out outcome
	c.begin(&out, now)
	switch {
	case len(out.Then) > 0:
	case !c.nextImpatient.IsZero() && !now.Before(c.nextImpatient):
		c.turnAway(&out, now)
	case !c.nextRetry.IsZero() && !now.Before(c.nextRetry):
		c.retry(&out, now)
	case len(c.open) > 0 && !now.Before(c.nextAbort):
		c.abortTimedOut(&out, now)
	case !now.Before(c.expiry.next):
		c.expire(&out, now)
	}
	return out.Output
}

// begin opens a step. The first one after the load sets the clocks going and has markers written for transactions whose
// end is decided.
func (c *Coordinator) begin(out *outcome, now time.Time) {
	c.written, c.now = nil, now
	if c.live {
		return
	}
	c.live, c.loaded = true, now
	settings := c.options.Settings()
	c.nextAbort = now.Add(settings.AbortInterval)
	c.expiry.next = now.Add(settings.ExpiryInterval)
	for _, t := range sorted(c.open) {
		if t.state.deciding() {
			c.goOn(out, t, now)
		}
	}
}

// sorted lists transactions by id: what depends on the order of a map would differ from run to run.
func sorted(transactions map[string]*transaction) []*transaction {
	all := make([]*transaction, 0, len(transactions))
	for _, id := range slices.Sorted(maps.Keys(transactions)) {
		all = append(all, transactions[id])
	}
	return all
}
