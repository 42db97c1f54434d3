package config

import (
	"regexp"
	"slices"
	"strings"

	"github.com/ottla/ottla/internal/kafka"
)

// ClientMetrics is the effective configuration of one subscription to metrics of clients (KIP-714).
type ClientMetrics struct {
	settings[OfClientMetrics]
	overrides map[string]string
}

// NewClientMetrics returns the effective configuration of a subscription with these settings.
func NewClientMetrics(overrides map[string]string) *ClientMetrics {
	base := slices.Clone(clientMetricsTable.defaults)
	for i := range base {
		base[i].source = DefaultConfig
	}
	return &ClientMetrics{
		settings:  settings[OfClientMetrics]{applyOverrides(clientMetricsTable, base, overrides, ClientMetricsConfig)},
		overrides: overrides,
	}
}

// matchable are the attributes of a client that a subscription may look at.
var matchable = []string{"client_instance_id", "client_id", "client_software_name", "client_software_version", "client_source_address", "client_source_port"}

// CheckClientMetrics checks the settings of a subscription before they are stored. Errors are INVALID_REQUEST or
// INVALID_CONFIG with Kafka's texts (ClientMetricsConfigs.validate).
func CheckClientMetrics(subscription string, overrides map[string]string) error {
	if subscription == "" {
		return kafka.Errorf(kafka.InvalidRequest, "Subscription name can't be empty")
	}
	for _, name := range sortedKeys(overrides) {
		if clientMetricsTable.byName[name] == nil {
			return kafka.Errorf(kafka.InvalidRequest, "Unknown client metrics configuration: %s", name)
		}
	}
	for _, name := range sortedKeys(overrides) {
		if _, err := parse(clientMetricsTable.byName[name], overrides[name]); err != nil {
			return invalidConfig(err)
		}
	}
	m := NewClientMetrics(overrides)
	if n := m.Int(ClientMetricsIntervalMs); n < 100 || n > 3_600_000 {
		return kafka.Errorf(kafka.InvalidRequest, "Invalid value %d for interval.ms, interval must be between 100 and 3600000 (1 hour)", n)
	}
	_, err := m.Patterns()
	return err
}

// Patterns returns the expressions of match by attribute. A client must match all of them, each as a whole.
func (m *ClientMetrics) Patterns() (map[string]*regexp.Regexp, error) {
	patterns := make(map[string]*regexp.Regexp)
	for _, entry := range m.List(ClientMetricsMatch) {
		attribute, expression, ok := strings.Cut(entry, "=")
		attribute = trim(attribute)
		compiled, err := regexp.Compile("^(?:" + trim(expression) + ")$")
		if !ok || expression == "" || strings.Contains(expression, "=") || !slices.Contains(matchable, attribute) || err != nil {
			return nil, kafka.Errorf(kafka.InvalidConfig, "Illegal client matching pattern: %s", entry)
		}
		patterns[attribute] = compiled
	}
	return patterns, nil
}
