package group

// Settings that causes of streams groups name.
const (
	settingStreamsSession = "streams.session.timeout.ms"
	settingStreamsMaxSize = "group.streams.max.size"
)

// who is a member as causes tell it.
func (m *streamsMember) who(c *Coordinator, groupID string) Who {
	return whoIs(c.clientOf(groupID, m.id, m.clientID, m.clientHost), m.id, m.instanceID)
}

// explain keeps what the step was about, if it is worth telling.
func (s *streamsStep) explain() {
	cause := Cause{Member: whoIs(s.rq.Client, s.member.id, nil), Epoch: s.g.epoch}
	switch {
	case !s.known:
		cause.Kind = MemberJoined
	case s.epoch == s.g.epoch:
		return
	case s.changed:
		cause.Kind, cause.Reason = TopicsChanged, "topics of the application were created, deleted, or got other partitions or racks"
	case !s.member.sameMetadata(s.before):
		cause.Kind, cause.Reason = MemberRejoined, "with other metadata"
	default:
		cause.Kind, cause.Reason = ConfigChanged, "the topics of the application are complete, or not any more, or streams.num.standby.replicas has changed"
	}
	if s.epoch > s.g.epoch {
		cause.Rebalance, cause.Next = true, s.epoch
	}
	s.c.tell(s.now, s.g.id, s.g.epoch, cause)
}

// report implements reporter.
func (g *streamsGroup) report(c *Coordinator, r *Report) {
	r.Epoch, r.Protocol = g.epoch, "sticky"
	timeout := c.options.Streams(g.id).SessionTimeout.Milliseconds()
	for _, m := range orderedStreams(g.members) {
		r.Members = append(r.Members, ReportedMember{
			Who: m.who(c, g.id), SessionTimeout: timeout, RebalanceTimeout: int64(m.rebalanceTimeout), Awaited: !m.reconciledTo(g.assignmentEpoch),
		})
	}
}
