package group

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/ottla/ottla/internal/assignor"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/wire"
)

// Status codes of StreamsGroupHeartbeat.
const (
	statusStaleTopology          int8 = 0
	statusMissingSourceTopics    int8 = 1
	statusIncorrectlyPartitioned int8 = 2
	StatusMissingInternalTopics  int8 = 3
	statusShutdownApplication    int8 = 4
	statusAssignmentDelayed      int8 = 5
)

// configured is a topology together with the topics that are there: how many tasks each subtopology has, and which internal
// topics are missing (org.apache.kafka.coordinator.group.streams.topics.ConfiguredTopology).
type configured struct {
	of    *topology
	hash  int64 // of the topics
	tasks map[string]int
	// partitions are those of the internal topics.
	partitions map[string]int
	// problem is why no tasks can be assigned, nil if they can.
	problem *topicProblem
	// missing are the internal topics to create, by name in order.
	missing []wire.CreateTopicsRequestCreatableTopic
}

// topicProblem is what members are told of topics that are missing or do not fit.
type topicProblem struct {
	status int8
	detail string
}

func (p *topicProblem) Error() string { return p.detail }

func (c *configured) ready() bool { return c.problem == nil }

// subtopologies are what the assignor works on.
func (c *configured) subtopologies() []assignor.Subtopology {
	list := make([]assignor.Subtopology, 0, len(c.of.subtopologies))
	for _, s := range c.of.subtopologies {
		list = append(list, assignor.Subtopology{ID: s.SubtopologyID, Partitions: c.tasks[s.SubtopologyID], Stateful: len(s.StateChangelogTopics) > 0})
	}
	return list
}

// configure decides how many partitions internal topics have to have, and what is missing
// (org.apache.kafka.coordinator.group.streams.topics.InternalTopicManager). An error is about the topology itself.
func configure(t *topology, hash int64, im *metadata.Image) (*configured, error) {
	c := &configured{of: t, hash: hash, tasks: map[string]int{}, partitions: map[string]int{}}
	d := decision{topology: t, im: im, decided: c.partitions}
	err := d.decide()
	var problem *topicProblem
	switch {
	case errors.As(err, &problem):
		return &configured{of: t, hash: hash, problem: problem}, nil
	case err != nil:
		return nil, err
	}
	for _, s := range t.subtopologies {
		c.tasks[s.SubtopologyID] = d.widest(s)
	}
	if err := c.findMissing(im); err != nil {
		return &configured{of: t, hash: hash, problem: err}, nil
	}
	return c, nil
}

// findMissing lists the internal topics that are not there, and compares those that are with what they should be.
func (c *configured) findMissing(im *metadata.Image) *topicProblem {
	wanted := map[string]wire.CreateTopicsRequestCreatableTopic{}
	for _, s := range c.of.subtopologies {
		for _, list := range [][]wire.StreamsGroupTopologyValueTopicInfo{s.RepartitionSourceTopics, s.StateChangelogTopics} {
			for i := range list {
				wanted[list[i].Name] = c.creatable(&list[i])
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(wanted)) {
		topic, expected := im.Topic(name), int(wanted[name].NumPartitions)
		switch {
		case topic == nil:
			c.missing = append(c.missing, wanted[name])
		case len(topic.Partitions) != expected:
			return &topicProblem{statusIncorrectlyPartitioned, fmt.Sprintf(
				"Existing topic %s has different number of partitions: expected %d, found %d", name, expected, len(topic.Partitions))}
		}
	}
	if len(c.missing) > 0 {
		names := make([]string, 0, len(c.missing))
		for _, topic := range c.missing {
			names = append(names, topic.Name)
		}
		c.problem = &topicProblem{StatusMissingInternalTopics, "Internal topics are missing: " + summary(names)}
	}
	return nil
}

func (c *configured) creatable(t *wire.StreamsGroupTopologyValueTopicInfo) wire.CreateTopicsRequestCreatableTopic {
	topic := wire.CreateTopicsRequestCreatableTopic{Name: t.Name, NumPartitions: int32(c.partitionsOf(t)), ReplicationFactor: -1}
	if t.ReplicationFactor != 0 {
		topic.ReplicationFactor = t.ReplicationFactor
	}
	for i := range t.TopicConfigs {
		topic.Configs = append(topic.Configs, wire.CreateTopicsRequestCreatableTopicConfig{Name: t.TopicConfigs[i].Key, Value: &t.TopicConfigs[i].Value})
	}
	return topic
}

// partitionsOf is how many partitions an internal topic has to have.
func (c *configured) partitionsOf(t *wire.StreamsGroupTopologyValueTopicInfo) int {
	if t.Partitions != 0 {
		return int(t.Partitions)
	}
	return c.partitions[t.Name]
}

// summary names up to three topics.
func summary(names []string) string {
	const most = 3
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d additional topics", strings.Join(names[:most], ", "), len(names)-most)
}
