package api

import (
	"github.com/ottla/ottla/internal/config"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/wire"
)

// describeConfigs answers DescribeConfigs 1-4: the settings in force for topics, brokers, groups, client metrics
// subscriptions and log levels, with where each value comes from. Version 3 adds types and documentation (KIP-569).
func (a *API) describeConfigs(c Call, rq *wire.DescribeConfigsRequest) {
	response := &wire.DescribeConfigsResponse{Results: make([]wire.DescribeConfigsResponseDescribeConfigsResult, len(rq.Resources))}
	told := 0
	for i := range rq.Resources {
		resource, result := &rq.Resources[i], &response.Results[i]
		result.ResourceType, result.ResourceName = resource.ResourceType, resource.ResourceName
		var entries []config.Entry
		err := error(kafka.Errorf(kafka.InvalidRequest, "the resources before this one have %d settings already: ask for fewer resources at once", told))
		if told < maxDescribedConfigs {
			entries, err = a.describeConfig(resource, rq.IncludeSynonyms, rq.IncludeDocumentation)
		}
		told += len(entries)
		if err != nil {
			result.ErrorCode, result.ErrorMessage = codeOf(err), textOf(err)
			continue
		}
		none := ""
		result.ErrorMessage = &none
		for _, e := range entries {
			result.Configs = append(result.Configs, describedConfig(e))
		}
	}
	c.Reply(response)
}

// maxDescribedConfigs bounds the settings in one answer: a few bytes of request ask for kilobytes of them.
const maxDescribedConfigs = 1 << 19

func (a *API) describeConfig(resource *wire.DescribeConfigsRequestDescribeConfigsResource, synonyms, docs bool) ([]config.Entry, error) {
	b, image := a.Config(), a.Metadata.Current()
	name, keys := resource.ResourceName, resource.ConfigurationKeys
	switch kind := metadata.ConfigType(resource.ResourceType); kind {
	case metadata.ConfigTopic:
		if err := kafka.CheckTopicName(name); err != nil {
			return nil, err
		}
		if image.Topic(name) == nil {
			return nil, kafka.Errorf(kafka.UnknownTopicOrPartition, "This server does not host this topic-partition.")
		}
		return b.Topic(image.TopicConfig(name)).Describe(keys, synonyms, docs), nil
	case metadata.ConfigBroker:
		return b.Describe(name, keys, synonyms, docs)
	case metadata.ConfigBrokerLogger:
		return a.describeLoggers(name, keys, docs)
	case metadata.ConfigGroup:
		if name == "" {
			return nil, kafka.Errorf(kafka.InvalidRequest, "Group name must not be empty")
		}
		return b.Group(image.Config(metadata.ConfigResource{Type: kind, Name: name})).Describe(keys, synonyms, docs), nil
	case metadata.ConfigClientMetrics:
		if name == "" {
			return nil, kafka.Errorf(kafka.InvalidRequest, "Client metrics subscription name must not be empty")
		}
		return config.NewClientMetrics(image.Config(metadata.ConfigResource{Type: kind, Name: name})).Describe(keys, synonyms, docs), nil
	}
	return nil, kafka.Errorf(kafka.InvalidRequest, "Unsupported resource type: %d", resource.ResourceType)
}

func describedConfig(e config.Entry) wire.DescribeConfigsResponseDescribeConfigsResourceResult {
	described := wire.DescribeConfigsResponseDescribeConfigsResourceResult{
		Name: e.Name, Value: e.Value, ReadOnly: e.ReadOnly, ConfigSource: int8(e.Source), IsSensitive: e.Sensitive,
		ConfigType: int8(e.Type), Documentation: e.Doc,
	}
	for _, s := range e.Synonyms {
		described.Synonyms = append(described.Synonyms, wire.DescribeConfigsResponseDescribeConfigsSynonym{Name: s.Name, Value: s.Value, Source: int8(s.Source)})
	}
	return described
}
