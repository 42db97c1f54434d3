package partition

import (
	"slices"

	"github.com/ottla/ottla/internal/metrics"
)

// trafficFamilies are the numbers of topics, under the names that dashboards know from Kafka's BrokerTopicMetrics.
type trafficFamilies struct {
	messagesIn, bytesIn, bytesOut                                 *metrics.Counters
	produceRequests, fetchRequests, failedProduces, failedFetches *metrics.Counters
	// Between brokers, of all topics together, as in Kafka. Replicas that a reassignment adds count in both.
	replicationIn, replicationOut, reassignmentIn, reassignmentOut *metrics.Counter
}

func newTrafficFamilies(r *metrics.Registry) *trafficFamilies {
	counters := func(name, help string) *metrics.Counters {
		return r.Counters(metrics.Name("kafka.server", "BrokerTopicMetrics", name), help, "topic")
	}
	between := func(name, help string) *metrics.Counter {
		return r.Counter(metrics.Name("kafka.server", "BrokerTopicMetrics", name), help)
	}
	return &trafficFamilies{
		messagesIn:      counters("MessagesInPerSec", "Records appended for producers."),
		bytesIn:         counters("BytesInPerSec", "Bytes of records appended for producers."),
		bytesOut:        counters("BytesOutPerSec", "Bytes of records given to consumers."),
		produceRequests: counters("TotalProduceRequestsPerSec", "Batches that producers sent."),
		fetchRequests:   counters("TotalFetchRequestsPerSec", "Partitions that fetches asked for and were answered."),
		failedProduces:  counters("FailedProduceRequestsPerSec", "Batches that were refused."),
		failedFetches:   counters("FailedFetchRequestsPerSec", "Partitions whose fetch failed."),
		replicationIn:   between("ReplicationBytesInPerSec", "Bytes of records fetched from leaders."),
		replicationOut:  between("ReplicationBytesOutPerSec", "Bytes of records given to followers."),
		reassignmentIn:  between("ReassignmentBytesInPerSec", "Those of ReplicationBytesInPerSec that were for replicas which a reassignment adds."),
		reassignmentOut: between("ReassignmentBytesOutPerSec", "Those of ReplicationBytesOutPerSec that were for replicas which a reassignment adds."),
	}
}

// Traffic counts what goes through the partitions of one topic on this broker. A nil Traffic counts nothing.
type Traffic struct {
	messagesIn, bytesIn, bytesOut                                 *metrics.Counter
	produceRequests, fetchRequests, failedProduces, failedFetches *metrics.Counter
}

// of resolves the counters of a topic.
func (f *trafficFamilies) of(topic string) *Traffic {
	return &Traffic{
		messagesIn: f.messagesIn.With(topic), bytesIn: f.bytesIn.With(topic), bytesOut: f.bytesOut.With(topic),
		produceRequests: f.produceRequests.With(topic), fetchRequests: f.fetchRequests.With(topic),
		failedProduces: f.failedProduces.With(topic), failedFetches: f.failedFetches.With(topic),
	}
}

// forget stops exporting the counters of a topic that is gone.
func (f *trafficFamilies) forget(topic string) {
	for _, c := range []*metrics.Counters{f.messagesIn, f.bytesIn, f.bytesOut,
		f.produceRequests, f.fetchRequests, f.failedProduces, f.failedFetches} {
		c.Remove(topic)
	}
}

// Traffic returns the counters of the partition's topic: made at the first use, so that idle topics have none. It is nil
// for a nil Partition, and for one that is gone.
func (p *Partition) Traffic() *Traffic {
	if p == nil {
		return nil
	}
	if t := p.traffic.Load(); t != nil {
		return t
	}
	if p.Gone() != nil {
		return nil
	}
	t := p.set.traffic.of(p.name.Topic)
	p.traffic.Store(t)
	return t
}

// in counts one batch of a producer.
func (t *Traffic) in(records, bytes int, failed bool) {
	if t == nil {
		return
	}
	t.produceRequests.Inc()
	if failed {
		t.failedProduces.Inc()
		return
	}
	t.messagesIn.Add(uint64(records))
	t.bytesIn.Add(uint64(bytes))
}

// Served counts what the answer to a fetch says of the partition. follower is the broker whose replica asked, negative for a consumer.
func (p *Partition) Served(follower int32, bytes int, failed bool) {
	t := p.Traffic()
	if t == nil {
		return
	}
	t.fetchRequests.Inc()
	switch {
	case failed:
		t.failedFetches.Inc()
	case follower < 0:
		t.bytesOut.Add(uint64(bytes))
	default:
		between := p.set.traffic
		count(bytes, p.adds(follower), between.replicationOut, between.reassignmentOut)
	}
}

// replicated counts what was fetched from the leader for this broker's replica.
func (p *Partition) replicated(bytes int) {
	between := p.set.traffic
	count(bytes, p.adds(p.set.options.Node), between.replicationIn, between.reassignmentIn)
}

// adds reports whether a reassignment brings a replica to a broker.
func (p *Partition) adds(broker int32) bool { return slices.Contains(p.State().Adding, broker) }

func count(bytes int, added bool, replication, reassignment *metrics.Counter) {
	replication.Add(uint64(bytes))
	if added {
		reassignment.Add(uint64(bytes))
	}
}

// inSyncCounters count changes of in-sync sets, under the names of Kafka's ReplicaManager.
type inSyncCounters struct {
	expands, shrinks, failed *metrics.Counter
}

func newInSyncCounters(r *metrics.Registry) *inSyncCounters {
	counter := func(name, help string) *metrics.Counter {
		return r.Counter(metrics.Name("kafka.server", "ReplicaManager", name), help)
	}
	return &inSyncCounters{
		expands: counter("IsrExpandsPerSec", "In-sync sets of partitions led here that took in replicas."),
		shrinks: counter("IsrShrinksPerSec", "In-sync sets of partitions led here that lost replicas which lagged behind."),
		failed:  counter("FailedIsrUpdatesPerSec", "Changes of in-sync sets that the controller refused."),
	}
}

func (c *inSyncCounters) count(x *inSyncChange) {
	if x.expands {
		c.expands.Inc()
		return
	}
	c.shrinks.Inc()
}
