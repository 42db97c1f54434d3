package api

import (
	"sync/atomic"
	"time"

	"github.com/ottla/ottla/internal/config"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/statemachine"
)

// commitWait is an answer about what a group's coordinator has written, and not all replicas may have in time.
type commitWait[R any] struct {
	api      *API
	answer   func(R, error)
	timeout  time.Duration
	answered atomic.Bool
	expiry   deadline
}

// withinCommitTimeout is answer, or, if that takes longer than offsets.commit.timeout.ms, COORDINATOR_NOT_AVAILABLE: offsets or a member
// are written, and may be committed later, once enough replicas are in sync (CoordinatorRuntime.Builder.withWriteTimeout). It is not for
// JoinGroup and SyncGroup, which wait for other members.
func withinCommitTimeout[R any](a *API, answer func(R, error)) func(R, error) {
	w := &commitWait[R]{api: a, answer: answer, timeout: a.Config().Duration(config.OffsetsCommitTimeoutMs)}
	a.deadlines.add(&w.expiry, time.Now().Add(w.timeout), w)
	return w.inTime
}

// errWithinCommitTimeout is withinCommitTimeout for answers that are nothing but an error.
func errWithinCommitTimeout(a *API, answer func(error)) func(error) {
	inTime := withinCommitTimeout(a, func(_ struct{}, err error) { answer(err) })
	return func(err error) { inTime(struct{}{}, err) }
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
		"what the coordinator wrote was not committed within %v (offsets.commit.timeout.ms)", w.timeout)))
}
