package group

import (
	"slices"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
)

// consumerStep is a step that is about one member, who joins or goes on, while it is made. The group is as it is before the
// step, or as the step's records have made it so far where they convert it or replace a static member.
type consumerStep struct {
	c   *Coordinator
	out *outcome
	now time.Time
	im  *metadata.Image
	g   *consumerGroup

	joins    bool            // the member says that it joins
	classic  bool            // by the classic protocol
	known    bool            // it was in the group before
	replaces string          // the id that a static member had before
	before   *consumerMember // as it was
	member   *consumerMember // as it is to be

	renamed  bool  // it names other topics
	matching bool  // it subscribes to another regular expression
	matched  bool  // which has been resolved before
	epoch    int32 // of the group after the step
	changed  bool  // topics that the group is subscribed to have changed
}

// newConsumerStep begins a step on a group. If the member joins, the group need not exist, and one of the classic kind is
// converted: without members in any case, with members if group.consumer.migration.policy allows it.
func (c *Coordinator) newConsumerStep(out *outcome, now time.Time, groupID string, joins bool) (*consumerStep, error) {
	s := &consumerStep{c: c, out: out, now: now, im: c.look(), joins: joins}
	shared := c.groups[groupID]
	if shared == nil {
		if !joins {
			return nil, kafka.Errorf(kafka.GroupIDNotFound, "Consumer group %s not found.", groupID)
		}
		s.g = newConsumerGroup(&group{id: groupID})
	} else if g, ok := shared.kind.(*consumerGroup); ok {
		s.g = g
	} else {
		g, err := c.convertToConsumer(s, shared)
		if err != nil {
			return nil, err
		}
		s.g = g
	}
	s.epoch = s.g.epoch
	return s, nil
}

// convertToConsumer makes a consumer group of a group of another kind.
func (c *Coordinator) convertToConsumer(s *consumerStep, shared *group) (*consumerGroup, error) {
	g, ok := shared.kind.(*classicGroup)
	switch {
	case !ok || !s.joins:
	case g.state == empty:
		g.tombstones(s.out)
		return newConsumerGroup(shared), nil
	default:
		return c.upgrade(s, g)
	}
	return nil, kafka.Errorf(kafka.GroupIDNotFound, "Group %s is not a consumer group.", shared.id)
}

// checkRoom refuses newcomers of a group that is full. Static members that come back do not make it larger.
func (s *consumerStep) checkRoom(memberID string, instanceID *string) error {
	if instanceID != nil && s.g.statics[*instanceID] != "" {
		return nil
	}
	limit := s.c.options.Settings().ConsumerMaxSize
	if len(s.g.members) >= limit && s.g.members[memberID] == nil {
		return kafka.Errorf(kafka.GroupMaxSizeReached, "The consumer group has reached its maximum capacity of %d members.", limit)
	}
	return nil
}

// enter finds the member that a request comes from, or makes one of a newcomer.
func (s *consumerStep) enter(id string, epoch int32, instanceID *string, owned partitions) error {
	if instanceID != nil {
		return s.enterStatic(id, epoch, *instanceID, owned)
	}
	m := s.g.members[id]
	s.known = m != nil
	switch {
	case m != nil:
	case s.joins:
		m = newConsumerMember(id)
	default:
		return s.g.errUnknownMember(id)
	}
	s.before = m
	return m.checkEpoch(epoch, owned)
}

// enterStatic is enter for a static member: who joins under an instance id takes the place of a member that left for a
// while, with its partitions.
func (s *consumerStep) enterStatic(id string, epoch int32, instanceID string, owned partitions) error {
	current := s.g.members[s.g.statics[instanceID]]
	s.known = current != nil
	switch {
	case current == nil && s.joins:
		s.before = newConsumerMember(id)
		if m := s.g.members[id]; m != nil {
			s.before, s.known = m, true
		}
		return nil
	case current == nil:
		return kafka.Errorf(kafka.UnknownMemberID, "Instance id %s is unknown.", instanceID)
	case !s.joins:
		if err := current.checkInstance(id); err != nil {
			return err
		}
		s.before = current
		return current.checkEpoch(epoch, owned)
	case !s.classic && current.classic == nil && current.epoch != leavingForAWhile:
		return kafka.Errorf(kafka.UnreleasedInstanceID, "Static member %s with instance id %s cannot join the group because the instance id is owned by %s member.", id, instanceID, current.id)
	}
	s.replace(current, id)
	return nil
}

