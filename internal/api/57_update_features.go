package api

import (
	"github.com/ottla/ottla/internal/controller"
	"github.com/ottla/ottla/internal/wire"
)

// updateFeatures answers UpdateFeatures 0-2 (KIP-584): the controller decides. Only versions 0 and 1 list the features that
// were changed. AllowDowngrade of version 0 has no effect, as in Kafka since 3.3: its updates are upgrades.
func (a *API) updateFeatures(c Call, rq *wire.UpdateFeaturesRequest) {
	askController(a, c.origin(), (*controller.Controller).UpdateFeatures, rq, func(response *wire.UpdateFeaturesResponse, err error) {
		if err != nil {
			response = &wire.UpdateFeaturesResponse{ErrorCode: codeOf(err), ErrorMessage: textOf(err)}
		}
		if c.version >= 2 {
			response.Results = nil
		}
		c.Reply(response)
	})
}
