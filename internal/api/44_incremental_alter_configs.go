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
	a.alterConfigsOf(c, rq, a.Config)
}

// incrementalAlterConfigsHere answers it on listeners of controllers, where the settings of each broker are changed.
func (a *API) incrementalAlterConfigsHere(c Call, rq *wire.IncrementalAlterConfigsRequest) {
	a.alterConfigsOf(c, rq, a.standIn)
}

func (a *API) alterConfigsOf(c Call, rq *wire.IncrementalAlterConfigsRequest, asked func() *config.Broker) {
	answer := func(r *wire.IncrementalAlterConfigsRequestAlterConfigsResource, err error) wire.IncrementalAlterConfigsResponseAlterConfigsResourceResponse {
		return wire.IncrementalAlterConfigsResponseAlterConfigsResourceResponse{
			ResourceType: r.ResourceType, ResourceName: r.ResourceName, ErrorCode: codeOf(err), ErrorMessage: textOf(err)}
	}
	here := map[int]error{} // what is not the controller's business
	forward := *rq
	forward.Resources = nil
	for i := range rq.Resources {
		r := &rq.Resources[i]
		if isLogger(r.ResourceType) {
			here[i] = a.alterLogger(r, rq.ValidateOnly)
		} else if err := checkAlteredBroker(asked(), r); err != nil {
			here[i] = err
		} else {
			forward.Resources = append(forward.Resources, *r)
		}
	}
	askController(a, c.origin(), a.decideIncrementalAlterConfigs(asked), &forward, func(response *wire.IncrementalAlterConfigsResponse, err error) {
		if err != nil {
			response = new(wire.IncrementalAlterConfigsResponse)
			for i := range forward.Resources {
				response.Responses = append(response.Responses, answer(&forward.Resources[i], err))
			}
		}
		response.Responses = inOrder(rq.Resources, here, response.Responses, answer)
		c.Reply(response)
	})
}

// checkAlteredBroker refuses what concerns another broker: each takes changes of its own settings, and of those of all brokers. The
// controller would not know who was asked. What is wrong with the changes themselves comes first, as in Kafka (ConfigAdminManager.preprocess).
func checkAlteredBroker(asked *config.Broker, r *wire.IncrementalAlterConfigsRequestAlterConfigsResource) error {
	if config.ResourceType(r.ResourceType) != config.BrokerResource {
		return nil
	}
	var ops []config.Op
	for _, c := range r.Configs {
		ops = append(ops, config.Op{Name: c.Name, Type: config.OpType(c.ConfigOperation), Value: c.Value})
	}
	if config.CheckOps(ops) != nil {
		return nil // the controller says so
	}
	return asked.CheckResource(r.ResourceName)
}

// decideIncrementalAlterConfigs is how the controller decides on the settings as a broker has them: the one that was asked.
func (a *API) decideIncrementalAlterConfigs(asked func() *config.Broker) decider[*wire.IncrementalAlterConfigsRequest, *wire.IncrementalAlterConfigsResponse] {
	return func(ctl *controller.Controller, now time.Time, rq *wire.IncrementalAlterConfigsRequest, reply controller.Reply[*wire.IncrementalAlterConfigsResponse]) statemachine.Output {
		return ctl.IncrementalAlterConfigs(now, asked(), rq, reply)
	}
}
