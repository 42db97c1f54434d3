package broker

import (
	"time"

	"github.com/ottla/ottla/internal/quorum"
)

// exportQuorum exports how this node follows the metadata log, under the names of Kafka's raft-metrics, and of its QuorumController or
// broker-metadata-metrics. What only the leader of the quorum knows is 0 elsewhere.
func (b *Broker) exportQuorum() {
	raft := func(name, help string, value func(quorum.Status) int) {
		b.gauge("kafka.server", "raft-metrics", name, help, func() int {
			status, _ := b.quorumStatus()
			return value(status)
		})
	}
	b.gauge("kafka.server", "raft-metrics", "current-leader", "Node id of the active controller, -1 if it is not known.", func() int {
		leader, _ := b.active.get()
		return int(leader)
	})
	if b.quorum.Load() != nil {
		raft("current-epoch", "Epoch of the metadata quorum.", func(s quorum.Status) int { return int(s.LeaderEpoch) })
		raft("high-watermark", "Up to where the metadata log is committed, as far as this controller knows.", func(s quorum.Status) int { return int(s.HighWatermark) })
		raft("log-end-offset", "Where this controller's metadata log ends.", func(s quorum.Status) int { return int(b.logEnd(s)) })
		raft("number-of-voters", "Controllers with a vote.", func(s quorum.Status) int { return len(s.Voters) })
		raft("number-of-observers", "Nodes without a vote that fetch the metadata log; known on the active controller.", func(s quorum.Status) int { return len(s.Observers) })
		b.exportApplied("kafka.controller", "KafkaController", "LastAppliedRecordOffset", "LastAppliedRecordTimestamp", "LastAppliedRecordLagMs")
	}
	if b.isBroker() {
		b.exportApplied("kafka.server", "broker-metadata-metrics", "last-applied-record-offset", "last-applied-record-timestamp", "last-applied-record-lag-ms")
	}
}

// logEnd is where this controller's own log ends.
func (b *Broker) logEnd(s quorum.Status) int64 {
	for _, v := range s.Voters {
		if v.NodeID == b.node {
			return v.LogEndOffset
		}
	}
	return s.HighWatermark
}

// exportApplied exports how far this node's image is.
func (b *Broker) exportApplied(group, kind, offset, timestamp, lag string) {
	b.gauge(group, kind, offset, "Last record of the metadata log that this node goes by.", func() int { return int(b.store.Current().Offset()) })
	b.gauge(group, kind, timestamp, "When that was written, in ms since 1970.", func() int { return int(b.publisher.applied.Load()) })
	b.gauge(group, kind, lag, "How long ago that was, in ms, while there is more that is committed; else 0.", func() int { return int(b.publisher.lag(time.Now()).Milliseconds()) })
}
