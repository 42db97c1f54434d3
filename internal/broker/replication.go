package broker

import (
	"fmt"
	"strconv"
	"time"

	"github.com/ottla/ottla/internal/api"
	"github.com/ottla/ottla/internal/config"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/partition"
	"github.com/ottla/ottla/internal/peer"
	"github.com/ottla/ottla/internal/replication"
	"github.com/ottla/ottla/internal/wire"
)

// newFollowers makes what has this broker's replicas follow their leaders.
func (b *Broker) newFollowers() *replication.Followers {
	return replication.New(replication.Options{
		Node: b.node, BrokerEpoch: b.epoch.Load, Settings: b.fetchSettings, Send: b.sendFetch, Metrics: b.metrics, Logger: b.log,
		Throttle: b.partitions.FollowerThrottle(),
	})
}

// replicate connects the partitions with the controller and the other brokers.
func (b *Broker) replicate(o *partition.Options) {
	o.Role = func(p *partition.Partition) { b.followers.Update(p) }
	o.BrokerEpoch = b.epoch.Load
	o.ReplicaLag = func() time.Duration { return b.config.Load().Duration(config.ReplicaLagTimeMaxMs) }
	o.Propose = b.proposals.add
	o.LeaderRate = func() int64 { return b.config.Load().DynamicLong(config.LeaderReplicationThrottledRate) }
	o.FollowerRate = func() int64 { return b.config.Load().DynamicLong(config.FollowerReplicationThrottledRate) }
	o.ThrottleSamples = b.config.Load().Int(config.ReplicationQuotaWindowNum)
	o.ThrottleSample = b.config.Load().Duration(config.ReplicationQuotaWindowSizeSeconds)
}

// keepInSync begins to tell the controller who keeps up with this broker and who does not.
func (b *Broker) keepInSync() {
	b.tasks.Go(b.sendProposals)
	if !b.solitary() {
		b.every(func() time.Duration { return b.config.Load().Duration(config.ReplicaLagTimeMaxMs) / 2 }, b.partitions.ShrinkInSync)
	}
}

func (b *Broker) fetchSettings() replication.Settings {
	c := b.config.Load()
	return replication.Settings{
		MaxWait:           c.Duration(config.ReplicaFetchWaitMaxMs),
		MinBytes:          c.Int(config.ReplicaFetchMinBytes),
		MaxBytes:          c.Int(config.ReplicaFetchResponseMaxBytes),
		PartitionMaxBytes: c.Int(config.ReplicaFetchMaxBytes),
		Backoff:           c.Duration(config.ReplicaFetchBackoffMs),
		Timeout:           c.Duration(config.ReplicaSocketTimeoutMs),
		Fetchers:          c.Int(config.NumReplicaFetchers),
	}
}

// sendFetch is how replicas reach their leaders: over a connection of each fetcher's own.
func (b *Broker) sendFetch(leader int32, fetcher int, rq *wire.FetchRequest, response *wire.FetchResponse, timeout time.Duration, done func(error)) {
	b.peers.Client(peer.To{Listener: peer.Broker, Node: leader, Use: "fetch-" + strconv.Itoa(fetcher)}).Send(peer.Request{
		Message: rq, Response: response, Timeout: timeout, Done: done,
	})
}

// followLeaders has fetchers ask at once when a broker is there again, and tells the controller at once that this broker knows
// of one that leaves, which waits for that.
func (b *Broker) followLeaders(_, _ *metadata.Image, changes *metadata.Changes) {
	for _, c := range changes.Brokers {
		if c.ID != b.node && c.After != nil && c.After.InControlledShutdown && !c.After.Fenced {
			b.beat()
		}
		if c.After != nil && (c.Before == nil || c.Before.Epoch != c.After.Epoch || c.Before.Fenced && !c.After.Fenced) {
			b.followers.Reconnected(c.ID)
		}
	}
	if len(changes.Configs) > 0 {
		b.followers.Spread() // num.replica.fetchers may be another
	}
}

// checkReplicaSelector refuses selectors that are not built in: there are no classes to be loaded here.
func checkReplicaSelector(c *config.Broker) error {
	switch class := c.Text(config.ReplicaSelectorClass); class {
	case "", api.RackAwareSelector, "org.apache.kafka.common.replica.LeaderSelector":
		return nil
	default:
		return fmt.Errorf("replica.selector.class=%s is not built in: use %s, or leave it out to have consumers read from leaders", class, api.RackAwareSelector)
	}
}
