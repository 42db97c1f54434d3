package config

import (
	"maps"
	"slices"
)

// Source is the layer that a value comes from, with the numbers of DescribeConfigs.
type Source int8

const (
	TopicConfig          Source = 1 // set for the topic
	DynamicBrokerConfig  Source = 2 // set for this broker through the Admin API
	DynamicDefaultConfig Source = 3 // set for all brokers through the Admin API
	StaticBrokerConfig   Source = 4 // from file, environment or command line
	DefaultConfig        Source = 5
	DynamicLoggerConfig  Source = 6 // level of a logger
	ClientMetricsConfig  Source = 7 // set for the client metrics subscription
	GroupConfig          Source = 8 // set for the group
)

// String returns Kafka's name of the source, as tools print it.
func (s Source) String() string {
	names := [...]string{"UNKNOWN", "DYNAMIC_TOPIC_CONFIG", "DYNAMIC_BROKER_CONFIG", "DYNAMIC_DEFAULT_BROKER_CONFIG", "STATIC_BROKER_CONFIG",
		"DEFAULT_CONFIG", "DYNAMIC_BROKER_LOGGER_CONFIG", "DYNAMIC_CLIENT_METRICS_CONFIG", "DYNAMIC_GROUP_CONFIG"}
	if s < 0 || int(s) >= len(names) {
		return names[0]
	}
	return names[s]
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// sameValue compares what two values mean.
func sameValue(r *Row, a, b value) bool {
	if a.null || b.null {
		return a.null == b.null
	}
	return a.format(r.Type) == b.format(r.Type)
}
