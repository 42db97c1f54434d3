package group

import (
	"slices"

	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/wire"
)

// DescribeStreams tells a streams group's epochs, its topology, and its members with the tasks that they have and are to
// have. A group of another kind is GROUP_ID_NOT_FOUND.
func (c *Coordinator) DescribeStreams(groupID string, answer func(wire.StreamsGroupDescribeResponseDescribedGroup, error)) statemachine.Output {
	var described wire.StreamsGroupDescribeResponseDescribedGroup
	described.Reset()
	g, err := c.streamsToAsk(groupID)
	if err == nil {
		g.describe(&described)
	}
	var out outcome
	out.then(func(failed error) {
		if failed != nil {
			described.Reset()
			err = failed
		}
		answer(described, err)
	})
	return out.Output
}

func (g *streamsGroup) describe(d *wire.StreamsGroupDescribeResponseDescribedGroup) {
	d.GroupID, d.GroupState, d.GroupEpoch, d.AssignmentEpoch = g.id, string(g.state()), g.epoch, g.assignmentEpoch
	if g.topology != nil {
		d.Topology = g.describeTopology()
	}
	for _, m := range orderedStreams(g.members) {
		member := wire.StreamsGroupDescribeResponseMember{
			MemberID: m.id, MemberEpoch: m.epoch, InstanceID: m.instanceID, RackID: m.rackID, ClientID: m.clientID, ClientHost: m.clientHost,
			TopologyEpoch: m.topologyEpoch, ProcessID: m.process,
			Assignment:       describedTasks(m.assigned.active.tasks(), m.assigned.standby, m.assigned.warmup),
			TargetAssignment: describedTasks(g.target[m.id].Active, g.target[m.id].Standby, g.target[m.id].Warmup),
		}
		if m.endpoint != nil {
			member.UserEndpoint = &wire.StreamsGroupDescribeResponseEndpoint{Host: m.endpoint.Host, Port: m.endpoint.Port}
		}
		for _, key := range sortedKeys(m.tags) {
			member.ClientTags = append(member.ClientTags, wire.StreamsGroupDescribeResponseKeyValue{Key: key, Value: m.tags[key]})
		}
		d.Members = append(d.Members, member)
	}
}

func describedTasks(active, standby, warmup tasks) wire.StreamsGroupDescribeResponseAssignment {
	list := func(all tasks) []wire.StreamsGroupDescribeResponseTaskIds {
		ids := []wire.StreamsGroupDescribeResponseTaskIds{}
		for _, id := range sortedKeys(all) {
			ids = append(ids, wire.StreamsGroupDescribeResponseTaskIds{SubtopologyID: id, Partitions: all[id]})
		}
		return ids
	}
	return wire.StreamsGroupDescribeResponseAssignment{ActiveTasks: list(active), StandbyTasks: list(standby), WarmupTasks: list(warmup)}
}

// describeTopology shows the topology as the application told it or, once all topics are there, with the numbers of
// partitions that were decided.
func (g *streamsGroup) describeTopology() *wire.StreamsGroupDescribeResponseTopology {
	d := &wire.StreamsGroupDescribeResponseTopology{Epoch: g.topology.epoch, Subtopologies: []wire.StreamsGroupDescribeResponseSubtopology{}}
	ready := g.configured != nil && g.configured.of == g.topology && g.configured.ready()
	topics := func(list []wire.StreamsGroupTopologyValueTopicInfo) []wire.StreamsGroupDescribeResponseTopicInfo {
		shown := []wire.StreamsGroupDescribeResponseTopicInfo{}
		for i := range list {
			t := &list[i]
			info := wire.StreamsGroupDescribeResponseTopicInfo{
				Name: t.Name, Partitions: t.Partitions, ReplicationFactor: t.ReplicationFactor, TopicConfigs: []wire.StreamsGroupDescribeResponseKeyValue{},
			}
			if ready {
				info.Partitions = int32(g.configured.partitionsOf(t))
			}
			for _, config := range t.TopicConfigs {
				info.TopicConfigs = append(info.TopicConfigs, wire.StreamsGroupDescribeResponseKeyValue{Key: config.Key, Value: config.Value})
			}
			shown = append(shown, info)
		}
		slices.SortStableFunc(shown, func(a, b wire.StreamsGroupDescribeResponseTopicInfo) int { return compareTexts(a.Name, b.Name) })
		return shown
	}
	for _, s := range g.topology.subtopologies {
		d.Subtopologies = append(d.Subtopologies, wire.StreamsGroupDescribeResponseSubtopology{
			SubtopologyID: s.SubtopologyID, SourceTopics: slices.Sorted(slices.Values(s.SourceTopics)), RepartitionSinkTopics: slices.Sorted(slices.Values(s.RepartitionSinkTopics)),
			StateChangelogTopics: topics(s.StateChangelogTopics), RepartitionSourceTopics: topics(s.RepartitionSourceTopics),
		})
	}
	return d
}
