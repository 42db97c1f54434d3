package group

import (
	"maps"
	"slices"
	"time"

	"github.com/ottla/ottla/internal/kafka"
)

// reconcile takes the member as far towards its target as it can go: it first gives up what it is not to have any more, then
// gets what nobody else holds (org.apache.kafka.coordinator.group.modern.consumer.CurrentAssignmentBuilder).
func (s *consumerStep) reconcile(epoch int32, target partitions, owned partitions) error {
	m, altered := s.member, s.renamed || s.matching
	if !altered && m.reconciledTo(epoch) {
		return nil
	}
	r := reconciliation{g: s.g, m: m, epoch: epoch, target: target, owned: owned, subscribed: s.subscribed}
	next, err := r.next(altered)
	if err != nil {
		return err
	}
	s.member = next
	if next.sameAssignment(m) {
		return nil
	}
	s.out.write(s.g.currentRecord(next))
	if next.classic != nil {
		return nil // its join and sync are timed
	}
	if next.state == revoking {
		s.c.awaitRevocation(s.now, s.g.id, next)
	} else {
		s.c.alarms.cancel(&s.c.clock(s.g.id, next.id).rebalance)
	}
	return nil
}

// subscribed reports whether the member subscribes to a topic.
func (s *consumerStep) subscribed(topic kafka.UUID) bool {
	t := s.im.TopicByID(topic)
	if t == nil {
		return false
	}
	if _, found := slices.BinarySearch(s.member.topics, t.Name); found {
		return true
	}
	if s.member.regex == "" {
		return false
	}
	_, found := slices.BinarySearch(s.g.regexes[s.member.regex].topics, t.Name)
	return found
}

// reconciliation is how a member gets to its target.
type reconciliation struct {
	g          *consumerGroup
	m          *consumerMember
	epoch      int32 // of the target
	target     partitions
	owned      partitions // that the member says it owns; nil if it does not say
	subscribed func(topic kafka.UUID) bool
}

func (r *reconciliation) next(altered bool) (*consumerMember, error) {
	m := r.m
	switch m.state {
	case reconciled:
		if m.epoch != r.epoch {
			return r.advance(m.epoch), nil
		}
		return r.trim(altered), nil
	case revoking:
		if r.owns(m.revoking) {
			return r.trim(altered), nil
		}
		return r.advance(m.epoch), nil
	case waiting:
		return r.advance(m.epoch), nil
	}
	if r.owned == nil || len(r.owned) > 0 {
		return nil, kafka.Errorf(kafka.FencedMemberEpoch, "The consumer group member is in a unknown state. The member must abandon all its partitions and rejoin.")
	}
	return r.advance(r.epoch), nil
}

// owns reports whether the member still owns some of the partitions, or does not say.
func (r *reconciliation) owns(h held) bool {
	if r.owned == nil {
		return true
	}
	for topic, ids := range r.owned {
		for _, id := range ids {
			if _, ok := h[topic][id]; ok {
				return true
			}
		}
	}
	return false
}

// trim has the member give up the partitions of topics that it does not subscribe to any more, without waiting for a target.
func (r *reconciliation) trim(altered bool) *consumerMember {
	if !altered {
		return r.m
	}
	assigned, pending := held{}, maps.Clone(r.m.revoking)
	if pending == nil {
		pending = held{}
	}
	for topic, ids := range r.m.assigned {
		if r.subscribed(topic) {
			assigned[topic] = ids
			continue
		}
		pending[topic] = joined(pending[topic], ids)
	}
	switch {
	case len(assigned) == len(r.m.assigned):
		return r.m
	case r.owns(pending):
		return r.m.at(r.m.epoch, revoking, assigned, pending)
	}
	return r.m.at(r.m.epoch, r.m.state, assigned, r.m.revoking)
}

func joined(a, b map[int32]int32) map[int32]int32 {
	all := maps.Clone(b)
	maps.Copy(all, a)
	return all
}

// advance compares what the member has with its target. from is the epoch that it stays in while it has to give something up.
func (r *reconciliation) advance(from int32) *consumerMember {
	kept, lost, gained := held{}, held{}, held{}
	blocked := false
	for topic, ids := range r.m.assigned {
		wanted := r.wanted(topic)
		for id, epoch := range ids {
			if _, found := slices.BinarySearch(wanted, id); found {
				kept.with(topic, id, epoch)
			} else {
				lost.with(topic, id, epoch)
			}
		}
	}
	for topic := range r.target {
		for _, id := range r.wanted(topic) {
			if _, has := kept[topic][id]; has {
				continue
			}
			_, owned := r.g.owners[topic][id]
			_, own := r.m.revoking[topic][id]
			if owned && !own {
				blocked = true
			} else {
				gained.with(topic, id, r.epoch)
			}
		}
	}
	if len(lost) > 0 && r.owns(lost) {
		return r.m.at(from, revoking, kept, lost)
	}
	for topic, ids := range gained {
		for id, epoch := range ids {
			kept.with(topic, id, epoch)
		}
	}
	if blocked {
		return r.m.at(r.epoch, waiting, kept, nil)
	}
	return r.m.at(r.epoch, reconciled, kept, nil)
}

// wanted is what the target says of a topic, nothing if the member does not subscribe to it any more.
func (r *reconciliation) wanted(topic kafka.UUID) []int32 {
	if len(r.target[topic]) == 0 || !r.subscribed(topic) {
		return nil
	}
	return r.target[topic]
}

// contains reports whether all the partitions are among those held.
func (h held) contains(p partitions) bool {
	for topic, ids := range p {
		for _, id := range ids {
			if _, ok := h[topic][id]; !ok {
				return false
			}
		}
	}
	return true
}

// awaitRevocation gives a member its rebalance timeout to give up partitions.
func (c *Coordinator) awaitRevocation(now time.Time, groupID string, m *consumerMember) {
	epoch, timeout := m.epoch, time.Duration(m.rebalanceTimeout)*time.Millisecond
	ring := c.ringing(groupID, m.id, func(clock *memberClock) *alarm { return &clock.rebalance }, func(out *outcome, now time.Time) {
		if g := c.consumer(groupID); g != nil && g.members[m.id] != nil && g.members[m.id].epoch == epoch {
			c.expel(out, now, g, g.members[m.id], Cause{Kind: RebalanceExpired, Setting: settingPollInterval, Limit: timeout.Milliseconds()})
		}
	})
	c.ringAt(&c.clock(groupID, m.id).rebalance, now.Add(timeout), ring)
}
