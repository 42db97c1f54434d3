package api

import (
	"github.com/ottla/ottla/internal/controller"
	"github.com/ottla/ottla/internal/wire"
)

// createTopics answers CreateTopics 2-7: the controller decides. Version 5 adds the settings of what was created
// (KIP-525), 7 topic ids. The answer comes when this broker knows of the topics, which is before any timeout of interest.
func (a *API) createTopics(c Call, rq *wire.CreateTopicsRequest) {
	askController(a, c.origin(), (*controller.Controller).CreateTopics, rq, func(response *wire.CreateTopicsResponse, err error) {
		if err != nil {
			response = new(wire.CreateTopicsResponse)
			for i := range rq.Topics {
				var failed wire.CreateTopicsResponseCreatableTopicResult
				failed.Reset()
				failed.Name, failed.ErrorCode, failed.ErrorMessage = rq.Topics[i].Name, codeOf(err), textOf(err)
				response.Topics = append(response.Topics, failed)
			}
		}
		c.Reply(response)
	})
}
