package api

import (
	"time"

	"github.com/ottla/ottla/internal/config"
	"github.com/ottla/ottla/internal/controller"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/wire"
)

// alterConfigs answers AlterConfigs 0-2, the old request that replaces all settings of a resource: the controller
// decides. Log levels can only be changed one by one, by IncrementalAlterConfigs.
func (a *API) alterConfigs(c Call, rq *wire.AlterConfigsRequest) {
	var loggers []wire.AlterConfigsResponseAlterConfigsResourceResponse
	forward := *rq
	forward.Resources = nil
	for _, r := range rq.Resources {
		if isLogger(r.ResourceType) {
			text := "Log levels cannot be replaced as a whole: use IncrementalAlterConfigs"
			loggers = append(loggers, wire.AlterConfigsResponseAlterConfigsResourceResponse{
				ResourceType: r.ResourceType, ResourceName: r.ResourceName, ErrorCode: int16(kafka.InvalidRequest), ErrorMessage: &text})
			continue
		}
		forward.Resources = append(forward.Resources, r)
	}
	askController(a, c.origin(), a.decideAlterConfigs(a.Config), &forward, func(response *wire.AlterConfigsResponse, err error) {
		if err != nil {
			response = new(wire.AlterConfigsResponse)
			for _, r := range forward.Resources {
				response.Responses = append(response.Responses, wire.AlterConfigsResponseAlterConfigsResourceResponse{
					ResourceType: r.ResourceType, ResourceName: r.ResourceName, ErrorCode: codeOf(err), ErrorMessage: textOf(err)})
			}
		}
		response.Responses = append(response.Responses, loggers...)
		c.Reply(response)
	})
}

// decideAlterConfigs is how the controller decides on the settings as a broker has them: the one that was asked.
func (a *API) decideAlterConfigs(asked func() *config.Broker) decider[*wire.AlterConfigsRequest, *wire.AlterConfigsResponse] {
	return func(ctl *controller.Controller, now time.Time, rq *wire.AlterConfigsRequest, reply controller.Reply[*wire.AlterConfigsResponse]) statemachine.Output {
		return ctl.AlterConfigs(now, asked(), rq, reply)
	}
}
