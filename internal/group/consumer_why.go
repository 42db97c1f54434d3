package group

import (
	"github.com/ottla/ottla/internal/causes"
)

// Settings that causes of consumer groups name.
const (
	settingConsumerSession = "consumer.session.timeout.ms"
	settingConsumerMaxSize = "group.consumer.max.size"
)

// who is a member as causes tell it.
func (m *consumerMember) who(c *Coordinator, groupID string) Who {
	return whoIs(c.clientOf(groupID, m.id, m.clientID, m.clientHost), m.id, m.instanceID)
}

// explain keeps what the step was about, if it is worth telling.
func (s *consumerStep) explain(from causes.Client) {
	cause := Cause{Member: whoIs(from, s.member.id, s.member.instanceID), Epoch: s.g.epoch}
	switch {
	case s.replaces != "":
		cause.Kind, cause.Reason, cause.Member.MemberID = StaticReplaced, s.member.id, s.replaces
	case !s.known:
		cause.Kind = MemberJoined
	case s.renamed || s.matching:
		cause.Kind = SubscriptionChanged
	case s.changed:
		cause.Kind, cause.Reason = TopicsChanged, "topics that the group is subscribed to were created, deleted, or got other partitions or racks"
	default:
		return
	}
	if s.epoch > s.g.epoch {
		cause.Rebalance, cause.Next = true, s.epoch
	}
	s.c.tell(s.now, s.g.id, s.g.epoch, cause)
}

// report implements reporter.
func (g *consumerGroup) report(c *Coordinator, r *Report) {
	r.Epoch, r.Protocol = g.epoch, g.assignor(c.options.Settings().Assignors)
	for _, m := range orderedMembers(g.members) {
		r.Members = append(r.Members, ReportedMember{
			Who: m.who(c, g.id), SessionTimeout: c.sessionTimeout(g.id, m).Milliseconds(), RebalanceTimeout: int64(m.rebalanceTimeout),
			Awaited: !m.reconciledTo(g.assignmentEpoch),
		})
	}
}
