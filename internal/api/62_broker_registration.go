package api

import (
	"github.com/ottla/ottla/internal/controller"
	"github.com/ottla/ottla/internal/wire"
)

// brokerRegistration answers BrokerRegistration 0-4 (KIP-631): a broker comes. Version 1 was for migrations from ZooKeeper, 2 adds
// log directories (KIP-858), 3 the epoch of the last registration (KIP-966), 4 features whose lowest level is 0.
func (a *API) brokerRegistration(c Call, rq *wire.BrokerRegistrationRequest) {
	session := c.Session().Context()
	decideForBroker(a, (*controller.Controller).RegisterBroker, rq, func(response *wire.BrokerRegistrationResponse, err error) {
		if err != nil {
			response = &wire.BrokerRegistrationResponse{ErrorCode: codeOf(err), BrokerEpoch: -1}
		} else if a.BrokerLinked != nil {
			a.BrokerLinked(session, rq.BrokerID, response.BrokerEpoch)
		}
		c.Reply(response)
	})
}
