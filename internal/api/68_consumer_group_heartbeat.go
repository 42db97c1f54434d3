package api

import (
	"time"

	"github.com/ottla/ottla/internal/config"
	"github.com/ottla/ottla/internal/group"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/wire"
)

// consumerGroupHeartbeat answers ConsumerGroupHeartbeat 0-1 (KIP-848): members of consumer groups join, leave, tell their
// subscriptions and what they own, and learn what they are assigned. From version 1 on they make their own ids, and may
// subscribe by regular expression.
func (a *API) consumerGroupHeartbeat(c Call, rq *wire.ConsumerGroupHeartbeatRequest) {
	answer := func(response *wire.ConsumerGroupHeartbeatResponse, err error) {
		if err != nil {
			response = &wire.ConsumerGroupHeartbeatResponse{ErrorCode: codeOf(err), ErrorMessage: textOf(err)}
		}
		c.Reply(response)
	}
	if err := a.serves(consumerProtocol, groupVersion); err != nil {
		answer(nil, err)
		return
	}
	heartbeat := group.ConsumerHeartbeat{ConsumerGroupHeartbeatRequest: rq, Version: c.version, Client: clientOf(c)}
	if err := group.CheckHeartbeat(heartbeat, a.Config().List(config.GroupConsumerAssignors)); err != nil {
		answer(nil, err)
		return
	}
	a.askGroup(rq.GroupID, func(g *group.Coordinator, now time.Time) statemachine.Output {
		return g.ConsumerHeartbeat(now, heartbeat, withinCommitTimeout(a, answer))
	}, func(err error) { answer(nil, err) })
}

// Kinds of groups besides classic, as group.coordinator.rebalance.protocols names them, and the features that they need.
const (
	consumerProtocol = "consumer"
	groupVersion     = "group.version"
)

// serves says why groups of a kind are not served, or nil: group.coordinator.rebalance.protocols lists it, and the cluster has
// finalized its feature.
func (a *API) serves(protocol, feature string) error {
	for _, name := range a.Config().List(config.GroupCoordinatorRebalanceProtocols) {
		if name == protocol && a.Metadata.Current().Feature(feature) > 0 {
			return nil
		}
	}
	return kafka.UnsupportedVersion
}
