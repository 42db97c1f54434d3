package api

import (
	"github.com/ottla/ottla/internal/controller"
	"github.com/ottla/ottla/internal/wire"
)

// brokerHeartbeat answers BrokerHeartbeat 0-2 (KIP-631): a broker lives, or wants to go. Version 1 adds log directories that are
// offline (KIP-858), 2 those that are cordoned (KIP-1066).
func (a *API) brokerHeartbeat(c Call, rq *wire.BrokerHeartbeatRequest) {
	session := c.Session().Context()
	decideForBroker(a, (*controller.Controller).Heartbeat, rq, func(response *wire.BrokerHeartbeatResponse, err error) {
		if err != nil {
			response = &wire.BrokerHeartbeatResponse{ErrorCode: codeOf(err), IsFenced: true}
		} else if a.BrokerLinked != nil {
			a.BrokerLinked(session, rq.BrokerID, rq.BrokerEpoch)
		}
		c.Reply(response)
	})
}
