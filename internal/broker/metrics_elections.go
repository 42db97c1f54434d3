package broker

import (
	"slices"

	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/metrics"
)

// electionCounters count the elections that this node has heard of since it serves, under the names of Kafka's ControllerStats.
type electionCounters struct{ unclean, fromELR *metrics.Counter }

// countElections counts from the present image on: what was elected before is in no counter. Elections that reach this node
// in one image count as the last of them, unlike Kafka's, which counts records.
func (b *Broker) countElections() *electionCounters {
	counter := func(name, help string) *metrics.Counter {
		return b.metrics.Counter(metrics.Name("kafka.controller", "ControllerStats", name), help)
	}
	c := &electionCounters{
		unclean: counter("UncleanLeaderElectionsPerSec", "Leaders elected that may lack committed records."),
		fromELR: counter("ElectionFromEligibleLeaderReplicasPerSec", "Leaders elected that were not in sync, but have all that was committed (KIP-966)."),
	}
	b.store.Subscribe(c.follow)
	return c
}

func (c *electionCounters) follow(_, _ *metadata.Image, changes *metadata.Changes) {
	for _, p := range changes.Partitions {
		if p.Before == nil || p.After.Leader == metadata.NoLeader || p.After.LeaderEpoch == p.Before.LeaderEpoch {
			continue
		}
		if p.After.LeaderRecovery == metadata.Recovering && p.Before.LeaderRecovery == metadata.Recovered {
			c.unclean.Inc()
		}
		if slices.Contains(p.Before.ELR, p.After.Leader) {
			c.fromELR.Inc()
		}
	}
}
