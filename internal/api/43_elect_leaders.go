package api

import (
	"github.com/ottla/ottla/internal/controller"
	"github.com/ottla/ottla/internal/wire"
)

// electLeaders answers ElectLeaders 0-2 (KIP-183, KIP-460): the controller decides. Version 0 has no code for the request as
// a whole, so each partition gets the error.
func (a *API) electLeaders(c Call, rq *wire.ElectLeadersRequest) {
	askController(a, c.origin(), (*controller.Controller).ElectLeaders, rq, func(response *wire.ElectLeadersResponse, err error) {
		if err != nil {
			response = controller.FailedElections(rq, err)
		}
		if c.version == 0 {
			response.ErrorCode = 0
		}
		c.Reply(response)
	})
}
