package controller

import (
	"strconv"

	"github.com/ottla/ottla/internal/config"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/wire"
)

// InternalTopic returns how one of the internal topics is created when it is first needed: with the partitions,
// replicas and configurations that the broker's settings give it (AutoTopicCreationManager). For the name of any
// other topic ok is false.
func InternalTopic(name string, cfg *config.Broker) (topic wire.CreateTopicsRequestCreatableTopic, ok bool) {
	topic.Name = name
	size := func(partitions, replicas config.BrokerInt) {
		topic.NumPartitions = int32(cfg.Int(partitions))
		topic.ReplicationFactor = int16(cfg.Int(replicas))
	}
	set := func(property, value string) {
		topic.Configs = append(topic.Configs, wire.CreateTopicsRequestCreatableTopicConfig{Name: property, Value: &value})
	}
	number := func(k config.BrokerInt) string { return strconv.Itoa(cfg.Int(k)) }
	switch name {
	case kafka.OffsetsTopic:
		size(config.OffsetsTopicNumPartitions, config.OffsetsTopicReplicationFactor)
		set("cleanup.policy", "compact")
		set("compression.type", "producer")
		set("segment.bytes", number(config.OffsetsTopicSegmentBytes))
	case kafka.TransactionsTopic:
		size(config.TransactionStateLogNumPartitions, config.TransactionStateLogReplicationFactor)
		set("cleanup.policy", "compact")
		set("compression.type", "uncompressed")
		set(minInsyncReplicas, number(config.TransactionStateLogMinISR))
		set("segment.bytes", number(config.TransactionStateLogSegmentBytes))
		set("unclean.leader.election.enable", "false")
	case kafka.ShareStateTopic:
		size(config.ShareCoordinatorStateTopicNumPartitions, config.ShareCoordinatorStateTopicReplicationFactor)
		set("cleanup.policy", "delete")
		set("compression.type", "producer")
		set(minInsyncReplicas, number(config.ShareCoordinatorStateTopicMinISR))
		set("retention.ms", "-1")
		set("segment.bytes", number(config.ShareCoordinatorStateTopicSegmentBytes))
	default:
		return topic, false
	}
	return topic, true
}