// replace puts a static member that has come back in the place of its former self.
func (s *consumerStep) replace(current *consumerMember, id string) {
	next := *current
	next.id, next.epoch, next.previousEpoch = id, 0, 0
	from := len(s.out.Records)
	s.g.writeRemoval(s.out, current.id)
	s.out.write(s.g.memberRecord(&next))
	s.out.write(s.g.targetRecord(id, s.g.target[current.id]))
	s.out.write(s.g.currentRecord(&next))
	s.g = s.g.clone()
	s.g.apply(s.out.Records[from:])
	s.before, s.replaces = s.g.members[id], current.id
}

// checkInstance refuses a request under a member id that another has taken over the instance id from.
func (m *consumerMember) checkInstance(id string) error {
	if m.id != id {
		return kafka.Errorf(kafka.FencedInstanceID, "Static member %s with instance id %s was fenced by member %s.", id, textOf(m.instanceID), m.id)
	}
	return nil
}

func (g *consumerGroup) errUnknownMember(id string) error {
	return kafka.Errorf(kafka.UnknownMemberID, "Member %s is not a member of group %s.", id, g.id)
}

// checkEpoch fences a member that is not at its epoch. The epoch before is fine if the member owns no more than it is given:
// the answer that told it the new one may have been lost.
func (m *consumerMember) checkEpoch(epoch int32, owned partitions) error {
	switch {
	case epoch == joining:
	case epoch > m.epoch:
		return kafka.Errorf(kafka.FencedMemberEpoch, "The consumer group member has a greater member epoch (%d) than the one known by the group coordinator (%d). The member must abandon all its partitions and rejoin.", epoch, m.epoch)
	case epoch < m.epoch && (epoch != m.previousEpoch || owned == nil || !m.assigned.contains(owned)):
		return kafka.Errorf(kafka.FencedMemberEpoch, "The consumer group member has a smaller member epoch (%d) than the one known by the group coordinator (%d). The member must abandon all its partitions and rejoin.", epoch, m.epoch)
	}
	return nil
}

// settle decides what the member's new self makes of the group: its subscriptions, its epoch, a target assignment if one is
// due, and how far the member gets with it. Any change of a regular expression begins a new epoch if eager is set.
func (s *consumerStep) settle(owned partitions, eager bool) error {
	if err := s.subscribe(eager); err != nil {
		return err
	}
	epoch, target, err := s.assign()
	if err != nil {
		return err
	}
	return s.reconcile(epoch, target, owned)
}

// subscribe writes the member if it is not as it was, and begins a new epoch of the group if that is about other topics, or
// if its topics have changed since the last.
func (s *consumerStep) subscribe(eager bool) error {
	if !s.member.sameMetadata(s.before) || !s.known {
		s.out.write(s.g.memberRecord(s.member))
	}
	s.renamed = !slices.Equal(s.member.topics, s.before.topics)
	if err := s.match(); err != nil {
		return err
	}
	bump := s.renamed || s.matched || eager && s.matching
	if bump || s.g.checked != s.im.Offset() {
		s.renew(bump)
	}
	return nil
}

// renew begins a new epoch if the topics of the group are not what they were, or if it must.
func (s *consumerStep) renew(must bool) {
	hash := s.g.hashes.sum(s.im, s.g.topicNamesWith(s.before, s.member))
	s.changed = hash != s.g.hash && s.known && !must
	if must || hash != s.g.hash {
		s.epoch = s.g.epoch + 1
		s.out.write(s.g.epochRecord(s.epoch, hash))
	} else {
		s.g.checked = s.im.Offset()
	}
	if s.g.legacy {
		s.out.write(s.g.legacyTombstone())
	}
}
