package group

import (
	"slices"

	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/wire"
)

// endpoints tells where the state of which partitions can be asked for: an entry for each member with an endpoint, the one of
// this heartbeat last (EndpointToPartitionsManager).
func (s *streamsStep) endpoints() []wire.StreamsGroupHeartbeatResponseEndpointToPartitions {
	list := []wire.StreamsGroupHeartbeatResponseEndpointToPartitions{}
	add := func(m *streamsMember) {
		if m.endpoint != nil {
			list = append(list, wire.StreamsGroupHeartbeatResponseEndpointToPartitions{
				UserEndpoint:      wire.StreamsGroupHeartbeatResponseEndpoint{Host: m.endpoint.Host, Port: m.endpoint.Port},
				ActivePartitions:  sourcePartitions(s.topology, s.im, m.assigned.active.tasks()),
				StandbyPartitions: sourcePartitions(s.topology, s.im, m.assigned.standby),
			})
		}
	}
	for _, m := range orderedStreams(s.g.members) {
		if m.id != s.member.id {
			add(m)
		}
	}
	add(s.member)
	return list
}

// sourcePartitions are the partitions that tasks read. A topic with fewer partitions than others of its subtopology has none
// for the last tasks.
func sourcePartitions(t *topology, im *metadata.Image, all tasks) []wire.StreamsGroupHeartbeatResponseTopicPartition {
	list := []wire.StreamsGroupHeartbeatResponseTopicPartition{}
	for _, s := range t.subtopologies {
		partitions := all[s.SubtopologyID]
		if len(partitions) == 0 {
			continue
		}
		names := slices.Clone(s.SourceTopics)
		for i := range s.RepartitionSourceTopics {
			names = append(names, s.RepartitionSourceTopics[i].Name)
		}
		for _, name := range distinctTexts(names) {
			topic := im.Topic(name)
			if topic == nil {
				continue
			}
			n, _ := slices.BinarySearch(partitions, int32(len(topic.Partitions)))
			if n > 0 {
				list = append(list, wire.StreamsGroupHeartbeatResponseTopicPartition{Topic: name, Partitions: partitions[:n]})
			}
		}
	}
	return list
}
