package api

import (
	"github.com/ottla/ottla/internal/controller"
	"github.com/ottla/ottla/internal/wire"
)

// createPartitions answers CreatePartitions 0-3: the controller decides.
func (a *API) createPartitions(c Call, rq *wire.CreatePartitionsRequest) {
	askController(a, c.origin(), (*controller.Controller).CreatePartitions, rq, func(response *wire.CreatePartitionsResponse, err error) {
		if err != nil {
			response = new(wire.CreatePartitionsResponse)
			for i := range rq.Topics {
				response.Results = append(response.Results, wire.CreatePartitionsResponseCreatePartitionsTopicResult{
					Name: rq.Topics[i].Name, ErrorCode: codeOf(err), ErrorMessage: textOf(err)})
			}
		}
		c.Reply(response)
	})
}
