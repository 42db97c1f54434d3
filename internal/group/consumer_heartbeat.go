package group

import (
	"slices"
	"strings"
	"time"

	"github.com/ottla/ottla/internal/causes"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/wire"
)

// ConsumerHeartbeat is a ConsumerGroupHeartbeat request.
type ConsumerHeartbeat struct {
	*wire.ConsumerGroupHeartbeatRequest
	Version int16 // from 1 on members make their ids themselves
	Client  causes.Client
}

// Heartbeat of a member of a consumer group: it joins with epoch 0, leaves with -1 or, as a static member that comes back
// soon, with -2, and otherwise tells what has changed and which partitions it owns. The answer tells its epoch, and its
// partitions if they have changed (GroupMetadataManager.consumerGroupHeartbeat). Nothing of rq is used after it has returned.
func (c *Coordinator) ConsumerHeartbeat(now time.Time, rq ConsumerHeartbeat, answer func(*wire.ConsumerGroupHeartbeatResponse, error)) statemachine.Output {
	var out outcome
	c.begin(&out, now)
	response, err := c.consumerHeartbeat(&out, now, rq)
	if err != nil {
		out.Records, out.bytes = nil, 0
		c.noteRefused(now, rq.GroupID, whoIs(rq.Client, rq.MemberID, rq.InstanceID), rq.MemberEpoch, err, settingConsumerMaxSize, c.options.Settings().ConsumerMaxSize)
	}
	out.then(func(failed error) {
		if failed != nil {
			response, err = nil, failed
		}
		answer(response, err)
	})
	return out.Output
}

func (c *Coordinator) consumerHeartbeat(out *outcome, now time.Time, rq ConsumerHeartbeat) (*wire.ConsumerGroupHeartbeatResponse, error) {
	if rq.MemberEpoch == leaving || rq.MemberEpoch == leavingForAWhile {
		return c.consumerLeave(out, now, rq)
	}
	s, err := c.newConsumerStep(out, now, rq.GroupID, rq.MemberEpoch == joining)
	if err != nil {
		return nil, err
	}
	if err := s.checkRoom(rq.MemberID, rq.InstanceID); err != nil {
		return nil, err
	}
	id := rq.MemberID
	if id == "" {
		id = c.options.NewID()
	}
	owned := ownedPartitions(rq.TopicPartitions)
	if err := s.enter(id, rq.MemberEpoch, rq.InstanceID, owned); err != nil {
		return nil, err
	}
	s.member = s.before.told(rq.ConsumerGroupHeartbeatRequest, rq.Client)
	if err := s.settle(owned, false); err != nil {
		return nil, err
	}
	c.clock(s.g.id, id).client = rq.Client
	c.awaitMember(now, s.g.id, s.member)
	s.explain(rq.Client)
	response := &wire.ConsumerGroupHeartbeatResponse{
		MemberID: &s.member.id, MemberEpoch: s.member.epoch,
		HeartbeatIntervalMs: int32(c.options.Consumer(s.g.id).HeartbeatInterval.Milliseconds()),
	}
	full := rq.RebalanceTimeoutMs != -1 && (rq.SubscribedTopicNames != nil || rq.SubscribedTopicRegex != nil) && rq.TopicPartitions != nil
	if rq.MemberEpoch == joining || full || !s.before.assigned.equal(s.member.assigned) {
		response.Assignment = assignmentOf(s.member.assigned)
	}
	return response, nil
}

// CheckHeartbeat says what is wrong with a request, whatever the group is like; the texts are Kafka's. assignors are those of
// group.consumer.assignors. What it refuses never comes to ConsumerHeartbeat.
func CheckHeartbeat(rq ConsumerHeartbeat, assignors []string) error {
	invalid := func(text string) error { return kafka.Errorf(kafka.InvalidRequest, "%s", text) }
	blank := func(s *string) bool { return s != nil && strings.TrimSpace(*s) == "" }
	switch {
	case (rq.Version >= 1 || rq.MemberEpoch > 0 || rq.MemberEpoch == leaving) && strings.TrimSpace(rq.MemberID) == "":
		return invalid("MemberId can't be empty.")
	case strings.TrimSpace(rq.GroupID) == "":
		return invalid("GroupId can't be empty.")
	case blank(rq.InstanceID):
		return invalid("InstanceId can't be empty.")
	case blank(rq.RackID):
		return invalid("RackId can't be empty.")
	case rq.MemberEpoch == joining && rq.RebalanceTimeoutMs == -1:
		return invalid("RebalanceTimeoutMs must be provided in first request.")
	case rq.MemberEpoch == joining && (rq.TopicPartitions == nil || len(rq.TopicPartitions) > 0):
		return invalid("TopicPartitions must be empty when (re-)joining.")
	case rq.MemberEpoch == joining && rq.SubscribedTopicNames == nil && rq.SubscribedTopicRegex == nil:
		return invalid("Either SubscribedTopicNames or SubscribedTopicRegex must be non-null when (re-)joining.")
	case rq.MemberEpoch == leavingForAWhile && rq.InstanceID == nil:
		return invalid("InstanceId can't be null.")
	case rq.MemberEpoch < leavingForAWhile:
		return invalid("MemberEpoch is invalid.")
	}
	if rq.ServerAssignor != nil && !slices.Contains(assignors, *rq.ServerAssignor) {
		return kafka.Errorf(kafka.UnsupportedAssignor, "ServerAssignor %s is not supported. Supported assignors: %s.", *rq.ServerAssignor, strings.Join(assignors, ", "))
	}
	return nil
}

// ownedPartitions are those that a request names; nil if it does not say.
func ownedPartitions(list []wire.ConsumerGroupHeartbeatRequestTopicPartitions) partitions {
	if list == nil {
		return nil
	}
	owned := make(partitions, len(list))
	for _, t := range list {
		owned[t.TopicID] = append(owned[t.TopicID], t.Partitions...)
	}
	return owned
}

func assignmentOf(h held) *wire.ConsumerGroupHeartbeatResponseAssignment {
	assignment := &wire.ConsumerGroupHeartbeatResponseAssignment{TopicPartitions: []wire.ConsumerGroupHeartbeatResponseTopicPartitions{}}
	p := h.partitions()
	for _, topic := range topicsInOrder(p) {
		assignment.TopicPartitions = append(assignment.TopicPartitions, wire.ConsumerGroupHeartbeatResponseTopicPartitions{TopicID: topic, Partitions: p[topic]})
	}
	return assignment
}
