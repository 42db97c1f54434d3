package api

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ottla/ottla/internal/config"
	"github.com/ottla/ottla/internal/controller"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/wire"
)

// askController has the active controller decide one request; done is called once, after the decision is committed and
// this broker has seen its effect, or with the reason why nothing was decided. A controller in another process gets it
// in an Envelope, again and again until one has decided, for at most request.timeout.ms: one that went away may have
// decided already, and the next then refuses what is there (kafka.server.ForwardingManager does the same).
func askController[Q wire.Message, R any, PR message[R]](a *API, from origin, decide decider[Q, PR], request Q, done func(PR, error)) {
	if a.Remote == nil {
		decideHere(a, decide, request, done)
		return
	}
	if _, err := a.Controller(); err != nil {
		go forward(a, from, decide, request, done)
		return
	}
	decideHere(a, decide, request, func(response PR, err error) {
		if errors.Is(err, kafka.NotController) {
			go forward(a, from, decide, request, done)
			return
		}
		done(response, err)
	})
}

// decideHere has the controller of this process decide, or fails with NOT_CONTROLLER. done is called when this node's image
// has the effect.
func decideHere[Q, R any](a *API, decide decider[Q, R], request Q, done func(R, error)) {
	decideThen(a, decide, request, a.Settled, done)
}

// decideForBroker is decideHere for what a broker asks for itself: done is called once the decision is committed. The broker
// waits for its own image, where it needs to. This node's would only delay the answer: the next heartbeat of a broker that
// lives must not wait for all the logs that this node makes.
func decideForBroker[Q, R any](a *API, decide decider[Q, R], request Q, done func(R, error)) {
	decideThen(a, decide, request, func(f func()) { f() }, done)
}

// decideThen calls done when the decision is settled, or at once if there is none.
func decideThen[Q, R any](a *API, decide decider[Q, R], request Q, settled func(func()), done func(R, error)) {
	fail := func(err error) {
		var none R
		done(none, err)
	}
	engine, err := a.Controller()
	if err != nil {
		fail(err)
		return
	}
	engine.Do(func(c *controller.Controller, now time.Time) statemachine.Output {
		return decide(c, now, request, func(response R, err error) {
			settled(func() { done(response, err) })
		})
	}, fail)
}

// Pauses between attempts to have a request decided.
const (
	firstForwardPause = 2 * time.Millisecond
	maxForwardPause   = 50 * time.Millisecond
)

// forward asks the active controller, wherever it is, until it has decided.
func forward[Q wire.Message, R any, PR message[R]](a *API, from origin, decide decider[Q, PR], request Q, done func(PR, error)) {
	timeout := a.Config().Duration(config.RequestTimeoutMs)
	ctx, cancel := context.WithTimeout(a.context, timeout)
	defer cancel()
	for pause := firstForwardPause; ; pause = min(2*pause, maxForwardPause) {
		response, err := attempt(ctx, a, from, decide, request)
		if err == nil || !undecided(err) {
			done(response, err)
			return
		}
		select {
		case <-ctx.Done():
			done(nil, kafka.Errorf(kafka.RequestTimedOut, "no controller has decided within %v (request.timeout.ms): %v", timeout, err))
			return
		case <-time.After(pause):
		}
	}
}

// undecided reports whether the request is worth another attempt: with another controller, or another connection.
func undecided(err error) bool {
	for _, code := range []kafka.ErrorCode{kafka.NotController, kafka.NetworkException, kafka.BrokerNotAvailable, kafka.RequestTimedOut} {
		if errors.Is(err, code) {
			return true
		}
	}
	return false
}

// attempt asks once: here if the controller is here by now, else where it is.
func attempt[Q wire.Message, R any, PR message[R]](ctx context.Context, a *API, from origin, decide decider[Q, PR], request Q) (PR, error) {
	if _, err := a.Controller(); err == nil {
		type result struct {
			response PR
			err      error
		}
		answer := make(chan result, 1)
		decideHere(a, decide, request, func(response PR, err error) { answer <- result{response, err} })
		r := <-answer
		return r.response, r.err
	}
	sealed, version, err := from.sealed(request)
	if err != nil {
		return nil, fmt.Errorf("BUG: a request cannot be forwarded: %w", err)
	}
	answer := new(wire.EnvelopeResponse)
	if err := a.Remote(ctx, sealed, answer); err != nil {
		return nil, err
	}
	response := PR(new(R))
	settled, err := opened(answer, version, response)
	if err != nil {
		return nil, err
	}
	a.Reached(ctx, settled)
	return response, nil
}
