package api

import (
	"time"

	"github.com/ottla/ottla/internal/controller"
	"github.com/ottla/ottla/internal/statemachine"
)

// askController has the controller decide one request; done is called once, after the decision is committed and this
// broker has seen its effect, or with the reason why nothing was decided.
func askController[Q, R any](a *API, decide func(*controller.Controller, time.Time, Q, controller.Reply[R]) statemachine.Output, request Q, done func(R, error)) {
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
			a.Settled(func() { done(response, err) })
		})
	}, fail)
}
