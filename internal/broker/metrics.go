package broker

import (
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/metrics"
	"github.com/ottla/ottla/internal/partition"
)

// exportMetrics exports what operators watch first, under the names that Kafka's JMX exporter gives them.
func (b *Broker) exportMetrics() {
	b.exportReplicas()
	b.exportController()
	b.exportHealth()
	b.exportDirectories()
	b.gauge("kafka.server", "KafkaServer", "BrokerState", "3 while the broker serves.", func() int {
		if b.ready.Load() {
			return 3
		}
		return 1
	})
}

func (b *Broker) gauge(domain, kind, name, help string, value func() int) {
	b.metrics.Gauge(metrics.Name(domain, kind, name), help).Func(func() float64 { return float64(value()) })
}

// exportReplicas exports the numbers of the partitions on this broker.
func (b *Broker) exportReplicas() {
	gauge := func(name, help string, value func() int) {
		b.gauge("kafka.server", "ReplicaManager", name, help, value)
	}
	gauge("PartitionCount", "Partitions with a replica on this broker.", func() int {
		return b.count(func(*partition.Partition) bool { return true })
	})
	gauge("LeaderCount", "Partitions that this broker leads.", func() int { return b.count(b.leads) })
	gauge("UnderReplicatedPartitions", "Partitions led here whose in-sync set lacks a replica.", func() int {
		return b.count(func(p *partition.Partition) bool { return b.leads(p) && len(p.State().ISR) < len(p.State().Replicas) })
	})
	gauge("UnderMinIsrPartitionCount", "Partitions led here with fewer in-sync replicas than min.insync.replicas.", func() int {
		return b.count(func(p *partition.Partition) bool { return b.leads(p) && p.EnoughReplicas() != nil })
	})
	gauge("AtMinIsrPartitionCount", "Partitions led here with just min.insync.replicas in sync.", func() int {
		return b.count(func(p *partition.Partition) bool { return b.leads(p) && p.AtMinISR() })
	})
	gauge("ReassigningPartitions", "Partitions led here whose replicas are being reassigned.", func() int {
		return b.count(func(p *partition.Partition) bool {
			s := p.State()
			return b.leads(p) && len(s.Adding)+len(s.Removing) > 0
		})
	})
	gauge("OfflineReplicaCount", "Replicas in offline log directories, or whose log could not be loaded.", b.partitions.Offline)
}

// exportController exports the numbers of the cluster, as this node's image has them.
func (b *Broker) exportController() {
	gauge := func(name, help string, value func() int) {
		b.gauge("kafka.controller", "KafkaController", name, help, value)
	}
	gauge("ActiveControllerCount", "1 on the node that is the controller.", func() int {
		if _, err := b.controller.engine(); err != nil {
			return 0
		}
		return 1
	})
	gauge("OfflinePartitionsCount", "Partitions without a leader.", func() int {
		return b.countAll(func(p *metadata.Partition) bool { return p.Leader == metadata.NoLeader })
	})
	gauge("PreferredReplicaImbalanceCount", "Partitions that are not led by their first replica.", func() int {
		return b.countAll(func(p *metadata.Partition) bool { return p.Leader != p.PreferredLeader() })
	})
	gauge("GlobalTopicCount", "Topics of the cluster.", func() int { return b.store.Current().TopicCount() })
	gauge("GlobalPartitionCount", "Partitions of the cluster.", func() int {
		return b.countAll(func(*metadata.Partition) bool { return true })
	})
	gauge("ActiveBrokerCount", "Brokers that are not fenced.", func() int { return b.countBrokers(false) })
	gauge("FencedBrokerCount", "Brokers that are fenced.", func() int { return b.countBrokers(true) })
	b.countElections()
	b.exportQuorum()
}

func (b *Broker) leads(p *partition.Partition) bool { return p.State().Leader == b.node }

// count counts hosted partitions.
func (b *Broker) count(match func(*partition.Partition) bool) (n int) {
	for p := range b.partitions.All() {
		if match(p) {
			n++
		}
	}
	return n
}

// countAll counts partitions of the cluster.
func (b *Broker) countAll(match func(*metadata.Partition) bool) (n int) {
	for topic := range b.store.Current().Topics() {
		for _, p := range topic.Partitions {
			if match(p) {
				n++
			}
		}
	}
	return n
}

func (b *Broker) countBrokers(fenced bool) (n int) {
	for broker := range b.store.Current().Brokers() {
		if broker.Fenced == fenced {
			n++
		}
	}
	return n
}

func (b *Broker) offlineDirectories() (n int) {
	for _, dir := range b.dirs {
		if dir.Failed() != nil {
			n++
		}
	}
	return n
}

// exportDirectories exports which log directories are offline or cordoned.
func (b *Broker) exportDirectories() {
	b.gauge("kafka.log", "LogManager", "OfflineLogDirectoryCount", "Log directories that failed.", b.offlineDirectories)
	b.gauge("kafka.log", "LogManager", "CordonedLogDirectoryCount", "Log directories that get no new replicas.", func() int { return len(b.cordonedIDs()) })
	for _, dir := range b.dirs {
		b.dirGauge(dir, "LogDirectoryCordoned", "1 for a log directory that gets no new replicas.", func() float64 { return truth(b.cordoned(dir)) })
	}
}
