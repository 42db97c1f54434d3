package tools

import (
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
)

// A describedGroup is a consumer group, of the classic or of the consumer protocol.
type describedGroup struct {
	id, state, assignor string
	coordinator         coordinator
	members             []describedMember
	epoch, targetEpoch  *int32 // nil for the classic protocol
}

type describedMember struct {
	id, instance, clientID, host string
	assigned, target             []kafka.TopicPartition
	epoch                        *int32
	upgraded                     *bool // nil where the broker does not tell
}

const callDescribeGroups = "describeConsumerGroups"

// describeGroups describes groups: with the consumer protocol's API, and what that does not know with the classic one. The failure of a
// group stands in failures.
func (a *admin) describeGroups(limit time.Duration, ids []string) (groups map[string]describedGroup, failures map[string]error, err error) {
	groups, failures = make(map[string]describedGroup), make(map[string]error)
	coordinators, err := a.findCoordinators(limit, callDescribeGroups+"(api=FIND_COORDINATOR)", ids)
	if err != nil || len(ids) == 0 {
		return nil, nil, err
	}
	classic := ids
	modern, err := a.serves(int16(kmsg.ConsumerGroupDescribe))
	if err != nil {
		return nil, nil, err
	}
	if modern {
		if classic, err = a.describeModern(limit, ids, groups, failures); err != nil {
			return nil, nil, err
		}
	}
	if err := a.describeClassic(limit, classic, groups, failures); err != nil {
		return nil, nil, err
	}
	for id, g := range groups {
		g.coordinator = coordinators[id]
		groups[id] = g
	}
	return groups, failures, nil
}

// describeModern returns the groups that are not of the consumer protocol.
func (a *admin) describeModern(limit time.Duration, ids []string, groups map[string]describedGroup, failures map[string]error) (classic []string, err error) {
	rq := kmsg.NewPtrConsumerGroupDescribeRequest()
	rq.Groups = ids
	response, err := a.callWithin(limit, callDescribeGroups+"(api=CONSUMER_GROUP_DESCRIBE)", rq)
	if err != nil {
		if hasCode(err, kerr.UnsupportedVersion) {
			return ids, nil
		}
		return nil, err
	}
	for _, g := range response.(*kmsg.ConsumerGroupDescribeResponse).Groups {
		err := responseError(g.ErrorCode, g.ErrorMessage)
		switch {
		case hasCode(err, kerr.GroupIDNotFound), hasCode(err, kerr.UnsupportedVersion):
			classic = append(classic, g.Group)
		case err != nil:
			failures[g.Group] = err
		default:
			groups[g.Group] = modernGroup(g)
		}
	}
	return classic, nil
}

func modernGroup(g kmsg.ConsumerGroupDescribeResponseGroup) describedGroup {
	d := describedGroup{id: g.Group, state: g.State, assignor: g.AssignorName, epoch: &g.Epoch, targetEpoch: &g.AssignmentEpoch}
	for _, m := range g.Members {
		member := describedMember{id: m.MemberID, clientID: m.ClientID, host: m.ClientHost, epoch: &m.MemberEpoch}
		if m.InstanceID != nil {
			member.instance = *m.InstanceID
		}
		for _, t := range m.Assignment.TopicPartitions {
			member.assigned = appendTopic(member.assigned, t.Topic, t.Partitions)
		}
		for _, t := range m.TargetAssignment.TopicPartitions {
			member.target = appendTopic(member.target, t.Topic, t.Partitions)
		}
		if m.MemberType >= 0 {
			upgraded := m.MemberType == 1
			member.upgraded = &upgraded
		}
		d.members = append(d.members, member)
	}
	return d
}

func appendTopic(list []kafka.TopicPartition, topic string, ids []int32) []kafka.TopicPartition {
	for _, id := range ids {
		list = append(list, kafka.TopicPartition{Topic: topic, Partition: id})
	}
	return list
}

func (a *admin) describeClassic(limit time.Duration, ids []string, groups map[string]describedGroup, failures map[string]error) error {
	if len(ids) == 0 {
		return nil
	}
	rq := kmsg.NewPtrDescribeGroupsRequest()
	rq.Groups = ids
	response, err := a.callWithin(limit, callDescribeGroups+"(api=DESCRIBE_GROUPS)", rq)
	if err != nil {
		return err
	}
	for _, g := range response.(*kmsg.DescribeGroupsResponse).Groups {
		err := responseError(g.ErrorCode, g.ErrorMessage)
		switch {
		case err != nil:
			failures[g.Group] = err
		case g.ProtocolType != "" && g.ProtocolType != "consumer":
			failures[g.Group] = illegalArgument("GroupId " + g.Group + " is not a consumer group (" + g.ProtocolType + ").")
		default:
			groups[g.Group] = classicGroup(g)
		}
	}
	return nil
}

func classicGroup(g kmsg.DescribeGroupsResponseGroup) describedGroup {
	d := describedGroup{id: g.Group, state: g.State, assignor: g.Protocol}
	for _, m := range g.Members {
		member := describedMember{id: m.MemberID, clientID: m.ClientID, host: m.ClientHost}
		if m.InstanceID != nil {
			member.instance = *m.InstanceID
		}
		var assignment kmsg.ConsumerMemberAssignment
		if len(m.MemberAssignment) > 0 && assignment.ReadFrom(m.MemberAssignment) == nil {
			for _, t := range assignment.Topics {
				member.assigned = appendTopic(member.assigned, t.Topic, t.Partitions)
			}
		}
		d.members = append(d.members, member)
	}
	return d
}

