package group

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/ottla/ottla/internal/assignor"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
)

// assign returns the target assignment that the member is to be reconciled with. If the group has a newer epoch than its
// target, and the last one is older than the assignment interval, a new one is made and written.
func (s *consumerStep) assign() (epoch int32, target partitions, err error) {
	g := s.g
	if g.assignmentEpoch >= s.epoch || !g.assignmentDue(s.now, s.c.options.Consumer(g.id).AssignmentInterval) {
		return g.assignmentEpoch, g.target[s.member.id], nil
	}
	targets, err := s.compute()
	if err != nil {
		cause := Cause{Kind: AssignmentFailed, Member: s.member.who(s.c, g.id), Reason: err.Error(), Epoch: s.epoch}
		s.c.tell(s.now, g.id, g.epoch, cause)
		return 0, nil, kafka.Errorf(kafka.UnknownServerError, "Failed to compute a new target assignment for epoch %d: %v", s.epoch, err)
	}
	for _, id := range sortedKeys(targets) {
		if old, ok := g.target[id]; !ok || !old.equal(targets[id]) {
			s.out.write(g.targetRecord(id, targets[id]))
		}
	}
	s.out.write(g.targetEpochRecord(s.epoch, s.now.UnixMilli()))
	return s.epoch, targets[s.member.id], nil
}

// assignmentDue reports whether the last target assignment is old enough to make another.
func (g *consumerGroup) assignmentDue(now time.Time, interval time.Duration) bool {
	return assignmentDue(g.assignedAt, now, interval)
}

// assignmentDue reports whether a target assignment is old enough; at is when it was made in milliseconds, 0: not known. One that
// was made later than now comes from a coordinator whose clock was ahead of ours: it says nothing about how long ago that was, and
// waiting for our clock to get there would leave members without partitions for as long as the clocks differ (Kafka waits).
func assignmentDue(at int64, now time.Time, interval time.Duration) bool {
	ms := now.UnixMilli()
	return at == 0 || interval == 0 || ms < at || ms >= at+interval.Milliseconds()
}

// compute asks the group's assignor, with the member as it is to be.
func (s *consumerStep) compute() (map[string]partitions, error) {
	spec := assignor.Spec{Members: make([]assignor.Member, 0, len(s.g.members)+1)}
	ids := topicIDs{im: s.im, of: map[string][]kafka.UUID{}}
	for _, m := range s.g.members {
		if m.id != s.member.id {
			spec.Members = append(spec.Members, s.g.toAssign(m, &ids))
		}
	}
	spec.Members = append(spec.Members, s.g.toAssign(s.member, &ids))
	slices.SortFunc(spec.Members, func(a, b assignor.Member) int { return cmp.Compare(a.ID, b.ID) })
	spec.Racks = func(id kafka.UUID, partition int32) []string {
		return racksOf(s.im, s.im.TopicByID(id).Partitions[partition])
	}
	assignment, err := assignor.Named(s.assignor())(spec, func(id kafka.UUID) int {
		if topic := s.im.TopicByID(id); topic != nil {
			return len(topic.Partitions)
		}
		return -1
	})
	if err != nil {
		return nil, err
	}
	targets := make(map[string]partitions, len(assignment))
	for id, p := range assignment {
		targets[id] = partitions(p)
	}
	return targets, nil
}

// assignor is the group's, with what the member prefers from now on.
func (s *consumerStep) assignor() string {
	counts := maps.Clone(s.g.assignors)
	if s.known && s.before.assignor != nil {
		add(counts, *s.before.assignor, -1)
	}
	if s.member.assignor != nil {
		add(counts, *s.member.assignor, 1)
	}
	return preferred(counts, s.c.options.Settings().Assignors)
}

// toAssign is a member as assignors see it.
func (g *consumerGroup) toAssign(m *consumerMember, ids *topicIDs) assignor.Member {
	return assignor.Member{
		ID: m.id, InstanceID: textOf(m.instanceID), Rack: textOf(m.rackID), Topics: ids.named(g.subscription(m)), Target: assignor.Partitions(g.target[m.id]),
	}
}

// topicIDs finds the ids of topics. Members with the same subscription share the list.
type topicIDs struct {
	im *metadata.Image
	of map[string][]kafka.UUID
}

// named lists the ids of those topics that exist, in order.
func (t *topicIDs) named(names []string) []kafka.UUID {
	key := strings.Join(names, ",") // no topic's name has a comma
	ids, known := t.of[key]
	if !known {
		for _, name := range names {
			if topic := t.im.Topic(name); topic != nil {
				ids = append(ids, topic.ID)
			}
		}
		ids = assignor.TopicsOf(ids)
		t.of[key] = ids
	}
	return ids
}
