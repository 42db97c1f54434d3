package tools

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
)

// resourceType is the type of a request for configs of a kind.
func resourceType(kind string) kmsg.ConfigResourceType {
	switch kind {
	case entityTopics:
		return kmsg.ConfigResourceTypeTopic
	case entityBrokers:
		return kmsg.ConfigResourceTypeBroker
	case entityBrokerLoggers:
		return kmsg.ConfigResourceTypeBrokerLogger
	case entityClientMetrics:
		return kmsg.ConfigResourceTypeClientMetrics
	}
	return kmsg.ConfigResourceTypeGroupConfig
}

func (t *configsTool) describe() error {
	switch t.types[0] {
	case entityUsers, entityClients:
		if err := t.describeQuotas(); err != nil {
			return err
		}
		if slices.Contains(t.types, entityClients) || slices.Contains(t.names, "") {
			return nil
		}
		return t.describeScram()
	case entityIPs:
		return t.describeQuotas()
	}
	return t.describeResources()
}

func (t *configsTool) describeResources() error {
	kind := t.types[0]
	names := t.names[:min(1, len(t.names))]
	if len(names) == 1 && !t.o.Has(t.o.all) {
		exists, err := t.exists(kind, names[0])
		if err != nil {
			return err
		}
		if !exists {
			t.println("The " + singular(kind) + " '" + names[0] + "' doesn't exist and doesn't have dynamic config.")
			return nil
		}
	}
	if len(names) == 0 {
		var err error
		if names, err = t.known(kind); err != nil {
			return err
		}
	}
	for _, name := range names {
		scope := "Dynamic"
		if t.o.Has(t.o.all) {
			scope = "All"
		}
		if name == "" {
			t.println("Default configs for " + kind + " in the cluster are:")
		} else {
			t.println(scope + " configs for " + singular(kind) + " " + name + " are:")
		}
		if err := t.printConfigs(kind, name); err != nil {
			return err
		}
	}
	return nil
}

// exists reports whether there is a thing of that name.
func (t *configsTool) exists(kind, name string) (bool, error) {
	if kind == entityTopics {
		if err := kafka.CheckTopicName(name); err != nil {
			text := kafka.MessageOf(err)
			return false, responseError(int16(kafka.CodeOf(err)), text)
		}
	}
	if kind == entityBrokers && name == "" {
		return true, nil
	}
	known, err := t.known(kind)
	return slices.Contains(known, name), err
}

// known lists the things of a kind.
func (t *configsTool) known(kind string) ([]string, error) {
	var names []string
	switch kind {
	case entityTopics:
		topics, err := t.admin.listTopics()
		if err != nil {
			return nil, inFuture(err)
		}
		for _, topic := range topics {
			names = append(names, topic.name)
		}
	case entityBrokers, entityBrokerLoggers:
		ids, err := t.admin.liveBrokers()
		if err != nil {
			return nil, inFuture(err)
		}
		for _, id := range ids {
			names = append(names, itoa(int(id)))
		}
		if kind == entityBrokers {
			names = append(names, "")
		}
	case entityClientMetrics:
		found, err := t.admin.configuredResources(resourceType(kind))
		if err != nil {
			return nil, inFuture(err)
		}
		names = found
	case entityGroups:
		return t.knownGroups()
	}
	return names, nil
}

// knownGroups are the groups that are there and those that only have configs.
func (t *configsTool) knownGroups() ([]string, error) {
	groups, err := t.admin.listGroups(t.admin.timeout, nil, nil)
	if err != nil {
		return nil, inFuture(err)
	}
	found, err := t.admin.configuredResources(kmsg.ConfigResourceTypeGroupConfig)
	if err != nil && !hasCode(err, kerr.UnsupportedVersion) && !hasCode(err, kerr.ClusterAuthorizationFailed) {
		return nil, err
	}
	names := make(map[string]bool)
	for _, g := range groups {
		names[g.id] = true
	}
	for _, name := range found {
		names[name] = true
	}
	return slices.Sorted(maps.Keys(names)), nil
}

// configuredResources are the names of the resources of a type that have configs.
func (a *admin) configuredResources(kind kmsg.ConfigResourceType) ([]string, error) {
	rq := kmsg.NewPtrListConfigResourcesRequest()
	rq.ResourceTypes = []int8{int8(kind)}
	response, err := request[*kmsg.ListConfigResourcesResponse](a, "listConfigResources", rq)
	if err == nil {
		err = responseError(response.ErrorCode, nil)
	}
	if err != nil {
		return nil, err
	}
	var names []string
	for _, r := range response.ConfigResources {
		if r.Type == int8(kind) {
			names = append(names, r.Name)
		}
	}
	slices.Sort(names)
	return names, nil
}

// printConfigs prints the configs that were set on one thing, all of them with --all.
func (t *configsTool) printConfigs(kind, name string) error {
	entries, err := t.entries(kind, name)
	if err != nil {
		return err
	}
	for _, e := range entries {
		var synonyms []string
		for _, s := range e.ConfigSynonyms {
			synonyms = append(synonyms, sourceName(s.Source)+":"+s.Name+"="+orNull(s.Value))
		}
		t.printf("  %s=%s sensitive=%t synonyms={%s}\n", e.Name, orNull(e.Value), e.IsSensitive, strings.Join(synonyms, ", "))
	}
	return nil
}

func (t *configsTool) entries(kind, name string) (topicConfigs, error) {
	configs, err := t.admin.describeConfigs(resourceType(kind), []string{name}, true)
	if err != nil {
		return nil, inFuture(err)
	}
	entries := configs[name]
	slices.SortFunc(entries, func(a, b kmsg.DescribeConfigsResponseResourceConfig) int { return cmp.Compare(a.Name, b.Name) })
	wanted, filtered := map[string]kmsg.ConfigSource{
		entityTopics:        kmsg.ConfigSourceDynamicTopicConfig,
		entityBrokers:       kmsg.ConfigSourceDynamicBrokerConfig,
		entityClientMetrics: kmsg.ConfigSourceClientMetricsConfig,
		entityGroups:        kmsg.ConfigSourceGroupConfig,
	}[kind]
	if kind == entityBrokers && name == "" {
		wanted = kmsg.ConfigSourceDynamicDefaultBrokerConfig
	}
	if t.o.Has(t.o.all) || !filtered {
		return entries, nil
	}
	return slices.DeleteFunc(entries, func(e kmsg.DescribeConfigsResponseResourceConfig) bool { return e.Source != wanted }), nil
}

// sourceName is Kafka's name of where a value comes from.
func sourceName(s kmsg.ConfigSource) string {
	names := []string{"UNKNOWN", "DYNAMIC_TOPIC_CONFIG", "DYNAMIC_BROKER_CONFIG", "DYNAMIC_DEFAULT_BROKER_CONFIG", "STATIC_BROKER_CONFIG",
		"DEFAULT_CONFIG", "DYNAMIC_BROKER_LOGGER_CONFIG", "DYNAMIC_CLIENT_METRICS_CONFIG", "DYNAMIC_GROUP_CONFIG"}
	if int(s) < 0 || int(s) >= len(names) {
		return "UNKNOWN(" + strconv.Itoa(int(s)) + ")"
	}
	return names[s]
}
