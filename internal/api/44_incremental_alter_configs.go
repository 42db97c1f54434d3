package api

import (
	"time"

	"github.com/ottla/ottla/internal/config"
	"github.com/ottla/ottla/internal/controller"
	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/wire"
)

// incrementalAlterConfigs answers IncrementalAlterConfigs 0-1 (KIP-339): the controller decides on the settings of
// topics, brokers, groups and client metrics; log levels are this broker's own (KIP-412).
func (a *API) incrementalAlterConfigs(c Call, rq *wire.IncrementalAlterConfigsRequest) {
	var loggers []wire.IncrementalAlterConfigsResponseAlterConfigsResourceResponse
	forward := *rq
	forward.Resources = nil
	for i := range rq.Resources {
		r := &rq.Resources[i]
		if !isLogger(r.ResourceType) {
			forward.Resources = append(forward.Resources, *r)
			continue
		}
		err := a.alterLogger(r, rq.ValidateOnly)
		loggers = append(loggers, wire.IncrementalAlterConfigsResponseAlterConfigsResourceResponse{
			ResourceType: r.ResourceType, ResourceName: r.ResourceName, ErrorCode: codeOf(err), ErrorMessage: textOf(err)})
	}
	askController(a, c.origin(), a.decideIncrementalAlterConfigs(a.Config), &forward, func(response *wire.IncrementalAlterConfigsResponse, err error) {
		if err != nil {
			response = new(wire.IncrementalAlterConfigsResponse)
			for _, r := range forward.Resources {
				response.Responses = append(response.Responses, wire.IncrementalAlterConfigsResponseAlterConfigsResourceResponse{
					ResourceType: r.ResourceType, ResourceName: r.ResourceName, ErrorCode: codeOf(err), ErrorMessage: textOf(err)})
			}
		}
		response.Responses = append(response.Responses, loggers...)
		c.Reply(response)
	})
}

// decideIncrementalAlterConfigs is how the controller decides on the settings as a broker has them: the one that was asked.
func (a *API) decideIncrementalAlterConfigs(asked func() *config.Broker) decider[*wire.IncrementalAlterConfigsRequest, *wire.IncrementalAlterConfigsResponse] {
	return func(ctl *controller.Controller, now time.Time, rq *wire.IncrementalAlterConfigsRequest, reply controller.Reply[*wire.IncrementalAlterConfigsResponse]) statemachine.Output {
		return ctl.IncrementalAlterConfigs(now, asked(), rq, reply)
	}
}
