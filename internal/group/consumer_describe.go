package group

import (
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/wire"
)

// Types of members in ConsumerGroupDescribe.
const (
	classicMemberType  = 0
	consumerMemberType = 1
)

// DescribeConsumer tells a consumer group's epochs and members, with what they have and what they are to have. A group of
// another kind is GROUP_ID_NOT_FOUND.
func (c *Coordinator) DescribeConsumer(groupID string, answer func(wire.ConsumerGroupDescribeResponseDescribedGroup, error)) statemachine.Output {
	var described wire.ConsumerGroupDescribeResponseDescribedGroup
	described.Reset()
	g, err := c.consumerToAsk(groupID)
	if err == nil {
		g.describe(&described, c.options.Image(), c.options.Settings().Assignors)
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

func (g *consumerGroup) describe(d *wire.ConsumerGroupDescribeResponseDescribedGroup, im *metadata.Image, assignors []string) {
	d.GroupID, d.GroupState, d.GroupEpoch, d.AssignmentEpoch = g.id, string(g.state()), g.epoch, g.assignmentEpoch
	d.AssignorName = g.assignor(assignors)
	for _, m := range orderedMembers(g.members) {
		kind := int8(consumerMemberType)
		if m.classic != nil {
			kind = classicMemberType
		}
		all := make(held, len(m.assigned))
		for _, h := range []held{m.assigned, m.revoking} {
			for topic, ids := range h {
				for id, epoch := range ids {
					all.with(topic, id, epoch)
				}
			}
		}
		d.Members = append(d.Members, wire.ConsumerGroupDescribeResponseMember{
			MemberID: m.id, InstanceID: m.instanceID, RackID: m.rackID, MemberEpoch: m.epoch, ClientID: m.clientID, ClientHost: m.clientHost,
			SubscribedTopicNames: m.topics, SubscribedTopicRegex: &m.regex, MemberType: kind,
			Assignment: described(im, all.partitions()), TargetAssignment: described(im, g.target[m.id]),
		})
	}
}

// described names the topics of partitions; those of topics that were deleted are left out.
func described(im *metadata.Image, p partitions) wire.ConsumerGroupDescribeResponseAssignment {
	assignment := wire.ConsumerGroupDescribeResponseAssignment{TopicPartitions: []wire.ConsumerGroupDescribeResponseTopicPartitions{}}
	for _, id := range topicsInOrder(p) {
		if topic := im.TopicByID(id); topic != nil {
			assignment.TopicPartitions = append(assignment.TopicPartitions, wire.ConsumerGroupDescribeResponseTopicPartitions{
				TopicID: id, TopicName: topic.Name, Partitions: p[id],
			})
		}
	}
	return assignment
}

// notClassic is why a group of another kind is not described by DescribeGroups.
func notClassic(id string) error {
	return kafka.Errorf(kafka.GroupIDNotFound, "Group %s is not a classic group.", id)
}
