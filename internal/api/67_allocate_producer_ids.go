package api

import (
	"github.com/ottla/ottla/internal/controller"
	"github.com/ottla/ottla/internal/wire"
)

// allocateProducerIDs answers AllocateProducerIds 0 (KIP-730): a broker asks for its next block of producer ids.
func (a *API) allocateProducerIDs(c Call, rq *wire.AllocateProducerIdsRequest) {
	decideForBroker(a, (*controller.Controller).AllocateProducerIDs, rq, func(response *wire.AllocateProducerIdsResponse, err error) {
		if err != nil {
			response = &wire.AllocateProducerIdsResponse{ErrorCode: codeOf(err)}
		}
		c.Reply(response)
	})
}
