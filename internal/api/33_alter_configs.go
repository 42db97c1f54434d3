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
	answer := func(r *wire.AlterConfigsRequestAlterConfigsResource, err error) wire.AlterConfigsResponseAlterConfigsResourceResponse {
		return wire.AlterConfigsResponseAlterConfigsResourceResponse{
			ResourceType: r.ResourceType, ResourceName: r.ResourceName, ErrorCode: codeOf(err), ErrorMessage: textOf(err)}
	}
	here := map[int]error{} // what is not the controller's business
	forward := *rq
	forward.Resources = nil
	for i := range rq.Resources {
		r := &rq.Resources[i]
		if isLogger(r.ResourceType) {
			here[i] = kafka.Errorf(kafka.InvalidRequest, "Log levels cannot be replaced as a whole: use IncrementalAlterConfigs")
		} else if err := a.checkReplacedBroker(r); err != nil {
			here[i] = err
		} else {
			forward.Resources = append(forward.Resources, *r)
		}
	}
	askController(a, c.origin(), a.decideAlterConfigs(a.Config), &forward, func(response *wire.AlterConfigsResponse, err error) {
		if err != nil {
			response = new(wire.AlterConfigsResponse)
			for i := range forward.Resources {
				response.Responses = append(response.Responses, answer(&forward.Resources[i], err))
			}
		}
		response.Responses = inOrder(rq.Resources, here, response.Responses, answer)
		c.Reply(response)
	})
}

// inOrder puts the answers for resources in the order of the request: the errors of those that were decided here, by their places, and
// what the controller decided on all others.
func inOrder[Q, R any](resources []Q, here map[int]error, decided []R, answer func(*Q, error) R) []R {
	all := make([]R, 0, len(resources))
	for i := range resources {
		if err, is := here[i]; is {
			all = append(all, answer(&resources[i], err))
		} else if len(decided) > 0 {
			all, decided = append(all, decided[0]), decided[1:]
		}
	}
	return all
}

// checkReplacedBroker is checkAlteredBroker for AlterConfigs.
func (a *API) checkReplacedBroker(r *wire.AlterConfigsRequestAlterConfigsResource) error {
	changes := &wire.IncrementalAlterConfigsRequestAlterConfigsResource{ResourceType: r.ResourceType, ResourceName: r.ResourceName}
	for _, c := range r.Configs {
		changes.Configs = append(changes.Configs, wire.IncrementalAlterConfigsRequestAlterableConfig{Name: c.Name, Value: c.Value})
	}
	return checkAlteredBroker(a.Config(), changes)
}

// decideAlterConfigs is how the controller decides on the settings as a broker has them: the one that was asked.
func (a *API) decideAlterConfigs(asked func() *config.Broker) decider[*wire.AlterConfigsRequest, *wire.AlterConfigsResponse] {
	return func(ctl *controller.Controller, now time.Time, rq *wire.AlterConfigsRequest, reply controller.Reply[*wire.AlterConfigsResponse]) statemachine.Output {
		return ctl.AlterConfigs(now, asked(), rq, reply)
	}
}
