package metadata

import (
	"iter"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/wire"
)

// RecordVersion returns the version in which Ottla writes a metadata record: that of metadata.version
// 4.3-IV0, the only one it runs at (org.apache.kafka.server.common.MetadataVersion).
func RecordVersion(record wire.Message) int16 {
	switch record.(type) {
	case *wire.RegisterBrokerRecord:
		return 4
	case *wire.BrokerRegistrationChangeRecord:
		return 3
	case *wire.PartitionRecord, *wire.PartitionChangeRecord:
		return 2
	}
	return 0
}

// Records yields the image as records: replayed into Empty they give an equal image. Kafka's order of a
// snapshot is kept: metadata.version first, then the other features, the cluster, topics, configurations and
// the rest. A record is valid until the next one is asked for.
func (im *Image) Records() iter.Seq[wire.Message] {
	return func(yield func(wire.Message) bool) {
		_ = im.featureRecords(yield) && im.nodeRecords(yield) && im.topicRecords(yield) &&
			im.configRecords(yield) && im.quotaRecords(yield) && im.otherRecords(yield)
	}
}

func (im *Image) featureRecords(yield func(wire.Message) bool) bool {
	if level := im.Feature(kafka.MetadataVersionFeature); level != 0 {
		if !yield(&wire.FeatureLevelRecord{Name: kafka.MetadataVersionFeature, FeatureLevel: level}) {
			return false
		}
	}
	for name, level := range im.features.all() {
		if name != kafka.MetadataVersionFeature && !yield(&wire.FeatureLevelRecord{Name: name, FeatureLevel: level}) {
			return false
		}
	}
	if im.zkMigration != nil {
		return yield(&wire.ZkMigrationStateRecord{ZkMigrationState: *im.zkMigration})
	}
	return true
}

func (im *Image) nodeRecords(yield func(wire.Message) bool) bool {
	for b := range im.brokers.values() {
		if !yield(b.record()) {
			return false
		}
	}
	return each(im.controllers, yield)
}

// each yields the records of a table whose values are records.
func each[K any, R wire.Message](table *sorted[K, R], yield func(wire.Message) bool) bool {
	for r := range table.values() {
		if !yield(r) {
			return false
		}
	}
	return true
}

func (im *Image) topicRecords(yield func(wire.Message) bool) bool {
	for t := range im.topics.values() {
		if !yield(&wire.TopicRecord{Name: t.Name, TopicID: t.ID}) {
			return false
		}
		for i, p := range t.Partitions {
			if !yield(p.Record(t.ID, int32(i))) {
				return false
			}
		}
	}
	return true
}

func (im *Image) configRecords(yield func(wire.Message) bool) bool {
	for resource, config := range im.configs.all() {
		for _, name := range sortedKeys(config) {
			value := config[name]
			if !yield(&wire.ConfigRecord{ResourceType: int8(resource.Type), ResourceName: resource.Name, Name: name, Value: &value}) {
				return false
			}
		}
	}
	return true
}

func (im *Image) quotaRecords(yield func(wire.Message) bool) bool {
	for q := range im.quotas.values() {
		for _, key := range sortedKeys(q.Values) {
			if !yield(q.record(key)) {
				return false
			}
		}
	}
	return true
}

func (im *Image) otherRecords(yield func(wire.Message) bool) bool {
	if ids := im.producerIDs; ids != (ProducerIDs{}) {
		if !yield(&wire.ProducerIdsRecord{BrokerID: ids.Broker, BrokerEpoch: ids.BrokerEpoch, NextProducerID: ids.Next}) {
			return false
		}
	}
	return each(im.acls, yield) && each(im.scram, yield) && each(im.tokens, yield)
}
