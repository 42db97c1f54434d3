package controller

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/ottla/ottla/internal/config"
	"github.com/ottla/ottla/internal/metadata"
)

// broker is this node's configuration under its dynamic settings and those of all brokers.
func (c *Controller) broker() *config.Broker {
	node := c.Image().Config(metadata.ConfigResource{Type: metadata.ConfigBroker, Name: strconv.Itoa(c.options.Config.Int(config.NodeID))})
	// WithDynamic returns its receiver when nothing changed. What cannot be applied is reported by the broker that
	// follows the log; here it only counts for nothing.
	c.view, _ = c.view.WithDynamic(node, c.Image().Config(clusterDefault))
	return c.view
}

// topic is the configuration in force for a topic.
func (c *Controller) topic(name string) *config.Topic {
	return c.broker().Topic(c.Image().TopicConfig(name))
}

// effective lists all properties of a topic with these overrides, in the order of their names.
func (c *Controller) effective(overrides map[string]string) []config.Entry {
	entries := c.broker().Topic(overrides).Describe(nil, false, false)
	slices.SortFunc(entries, func(a, b config.Entry) int { return cmp.Compare(a.Name, b.Name) })
	return entries
}

// minISR is the min.insync.replicas that counts for a topic: never more than it has replicas.
func (c *Controller) minISR(t *metadata.Topic) int {
	least := c.topic(t.Name).Int(config.TopicMinInsyncReplicas)
	if len(t.Partitions) == 0 {
		return least
	}
	return min(least, len(t.Partitions[0].Replicas))
}

// uncleanAllowed reports whether the topic prefers a leader that may have lost records to none.
func (c *Controller) uncleanAllowed(topic string) bool {
	return c.topic(topic).Bool(config.TopicUncleanLeaderElectionEnable)
}

// elrEnabled reports whether eligible leader replicas are kept (KIP-966).
func (c *Controller) elrEnabled() bool { return c.Image().Feature(elrVersion) > 0 }
