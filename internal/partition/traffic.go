package partition

import (
	"github.com/ottla/ottla/internal/metrics"
)

// trafficFamilies are the numbers of topics, under the names that dashboards know from Kafka's BrokerTopicMetrics.
type trafficFamilies struct {
	messagesIn, bytesIn, bytesOut, replicationBytesOut            *metrics.Counters
	produceRequests, fetchRequests, failedProduces, failedFetches *metrics.Counters
	replicationBytesIn                                            *metrics.Counter // of all topics together, as in Kafka
}

func newTrafficFamilies(r *metrics.Registry) *trafficFamilies {
	counters := func(name, help string) *metrics.Counters {
		return r.Counters(metrics.Name("kafka.server", "BrokerTopicMetrics", name), help, "topic")
	}
	return &trafficFamilies{
		messagesIn:          counters("MessagesInPerSec", "Records appended for producers."),
		bytesIn:             counters("BytesInPerSec", "Bytes of records appended for producers."),
		bytesOut:            counters("BytesOutPerSec", "Bytes of records given to consumers."),
		replicationBytesOut: counters("ReplicationBytesOutPerSec", "Bytes of records given to followers."),
		replicationBytesIn:  r.Counter(metrics.Name("kafka.server", "BrokerTopicMetrics", "ReplicationBytesInPerSec"), "Bytes of records fetched from leaders."),
		produceRequests:     counters("TotalProduceRequestsPerSec", "Batches that producers sent."),
		fetchRequests:       counters("TotalFetchRequestsPerSec", "Partitions that fetches asked for and were answered."),
		failedProduces:      counters("FailedProduceRequestsPerSec", "Batches that were refused."),
		failedFetches:       counters("FailedFetchRequestsPerSec", "Partitions whose fetch failed."),
	}
}

// Traffic counts what goes through the partitions of one topic on this broker. A nil Traffic counts nothing.
type Traffic struct {
	messagesIn, bytesIn, bytesOut, replicationBytesOut            *metrics.Counter
	produceRequests, fetchRequests, failedProduces, failedFetches *metrics.Counter
}

// of resolves the counters of a topic.
func (f *trafficFamilies) of(topic string) *Traffic {
	return &Traffic{
		messagesIn: f.messagesIn.With(topic), bytesIn: f.bytesIn.With(topic), bytesOut: f.bytesOut.With(topic),
		replicationBytesOut: f.replicationBytesOut.With(topic),
		produceRequests:     f.produceRequests.With(topic), fetchRequests: f.fetchRequests.With(topic),
		failedProduces: f.failedProduces.With(topic), failedFetches: f.failedFetches.With(topic),
	}
}

// forget stops exporting the counters of a topic that is gone.
func (f *trafficFamilies) forget(topic string) {
	for _, c := range []*metrics.Counters{f.messagesIn, f.bytesIn, f.bytesOut, f.replicationBytesOut,
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

// Out counts what the answer to a fetch says of one partition.
func (t *Traffic) Out(bytes int, failed, follower bool) {
	if t == nil {
		return
	}
	t.fetchRequests.Inc()
	switch {
	case failed:
		t.failedFetches.Inc()
	case follower:
		t.replicationBytesOut.Add(uint64(bytes))
	default:
		t.bytesOut.Add(uint64(bytes))
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
