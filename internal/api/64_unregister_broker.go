package api

import (
	"github.com/ottla/ottla/internal/controller"
	"github.com/ottla/ottla/internal/wire"
)

// unregisterBroker answers UnregisterBroker 0 (KIP-631): the controller forgets a broker.
func (a *API) unregisterBroker(c Call, rq *wire.UnregisterBrokerRequest) {
	askController(a, c.origin(), (*controller.Controller).UnregisterBroker, rq, func(response *wire.UnregisterBrokerResponse, err error) {
		if err != nil {
			response = &wire.UnregisterBrokerResponse{ErrorCode: codeOf(err), ErrorMessage: textOf(err)}
		} else {
			response.ErrorMessage = new("") // Kafka's text of no error
		}
		c.Reply(response)
	})
}
