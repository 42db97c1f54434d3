package controller

import (
	"time"

	"github.com/ottla/ottla/internal/statemachine"
)

// BrokerUnlinked takes note that the connection of a broker to this node has ended. It may have another one, so its session
// goes on; but until it is heard of again, its next incarnation may register: a process that was restarted need not
// wait until the session of the one before has run out.
func (c *Controller) BrokerUnlinked(_ time.Time, id int32, epoch int64) statemachine.Output {
	if s := c.sessions[id]; s != nil && s.epoch == epoch {
		s.unlinked = true
	}
	return statemachine.Output{}
}

// BrokerDead fences a broker whose process is known to be dead, without waiting for its session to run out.
func (c *Controller) BrokerDead(_ time.Time, id int32, epoch int64) statemachine.Output {
	b, s := c.Image().Broker(id), c.sessions[id]
	if c.ready() != nil || b == nil || b.Epoch != epoch || b.Fenced || !s.unlinked {
		return statemachine.Output{}
	}
	return unasked(c.fenceRecords(b))
}
