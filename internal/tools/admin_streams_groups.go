package tools

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
)

// A streamsGroup is a streams group as StreamsGroupDescribe tells it.
type streamsGroup struct {
	kmsg.StreamsGroupDescribeResponseGroup
	coordinator coordinator
}

// describeStreamsGroup describes a streams group, again while its coordinator is about to load it.
func (a *admin) describeStreamsGroup(limit time.Duration, id string) (*streamsGroup, error) {
	for deadline := time.Now().Add(limit); ; time.Sleep(a.backoff) {
		g, err := a.describeStreamsGroupOnce(limit, id)
		e, ok := errors.AsType[*brokerError](err)
		if !ok || !kerr.IsRetriable(e.cause) || time.Now().Add(a.backoff).After(deadline) {
			return g, err
		}
	}
}

func (a *admin) describeStreamsGroupOnce(limit time.Duration, id string) (*streamsGroup, error) {
	const call = "describeStreamsGroups"
	coordinators, err := a.findCoordinators(limit, call+"(api=FIND_COORDINATOR)", []string{id})
	if err != nil {
		return nil, err
	}
	rq := kmsg.NewPtrStreamsGroupDescribeRequest()
	rq.Groups = []string{id}
	response, err := a.callWithin(limit, call+"(api=STREAMS_GROUP_DESCRIBE)", rq)
	if err != nil {
		return nil, err
	}
	g := &streamsGroup{coordinator: coordinators[id]}
	for _, answer := range response.(*kmsg.StreamsGroupDescribeResponse).Groups {
		if err := responseError(answer.ErrorCode, answer.ErrorMessage); err != nil {
			return nil, err
		}
		g.StreamsGroupDescribeResponseGroup = answer
	}
	return g, nil
}

// subtopologies of the group, none before it has a topology.
func (g *streamsGroup) subtopologies() []kmsg.StreamsGroupDescribeResponseGroupTopologySubtopology {
	if g.Topology == nil {
		return nil
	}
	return g.Topology.Subtopologies
}

// sourceTopics are the topics that the group reads, with or without its own repartition topics.
func (g *streamsGroup) sourceTopics(repartition bool) []string {
	var topics []string
	for _, s := range g.subtopologies() {
		topics = append(topics, s.SourceTopics...)
		for _, t := range s.RepartitionSourceTopics {
			if repartition {
				topics = append(topics, t.Topic)
			}
		}
	}
	return topics
}

// internalTopics are the topics that Kafka Streams made for the group, and those of the topology that have no such name.
func (g *streamsGroup) internalTopics() (internal, others []string) {
	sources := g.sourceTopics(false)
	add := func(topics []kmsg.TopicInfo) {
		for _, t := range topics {
			switch {
			case slices.Contains(sources, t.Topic) || slices.Contains(internal, t.Topic):
			case isStreamsTopic(g.Group, t.Topic):
				internal = append(internal, t.Topic)
			default:
				others = append(others, t.Topic)
			}
		}
	}
	for _, s := range g.subtopologies() {
		add(s.RepartitionSourceTopics)
		add(s.StateChangelogTopics)
	}
	return internal, others
}

// isStreamsTopic reports whether a topic is called as Kafka Streams calls those that it makes for an application.
func isStreamsTopic(application, topic string) bool {
	if !strings.HasPrefix(topic, application+"-") {
		return false
	}
	for _, end := range []string{"-changelog", "-repartition", "-subscription-registration-topic", "-subscription-response-topic"} {
		if strings.HasSuffix(topic, end) {
			return true
		}
	}
	number, isTopic := strings.CutSuffix(topic, "-topic")
	name := strings.TrimRight(number, "0123456789")
	return isTopic && name != number && (strings.HasSuffix(name, "-KTABLE-FK-JOIN-SUBSCRIPTION-REGISTRATION-") ||
		strings.HasSuffix(name, "-KTABLE-FK-JOIN-SUBSCRIPTION-RESPONSE-"))
}

// asDescribed is the group as `ottla group why` tells of groups of all kinds.
func (g *streamsGroup) asDescribed() *describedGroup {
	d := &describedGroup{id: g.Group, state: g.State, coordinator: g.coordinator, epoch: &g.Epoch, targetEpoch: &g.AssignmentEpoch}
	for _, m := range g.Members {
		one := *g
		one.Members = []kmsg.StreamsGroupDescribeResponseGroupMember{m}
		member := describedMember{id: m.MemberID, clientID: m.ClientID, host: m.ClientHost, epoch: &m.MemberEpoch}
		member.assigned, _ = one.activePartitions() // tasks of subtopologies that are not described yet have none
		d.members = append(d.members, member)
	}
	return d
}

// activePartitions are the partitions that the members' active tasks read.
func (g *streamsGroup) activePartitions() ([]kafka.TopicPartition, error) {
	sources := make(map[string][]string)
	for _, s := range g.subtopologies() {
		sources[s.SubtopologyID] = slices.Clone(s.SourceTopics)
		for _, t := range s.RepartitionSourceTopics {
			sources[s.SubtopologyID] = append(sources[s.SubtopologyID], t.Topic)
		}
	}
	var partitions []kafka.TopicPartition
	for _, m := range g.Members {
		for _, task := range m.Assignment.ActiveTasks {
			topics, ok := sources[task.SubtopologyID]
			if !ok {
				return nil, illegalArgument("Subtopology " + task.SubtopologyID + " not found in group description!")
			}
			for _, topic := range topics {
				partitions = appendTopic(partitions, topic, task.Partitions)
			}
		}
	}
	return slices.Compact(sortPartitions(partitions)), nil
}
