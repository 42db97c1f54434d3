package group

import (
	"bytes"
	"slices"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/wire"
)

// topology is what a Kafka Streams application told of itself when its group came into being: subtopologies with the topics
// that they read, write and keep their state in. It is never changed; nor can an application change it, as in Kafka 4.3.
type topology struct {
	epoch         int32
	subtopologies []*wire.StreamsGroupTopologyValueSubtopology // by id
	sources       map[string]string                            // subtopology by the topic that it reads
	required      []string                                     // names of the topics that must be there, in order
	form          []byte                                       // all of it, to compare
}

// newTopology reads a topology as the record of a group has it.
func newTopology(v *wire.StreamsGroupTopologyValue) *topology {
	t := &topology{epoch: v.Epoch, sources: map[string]string{}}
	for i := range v.Subtopologies {
		s := &v.Subtopologies[i]
		t.subtopologies = append(t.subtopologies, s)
		for _, name := range s.SourceTopics {
			t.sources[name] = s.SubtopologyID
			t.required = append(t.required, name)
		}
		for j := range s.RepartitionSourceTopics {
			t.sources[s.RepartitionSourceTopics[j].Name] = s.SubtopologyID
			t.required = append(t.required, s.RepartitionSourceTopics[j].Name)
		}
		for j := range s.StateChangelogTopics {
			t.required = append(t.required, s.StateChangelogTopics[j].Name)
		}
	}
	slices.SortStableFunc(t.subtopologies, func(a, b *wire.StreamsGroupTopologyValueSubtopology) int {
		return compareTexts(a.SubtopologyID, b.SubtopologyID)
	})
	t.required = distinctTexts(t.required)
	sorted := &wire.StreamsGroupTopologyValue{Epoch: v.Epoch}
	for _, s := range t.subtopologies {
		sorted.Subtopologies = append(sorted.Subtopologies, *s)
	}
	t.form = record(&wire.StreamsGroupTopologyKey{}, sorted, streamsValueVersion).Value
	return t
}

func compareTexts(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// check refuses a topology that makes no sense whatever topics there are.
func (t *topology) check() error {
	if t.epoch < 0 {
		return errTopology("Topology epoch must be non-negative, but it is %d.", t.epoch)
	}
	for i, s := range t.subtopologies {
		if i > 0 && s.SubtopologyID == t.subtopologies[i-1].SubtopologyID {
			return errTopology("Subtopology %s is defined twice.", s.SubtopologyID)
		}
		if len(s.SourceTopics)+len(s.RepartitionSourceTopics) == 0 {
			return errTopology("No source topics found for subtopology %s", s.SubtopologyID)
		}
		for j := range s.RepartitionSourceTopics {
			if topic := &s.RepartitionSourceTopics[j]; topic.Partitions < 0 || topic.Partitions > maxTopicPartitions {
				return errTopology("Repartition topic %s cannot have %d partitions.", topic.Name, topic.Partitions)
			}
		}
		for j := range s.CopartitionGroups {
			g := &s.CopartitionGroups[j]
			if !indexes(g.SourceTopics, len(s.SourceTopics)) || !indexes(g.RepartitionSourceTopics, len(s.RepartitionSourceTopics)) {
				return errTopology("A copartition group of subtopology %s names a topic that is not a source topic of the subtopology.", s.SubtopologyID)
			}
		}
	}
	return nil
}

// maxTopicPartitions bounds what an application may ask for in one topic: its tasks are dealt out one by one.
const maxTopicPartitions = 100_000

// indexes reports whether all of these are indexes into a list of n.
func indexes(list []int16, n int) bool {
	return !slices.ContainsFunc(list, func(i int16) bool { return i < 0 || int(i) >= n })
}

func errTopology(format string, args ...any) error {
	return kafka.Errorf(kafka.StreamsInvalidTopology, format, args...)
}

// equal reports whether two topologies are the same.
func (t *topology) equal(other *topology) bool {
	return bytes.Equal(t.form, other.form)
}

// toldTopology is what a heartbeat tells, as the record of the group will have it.
func toldTopology(rq *wire.StreamsGroupHeartbeatRequestTopology) *wire.StreamsGroupTopologyValue {
	v := &wire.StreamsGroupTopologyValue{Epoch: rq.Epoch}
	for i := range rq.Subtopologies {
		s := &rq.Subtopologies[i]
		told := wire.StreamsGroupTopologyValueSubtopology{
			SubtopologyID: s.SubtopologyID, SourceTopics: s.SourceTopics, SourceTopicRegex: s.SourceTopicRegex,
			RepartitionSinkTopics: s.RepartitionSinkTopics, StateChangelogTopics: toldTopics(s.StateChangelogTopics),
			RepartitionSourceTopics: toldTopics(s.RepartitionSourceTopics),
		}
		for j := range s.CopartitionGroups {
			g := &s.CopartitionGroups[j]
			told.CopartitionGroups = append(told.CopartitionGroups, wire.StreamsGroupTopologyValueCopartitionGroup{
				SourceTopics: g.SourceTopics, SourceTopicRegex: g.SourceTopicRegex, RepartitionSourceTopics: g.RepartitionSourceTopics,
			})
		}
		v.Subtopologies = append(v.Subtopologies, told)
	}
	return v
}

func toldTopics(list []wire.StreamsGroupHeartbeatRequestTopicInfo) []wire.StreamsGroupTopologyValueTopicInfo {
	told := make([]wire.StreamsGroupTopologyValueTopicInfo, 0, len(list))
	for i := range list {
		t := &list[i]
		info := wire.StreamsGroupTopologyValueTopicInfo{Name: t.Name, Partitions: t.Partitions, ReplicationFactor: t.ReplicationFactor}
		for j := range t.TopicConfigs {
			info.TopicConfigs = append(info.TopicConfigs, wire.StreamsGroupTopologyValueTopicConfig{Key: t.TopicConfigs[j].Key, Value: t.TopicConfigs[j].Value})
		}
		told = append(told, info)
	}
	return told
}
