package broker

import (
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/metrics"
	"github.com/ottla/ottla/internal/partition"
)

// exportMetrics exports what operators watch first, under the names that Kafka's JMX exporter gives them.
func (b *Broker) exportMetrics() {
	gauge := func(domain, kind, name, help string, value func() int) {
		b.metrics.Gauge(metrics.Name(domain, kind, name), help).Func(func() float64 { return float64(value()) })
	}
	const replicas, control = "ReplicaManager", "KafkaController"
	gauge("kafka.server", replicas, "PartitionCount", "Partitions with a replica on this broker.", func() int {
		return b.count(func(*metadata.Partition) bool { return true })
	})
	gauge("kafka.server", replicas, "LeaderCount", "Partitions that this broker leads.", func() int { return b.count(b.leads) })
	gauge("kafka.server", replicas, "UnderReplicatedPartitions", "Partitions led here whose in-sync set lacks a replica.", func() int {
		return b.count(func(p *metadata.Partition) bool { return b.leads(p) && len(p.ISR) < len(p.Replicas) })
	})
	gauge("kafka.server", replicas, "UnderMinIsrPartitionCount", "Partitions led here with fewer in-sync replicas than min.insync.replicas.", func() int {
		return b.countLed(func(p *partition.Partition) bool { return p.EnoughReplicas() != nil })
	})
	gauge("kafka.server", replicas, "AtMinIsrPartitionCount", "Partitions led here with just min.insync.replicas in sync.", func() int {
		return b.countLed((*partition.Partition).AtMinISR)
	})
	gauge("kafka.server", replicas, "OfflineReplicaCount", "Replicas in offline log directories.", b.offlineReplicas)
	gauge("kafka.log", "LogManager", "OfflineLogDirectoryCount", "Log directories that failed.", func() int {
		n := 0
		for _, dir := range b.dirs {
			if dir.Failed() != nil {
				n++
			}
		}
		return n
	})
	gauge("kafka.controller", control, "ActiveControllerCount", "1 on the node that is the controller.", func() int {
		if _, err := b.controller.engine(); err != nil {
			return 0
		}
		return 1
	})
	gauge("kafka.controller", control, "OfflinePartitionsCount", "Partitions without a leader.", func() int {
		n := 0
		for topic := range b.store.Current().Topics() {
			for _, p := range topic.Partitions {
				if p.Leader == metadata.NoLeader {
					n++
				}
			}
		}
		return n
	})
	gauge("kafka.controller", control, "GlobalTopicCount", "Topics of the cluster.", func() int { return b.store.Current().TopicCount() })
	gauge("kafka.controller", control, "GlobalPartitionCount", "Partitions of the cluster.", func() int {
		n := 0
		for topic := range b.store.Current().Topics() {
			n += len(topic.Partitions)
		}
		return n
	})
	brokers := func(match func(*metadata.Broker) bool) func() int {
		return func() (n int) {
			for broker := range b.store.Current().Brokers() {
				if match(broker) {
					n++
				}
			}
			return n
		}
	}
	gauge("kafka.controller", control, "ActiveBrokerCount", "Brokers that are not fenced.", brokers(func(o *metadata.Broker) bool { return !o.Fenced }))
	gauge("kafka.controller", control, "FencedBrokerCount", "Brokers that are fenced.", brokers(func(o *metadata.Broker) bool { return o.Fenced }))
	gauge("kafka.server", "KafkaServer", "BrokerState", "3 while the broker serves.", func() int {
		if b.ready.Load() {
			return 3
		}
		return 1
	})
}

func (b *Broker) leads(p *metadata.Partition) bool { return p.Leader == b.node }

// count counts hosted partitions.
func (b *Broker) count(match func(*metadata.Partition) bool) int {
	n := 0
	for p := range b.partitions.All() {
		if match(p.State()) {
			n++
		}
	}
	return n
}

// countLed counts partitions that this broker leads.
func (b *Broker) countLed(match func(*partition.Partition) bool) int {
	n := 0
	for p := range b.partitions.All() {
		if b.leads(p.State()) && match(p) {
			n++
		}
	}
	return n
}

func (b *Broker) offlineReplicas() int {
	n := 0
	for _, dir := range b.dirs {
		if dir.Failed() != nil {
			n += dir.Count()
		}
	}
	return n
}
