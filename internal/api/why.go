package api

import (
	"time"

	"github.com/ottla/ottla/internal/group"
	"github.com/ottla/ottla/internal/statemachine"
)

// WhyGroup tells how a group is, and why it rebalanced, if this broker is its coordinator. It is not part of Kafka's
// protocol: the HTTP endpoint asks. answer is called once, on any goroutine.
func (a *API) WhyGroup(groupID string, answer func(*group.Report, error)) {
	a.askNamedGroup(groupID, func(g *group.Coordinator, now time.Time) statemachine.Output {
		return g.Why(now, groupID, answer)
	}, func(err error) { answer(nil, err) })
}
