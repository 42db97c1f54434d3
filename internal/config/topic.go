package config

import (
	"slices"

	"github.com/ottla/ottla/internal/kafka"
)

// Topic is the effective configuration of one topic. It never changes and can be shared; all topics without settings
// of their own share one.
type Topic struct {
	settings[OfTopic]
	overrides map[string]string
	broker    *Broker
}

// TopicView returns the effective configuration of a topic with these overrides under the given dynamic settings.
// Callers with many topics keep the result of WithDynamic and ask it.
func TopicView(overrides, dynamicBroker, dynamicDefault map[string]string, b *Broker) *Topic {
	b, _ = b.WithDynamic(dynamicBroker, dynamicDefault)
	return b.Topic(overrides)
}

// Topic returns the effective configuration of a topic with these overrides. Unknown names and values that do not
// parse, which only records of another version can hold, are left out.
func (b *Broker) Topic(overrides map[string]string) *Topic {
	if len(overrides) == 0 {
		return b.topic
	}
	t := &Topic{broker: b, overrides: overrides}
	t.values = applyOverrides(topicTable, b.topic.values, overrides, TopicConfig)
	return t
}

func applyOverrides(t *table, base []value, overrides map[string]string, source Source) []value {
	values := slices.Clone(base)
	for name, text := range overrides {
		r := t.byName[name]
		if r == nil {
			continue
		}
		if v, err := parse(r, text); err == nil {
			v.source = source
			values[r.index] = v
		}
	}
	return values
}

// inherited computes what resources without settings of their own get from the broker: the first synonym that has a
// value, else the row's own default.
func inherited(t *table, b *Broker) []value {
	values := slices.Clone(t.defaults)
	for r := range t.all() {
		v := &values[r.index]
		v.source = DefaultConfig
		for _, s := range r.Synonyms {
			from := b.values[s.Row.index]
			if from.null {
				continue
			}
			*v = from
			v.number *= s.Factor
			break
		}
	}
	return values
}

func newBaseTopic(b *Broker) *Topic {
	t := &Topic{broker: b}
	t.values = inherited(topicTable, b)
	if retention := &t.values[TopicRetentionMs.index]; retention.number < 0 {
		retention.number = -1
	}
	return t
}

// Compacted reports whether cleanup.policy asks for compaction; Deleted whether it asks for deletion.
func (t *Topic) Compacted() bool {
	return slices.Contains(t.values[TopicCleanupPolicy.index].list, "compact")
}

// Deleted reports whether cleanup.policy asks for deletion of old segments.
func (t *Topic) Deleted() bool {
	return slices.Contains(t.values[TopicCleanupPolicy.index].list, "delete")
}

// ParseTopic checks one setting of a topic by itself. Errors are INVALID_CONFIG with Kafka's texts.
func ParseTopic(name, text string) error {
	r := topicTable.byName[name]
	if r == nil {
		return kafka.Errorf(kafka.InvalidConfig, "Unknown topic config name: %s", name)
	}
	_, err := parse(r, text)
	return invalidConfig(err)
}

// CheckTopic checks all settings of a topic together, before they are stored: names, values, and what must fit
// together with each other and with the broker's defaults. Errors are INVALID_CONFIG with Kafka's texts
// (LogConfig.validate).
func (b *Broker) CheckTopic(overrides map[string]string) error {
	for _, name := range sortedKeys(overrides) {
		if topicTable.byName[name] == nil {
			return kafka.Errorf(kafka.InvalidConfig, "Unknown topic config name: %s", name)
		}
	}
	for _, name := range sortedKeys(overrides) {
		if err := ParseTopic(name, overrides[name]); err != nil {
			return err
		}
	}
	t := b.Topic(overrides)
	if err := checkCompactionLag(t); err != nil {
		return invalidConfig(err)
	}
	if t.Bool(TopicRemoteStorageEnable) {
		return kafka.Errorf(kafka.InvalidConfig, "Tiered Storage functionality is disabled in the broker. Topic cannot be configured with remote log storage.")
	}
	return nil
}

func checkCompactionLag(t *Topic) error {
	if low, high := t.Long(TopicMinCompactionLagMs), t.Long(TopicMaxCompactionLagMs); low > high {
		return valueErrorf("conflict topic config setting min.compaction.lag.ms (%d) > max.compaction.lag.ms (%d)", low, high)
	}
	return nil
}
