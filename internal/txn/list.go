package txn

import (
	"regexp"
	"slices"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/wire"
)

// Filter says which transactional ids are listed.
type Filter struct {
	anyState    bool
	states      []State
	producerIDs map[int64]bool // empty: all
	duration    int64          // ms that the transaction has been open for, at least; negative: any
	pattern     *regexp.Regexp // of the whole id; nil: any
}

// NewFilter makes the filter of a request. unknown are the names of states that do not exist. A pattern that is none gets
// INVALID_REGULAR_EXPRESSION.
func NewFilter(rq *wire.ListTransactionsRequest) (f Filter, unknown []string, err error) {
	f = Filter{anyState: len(rq.StateFilters) == 0, duration: rq.DurationFilter, producerIDs: map[int64]bool{}}
	for _, name := range rq.StateFilters {
		if state, ok := stateOf(name); ok {
			f.states = append(f.states, state)
		} else if !slices.Contains(unknown, name) {
			unknown = append(unknown, name)
		}
	}
	for _, id := range rq.ProducerIDFilters {
		f.producerIDs[id] = true
	}
	if p := rq.TransactionalIDPattern; p != nil && *p != "" {
		if _, err := regexp.Compile(*p); err != nil {
			return f, unknown, kafka.Errorf(kafka.InvalidRegularExpression, "Transaction ID pattern `%s` is not a valid regular expression: %v.", *p, err)
		}
		f.pattern, err = regexp.Compile(`\A(?:` + *p + `)\z`)
		if err != nil {
			return f, unknown, kafka.Errorf(kafka.InvalidRegularExpression, "Transaction ID pattern `%s` is too large: %v.", *p, err)
		}
	}
	return f, unknown, nil
}

func (f *Filter) matches(t *transaction, now int64) bool {
	return (f.anyState || slices.Contains(f.states, t.state)) &&
		(len(f.producerIDs) == 0 || f.producerIDs[t.producerID]) &&
		(f.duration < 0 || now-t.started > f.duration) &&
		(f.pattern == nil || f.pattern.MatchString(t.id))
}

// List tells the transactional ids that a filter lets through, by id.
func (c *Coordinator) List(now time.Time, f *Filter, answer func([]wire.ListTransactionsResponseTransactionState, error)) statemachine.Output {
	var listed []wire.ListTransactionsResponseTransactionState
	for _, t := range sorted(c.transactions) {
		if f.matches(t, now.UnixMilli()) {
			listed = append(listed, wire.ListTransactionsResponseTransactionState{
				TransactionalID: t.id, ProducerID: t.producerID, TransactionState: t.state.String(),
			})
		}
	}
	var out outcome
	out.then(func(err error) {
		if err != nil {
			listed = nil
		}
		answer(listed, err)
	})
	return out.Output
}