// A committedOffset is what a group has committed for a partition; epoch is -1 where it is not known.
type committedOffset struct {
	offset int64
	epoch  int32
}

// committedOffsets returns all offsets of a group.
func (a *admin) committedOffsets(limit time.Duration, group string) (map[kafka.TopicPartition]committedOffset, error) {
	rq := kmsg.NewPtrOffsetFetchRequest()
	rq.Group = group
	g := kmsg.NewOffsetFetchRequestGroup()
	g.Group = group
	rq.Groups = append(rq.Groups, g)
	response, err := a.callWithin(limit, "listConsumerGroupOffsets(api=OFFSET_FETCH)", rq)
	if err != nil {
		return nil, err
	}
	r := response.(*kmsg.OffsetFetchResponse)
	offsets := make(map[kafka.TopicPartition]committedOffset)
	add := func(topic string, id int32, code int16, offset int64, epoch int32) error {
		if offset >= 0 && code == 0 {
			offsets[kafka.TopicPartition{Topic: topic, Partition: id}] = committedOffset{offset, epoch}
		}
		return responseError(code, nil)
	}
	if err := responseError(r.ErrorCode, nil); err != nil {
		return nil, err
	}
	for _, t := range r.Topics {
		for _, p := range t.Partitions {
			if err := add(t.Topic, p.Partition, p.ErrorCode, p.Offset, p.LeaderEpoch); err != nil {
				return nil, err
			}
		}
	}
	for _, g := range r.Groups {
		if err := responseError(g.ErrorCode, nil); err != nil {
			return nil, err
		}
		for _, t := range g.Topics {
			for _, p := range t.Partitions {
				if err := add(t.Topic, p.Partition, p.ErrorCode, p.Offset, p.LeaderEpoch); err != nil {
					return nil, err
				}
			}
		}
	}
	return offsets, nil
}

// setOffsets commits offsets of a group without members.
func (a *admin) setOffsets(limit time.Duration, group string, offsets map[kafka.TopicPartition]int64) error {
	if len(offsets) == 0 {
		return nil
	}
	rq := kmsg.NewPtrOffsetCommitRequest()
	rq.Group, rq.Generation = group, -1
	topics := make(map[string][]kmsg.OffsetCommitRequestTopicPartition)
	for tp, offset := range offsets {
		p := kmsg.NewOffsetCommitRequestTopicPartition()
		p.Partition, p.Offset, p.Metadata = tp.Partition, offset, kmsg.StringPtr("")
		topics[tp.Topic] = append(topics[tp.Topic], p)
	}
	for topic, partitions := range topics {
		t := kmsg.NewOffsetCommitRequestTopic()
		t.Topic, t.Partitions = topic, partitions
		rq.Topics = append(rq.Topics, t)
	}
	response, err := a.callWithin(limit, "alterConsumerGroupOffsets(api=OFFSET_COMMIT)", rq)
	if err != nil {
		return err
	}
	for _, t := range response.(*kmsg.OffsetCommitResponse).Topics {
		for _, p := range t.Partitions {
			if err := responseError(p.ErrorCode, nil); err != nil {
				return err
			}
		}
	}
	return nil
}

// deleteOffsets deletes offsets of a group; the failure of each partition stands in the result, nil for success.
func (a *admin) deleteOffsets(limit time.Duration, group string, partitions []kafka.TopicPartition) (map[kafka.TopicPartition]error, error) {
	rq := kmsg.NewPtrOffsetDeleteRequest()
	rq.Group = group
	for topic, ids := range byTopic(partitions) {
		t := kmsg.NewOffsetDeleteRequestTopic()
		t.Topic = topic
		for _, id := range ids {
			p := kmsg.NewOffsetDeleteRequestTopicPartition()
			p.Partition = id
			t.Partitions = append(t.Partitions, p)
		}
		rq.Topics = append(rq.Topics, t)
	}
	response, err := a.callWithin(limit, "deleteConsumerGroupOffsets(api=OFFSET_DELETE)", rq)
	if err != nil {
		return nil, err
	}
	r := response.(*kmsg.OffsetDeleteResponse)
	if err := responseError(r.ErrorCode, nil); err != nil {
		return nil, err
	}
	results := make(map[kafka.TopicPartition]error)
	for _, t := range r.Topics {
		for _, p := range t.Partitions {
			results[kafka.TopicPartition{Topic: t.Topic, Partition: p.Partition}] = responseError(p.ErrorCode, nil)
		}
	}
	return results, nil
}

// isConsumerState reports whether Kafka's tools know a state, and whether members are about to get other partitions in it.
func isConsumerState(state string) (known, rebalancing bool) {
	switch strings.ToLower(state) {
	case "preparingrebalance", "completingrebalance", "assigning", "reconciling":
		return true, true
	case "stable", "empty", "dead":
		return true, false
	}
	return false, false
}
