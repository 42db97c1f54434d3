package api

import (
	"slices"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/wire"
)

// listedTypes are the resource types that ListConfigResources knows, in the order of its answer.
var listedTypes = []metadata.ConfigType{metadata.ConfigGroup, metadata.ConfigClientMetrics, metadata.ConfigBrokerLogger, metadata.ConfigBroker, metadata.ConfigTopic}

// listConfigResources answers ListConfigResources 0-1 (KIP-1142): which resources have settings. Version 0 lists client
// metrics subscriptions only.
func (a *API) listConfigResources(c Call, rq *wire.ListConfigResourcesRequest) {
	supported := listedTypes
	if c.version == 0 {
		supported = []metadata.ConfigType{metadata.ConfigClientMetrics}
	}
	wanted := supported
	if len(rq.ResourceTypes) > 0 {
		wanted = nil
		for _, t := range rq.ResourceTypes {
			if !slices.Contains(supported, metadata.ConfigType(t)) {
				c.Reply(&wire.ListConfigResourcesResponse{ErrorCode: int16(kafka.UnsupportedVersion)})
				return
			}
			wanted = append(wanted, metadata.ConfigType(t))
		}
	}
	response := new(wire.ListConfigResourcesResponse)
	image := a.Metadata.Current()
	for _, t := range supported {
		if !slices.Contains(wanted, t) {
			continue
		}
		for _, name := range configResources(image, t) {
			response.ConfigResources = append(response.ConfigResources, wire.ListConfigResourcesResponseConfigResource{ResourceName: name, ResourceType: int8(t)})
		}
	}
	c.Reply(response)
}

func configResources(image *metadata.Image, t metadata.ConfigType) []string {
	var names []string
	switch t {
	case metadata.ConfigTopic:
		for topic := range image.Topics() {
			names = append(names, topic.Name)
		}
	case metadata.ConfigBroker, metadata.ConfigBrokerLogger:
		for b := range image.Brokers() {
			names = append(names, idText(b.ID))
		}
	default:
		for resource := range image.Configs() {
			if resource.Type == t {
				names = append(names, resource.Name)
			}
		}
	}
	return names
}
