package api

import (
	"github.com/ottla/ottla/internal/controller"
	"github.com/ottla/ottla/internal/wire"
)

// deleteTopics answers DeleteTopics 1-6: the controller decides. Version 6 names topics by name or id (KIP-516).
func (a *API) deleteTopics(c Call, rq *wire.DeleteTopicsRequest) {
	askController(a, c.origin(), (*controller.Controller).DeleteTopics, rq, func(response *wire.DeleteTopicsResponse, err error) {
		if err != nil {
			response = new(wire.DeleteTopicsResponse)
			fail := func(t wire.DeleteTopicsResponseDeletableTopicResult) {
				t.ErrorCode, t.ErrorMessage = codeOf(err), textOf(err)
				response.Responses = append(response.Responses, t)
			}
			for i := range rq.Topics {
				fail(wire.DeleteTopicsResponseDeletableTopicResult{Name: rq.Topics[i].Name, TopicID: rq.Topics[i].TopicID})
			}
			for i := range rq.TopicNames {
				fail(wire.DeleteTopicsResponseDeletableTopicResult{Name: &rq.TopicNames[i]})
			}
		}
		c.Reply(response)
	})
}
