package api

import (
	"sync/atomic"
	"time"

	"github.com/ottla/ottla/internal/config"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/statemachine"
)

// commitWait is an answer about offsets that a group's coordinator has written, and that not all replicas may have in time.
type commitWait[R any] struct {
	api      *API
	answer   func(R, error)
	timeout  time.Duration
	answered atomic.Bool
	expiry   deadline
}

// withinCommitTimeout is answer, or, if that takes longer than offsets.commit.timeout.ms, COORDINATOR_NOT_AVAILABLE: the offsets are
// written, and may be committed later, once enough replicas are in sync.
func withinCommitTimeout[R any](a *API, answer func(R, error)) func(R, error) {
	w := &commitWait[R]{api: a, answer: answer, timeout: a.Config().Duration(config.OffsetsCommitTimeoutMs)}
	a.deadlines.add(&w.expiry, time.Now().Add(w.timeout), w)
	return w.inTime
}

func (w *commitWait[R]) inTime(results R, err error) {
	if w.retain() {
		w.api.deadlines.remove(&w.expiry)
		w.answer(results, err)
	}
}

// retain implements expiring: there is one answer.
func (w *commitWait[R]) retain() bool { return w.answered.CompareAndSwap(false, true) }

// expired implements expiring.
func (w *commitWait[R]) expired() {
	var none R
	w.answer(none, statemachine.CoordinatorError(kafka.Errorf(kafka.RequestTimedOut,
		"the offsets were written but not committed within %v (offsets.commit.timeout.ms)", w.timeout)))
}
