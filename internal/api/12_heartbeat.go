package api

import (
	"time"

	"github.com/ottla/ottla/internal/group"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/wire"
)

// heartbeat answers Heartbeat 0-4; version 3 adds static members. While the group is still being loaded the answer is that
// all is well, as in Kafka: nothing can be known yet, and sessions begin anew after the load.
func (a *API) heartbeat(c Call, rq *wire.HeartbeatRequest) {
	answer := func(err error) {
		if kafka.CodeOf(err) == kafka.CoordinatorLoadInProgress {
			err = nil
		}
		c.Reply(&wire.HeartbeatResponse{ErrorCode: codeOf(err)})
	}
	from := clientOf(c)
	a.askNamedGroup(rq.GroupID, func(g *group.Coordinator, now time.Time) statemachine.Output {
		return g.Heartbeat(now, from, rq, errWithinCommitTimeout(a, answer))
	}, answer)
}
