package group

import (
	"time"

	"github.com/ottla/ottla/internal/causes"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/wire"
)

// Heartbeat keeps a member's session alive. REBALANCE_IN_PROGRESS tells it to join again.
func (c *Coordinator) Heartbeat(now time.Time, from causes.Client, rq *wire.HeartbeatRequest, answer func(error)) statemachine.Output {
	var out outcome
	c.begin(&out, now)
	err := c.heartbeat(now, from, rq)
	c.noteFenced(now, rq.GroupID, whoIs(from, rq.MemberID, rq.GroupInstanceID), rq.GenerationID, err)
	reply(&out, answer, err, failure)
	return out.Output
}

// failure is the answer of requests whose answer is an error or nothing.
func failure(err error) error { return err }

func (c *Coordinator) heartbeat(now time.Time, from causes.Client, rq *wire.HeartbeatRequest) error {
	if rq.GroupID == "" {
		return kafka.InvalidGroupID
	}
	if g := c.consumer(rq.GroupID); g != nil {
		return c.beatConsumer(now, g, rq)
	}
	g := c.classic(rq.GroupID)
	if g == nil {
		return errNoMember(rq.GroupID, rq.MemberID)
	}
	m, err := g.member(rq.MemberID, rq.GroupInstanceID)
	if err != nil {
		return err
	}
	if err := g.checkGeneration(rq.GenerationID); err != nil {
		return err
	}
	m.heardFrom(from)
	c.watch(g, m, now, m.sessionTimeout)
	if g.state == preparingRebalance {
		return kafka.RebalanceInProgress
	}
	return nil
}
