package group

import (
	"bytes"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/wire"
)

// upgrade makes a consumer group of a classic group with members: its consumers go on with the classic protocol, and with
// what they had, beside the one of the new protocol that joins (GroupMetadataManager.convertToConsumerGroup). Requests of
// theirs that wait are told to join again.
func (c *Coordinator) upgrade(s *consumerStep, g *classicGroup) (*consumerGroup, error) {
	if err := c.checkUpgrade(g); err != nil {
		return nil, err
	}
	next, err := s.fromClassic(g)
	if err != nil {
		return nil, err
	}
	for _, m := range g.ordered() {
		g.answerJoin(s.out, m, joinFailure(m.id, kafka.RebalanceInProgress))
		m.answerSync(s.out, syncFailure(kafka.RebalanceInProgress))
	}
	g.tombstones(s.out)
	next.writeAll(s.out)
	for _, m := range orderedMembers(next.members) {
		c.awaitMember(s.now, g.id, m)
	}
	c.tell(s.now, next.id, next.epoch, Cause{Kind: GroupConverted, Reason: "from the classic to the consumer protocol, as group.consumer.migration.policy allows", Epoch: next.epoch})
	return next, nil
}

// checkUpgrade says why a group with members may not be converted; the texts are Kafka's.
func (c *Coordinator) checkUpgrade(g *classicGroup) error {
	settings := c.options.Settings()
	reason := ""
	switch {
	case !settings.Upgrade:
		reason = "online upgrade is disabled"
	case g.protocolType != consumerProtocol:
		reason = "the group does not use the consumer embedded protocol"
	case len(g.members) > settings.ConsumerMaxSize:
		reason = "the group size exceeds the consumer group maximum size"
	default:
		return nil
	}
	return kafka.Errorf(kafka.GroupIDNotFound, "Cannot upgrade classic group %s to consumer group because %s.", g.id, reason)
}

// fromClassic is a classic group as a consumer group, in which every member has what the last assignment gave it.
func (s *consumerStep) fromClassic(g *classicGroup) (*consumerGroup, error) {
	next := newConsumerGroup(g.group)
	next.epoch, next.assignmentEpoch = g.generation, g.generation
	for _, cm := range g.ordered() {
		m, err := s.memberFromClassic(g, cm)
		if err != nil {
			if kafka.CodeOf(err) == kafka.UnsupportedVersion {
				return nil, kafka.Errorf(kafka.GroupIDNotFound, "Cannot upgrade classic group %s to consumer group because an unsupported custom assignor is in use. Please refer to the documentation or switch to a default assignor before re-attempting the upgrade.", g.id)
			}
			return nil, kafka.Errorf(kafka.GroupIDNotFound, "Cannot upgrade classic group %s to consumer group because the embedded consumer protocol is malformed.", g.id)
		}
		next.target[m.id] = m.assigned.partitions()
		next.put(m)
	}
	next.hash = next.hashes.sum(s.im, next.topicNames())
	return next, nil
}

func (s *consumerStep) memberFromClassic(g *classicGroup, cm *classicMember) (*consumerMember, error) {
	assigned, err := readAssignment(s.im, cm.assignment)
	if err != nil {
		return nil, err
	}
	said := cm.metadata(g.protocol)
	if said == nil && len(cm.protocols) > 0 { // no protocol has been chosen yet
		said = cm.protocols[0].metadata
	}
	subscription, err := readSubscription(said)
	if err != nil {
		return nil, err
	}
	classic := &wire.ConsumerGroupMemberMetadataValueClassicMemberMetadata{SessionTimeoutMs: int32(cm.sessionTimeout.Milliseconds())}
	for _, p := range cm.protocols {
		classic.SupportedProtocols = append(classic.SupportedProtocols, wire.ConsumerGroupMemberMetadataValueClassicProtocol{Name: p.name, Metadata: p.metadata})
	}
	return &consumerMember{
		id: cm.id, epoch: g.generation, previousEpoch: g.generation, state: reconciled, instanceID: cm.instanceID, rackID: subscription.RackID,
		rebalanceTimeout: int32(cm.rebalanceTimeout.Milliseconds()), clientID: cm.clientID, clientHost: cm.clientHost,
		topics: distinctTexts(subscription.Topics), assigned: assigned.at(g.generation), classic: classic,
	}, nil
}

// classicOf is what a join says about the classic side of a member of a consumer group.
func classicOf(rq *Join) *wire.ConsumerGroupMemberMetadataValueClassicMemberMetadata {
	classic := &wire.ConsumerGroupMemberMetadataValueClassicMemberMetadata{SessionTimeoutMs: int32(rq.SessionTimeout.Milliseconds())}
	for _, p := range rq.Protocols {
		classic.SupportedProtocols = append(classic.SupportedProtocols, wire.ConsumerGroupMemberMetadataValueClassicProtocol{Name: p.Name, Metadata: bytes.Clone(p.Metadata)})
	}
	return classic
}
