package api

import (
	"time"

	"github.com/ottla/ottla/internal/group"
	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/txn"
)

// WhyGroup tells how a group is, and why it rebalanced, if this broker is its coordinator. It is not part of Kafka's
// protocol: the HTTP endpoint asks. answer is called once, on any goroutine.
func (a *API) WhyGroup(groupID string, answer func(*group.Report, error)) {
	a.askNamedGroup(groupID, func(g *group.Coordinator, now time.Time) statemachine.Output {
		return g.Why(now, groupID, answer)
	}, func(err error) { answer(nil, err) })
}

// WhyTransaction tells how a transactional id is, and why its producers were fenced and its transactions aborted, if this broker
// is its coordinator. It is not part of Kafka's protocol: the HTTP endpoint asks. answer is called once, on any goroutine.
func (a *API) WhyTransaction(transactionalID string, answer func(*txn.Report, error)) {
	a.askTransaction(transactionalID, func(t *txn.Coordinator, now time.Time) statemachine.Output {
		return t.Why(now, transactionalID, answer)
	}, func(err error) { answer(nil, err) })
}
