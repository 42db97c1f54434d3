package group

import (
	"time"

	"github.com/ottla/ottla/internal/causes"
)

// Settings that causes of consumer groups name.
const (
	settingConsumerSession = "consumer.session.timeout.ms"
	settingConsumerMaxSize = "group.consumer.max.size"
)

// tell keeps a cause and logs it.
func (c *Coordinator) tell(now time.Time, g *consumerGroup, cause Cause) {
	c.note(now, g.id, cause)
	c.options.Logger.Info(cause.String(), "group", g.id, "epoch", max(cause.Next, g.epoch))
}

// who is a member as causes tell it.
func (c *Coordinator) who(groupID string, m *consumerMember) Who {
	from := causes.Client{ID: m.clientID, Host: m.clientHost}
	if clock := c.clocks[memberKey{groupID, m.id}]; clock != nil {
		from.Software, from.SoftwareVersion = clock.client.Software, clock.client.SoftwareVersion
	}
	return whoIs(from, m.id, m.instanceID)
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
	s.c.tell(s.now, s.g, cause)
}

// report implements reporter.
func (g *consumerGroup) report(c *Coordinator, r *Report) {
	r.Epoch, r.Protocol = g.epoch, g.assignor(c.options.Settings().Assignors)
	for _, m := range orderedMembers(g.members) {
		r.Members = append(r.Members, ReportedMember{
			Who: c.who(g.id, m), SessionTimeout: c.sessionTimeout(g.id, m).Milliseconds(), RebalanceTimeout: int64(m.rebalanceTimeout),
			Awaited: !m.reconciledTo(g.assignmentEpoch),
		})
	}
}
