package config

// The keys of each kind of resource, by the Go type of their values.
type (
	BrokerBool   = Key[OfBroker, bool]
	BrokerInt    = Key[OfBroker, int]
	BrokerLong   = Key[OfBroker, int64]
	BrokerDouble = Key[OfBroker, float64]
	BrokerString = Key[OfBroker, string]
	BrokerList   = Key[OfBroker, []string]

	TopicBool   = Key[OfTopic, bool]
	TopicInt    = Key[OfTopic, int]
	TopicLong   = Key[OfTopic, int64]
	TopicDouble = Key[OfTopic, float64]
	TopicString = Key[OfTopic, string]
	TopicList   = Key[OfTopic, []string]

	GroupBool   = Key[OfGroup, bool]
	GroupInt    = Key[OfGroup, int]
	GroupString = Key[OfGroup, string]

	ClientMetricsInt  = Key[OfClientMetrics, int]
	ClientMetricsList = Key[OfClientMetrics, []string]
)
