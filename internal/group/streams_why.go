package group

import (
	"time"

	"github.com/ottla/ottla/internal/causes"
	"github.com/ottla/ottla/internal/kafka"
)

// Settings that causes of streams groups name.
const (
	settingStreamsSession = "streams.session.timeout.ms"
	settingStreamsMaxSize = "group.streams.max.size"
)

// tellStreams keeps a cause and logs it.
func (c *Coordinator) tellStreams(now time.Time, g *streamsGroup, cause Cause) {
	c.note(now, g.id, cause)
	c.options.Logger.Info(cause.String(), "group", g.id, "epoch", max(cause.Next, g.epoch))
}

// whoStreams is a member as causes tell it.
func (c *Coordinator) whoStreams(groupID string, m *streamsMember) Who {
	from := causes.Client{ID: m.clientID, Host: m.clientHost}
	if clock := c.clocks[memberKey{groupID, m.id}]; clock != nil {
		from.Software, from.SoftwareVersion = clock.client.Software, clock.client.SoftwareVersion
	}
	return whoIs(from, m.id, m.instanceID)
}

// noteStreamsRefused keeps that a request was refused: a fencing, or somebody who may not join.
func (c *Coordinator) noteStreamsRefused(now time.Time, rq StreamsHeartbeat, err error) {
	who := whoIs(rq.Client, rq.MemberID, nil)
	if c.noteFenced(now, rq.GroupID, who, rq.MemberEpoch, err) || c.groups[rq.GroupID] == nil {
		return
	}
	cause := Cause{Kind: JoinRefused, Member: who, Code: kafka.CodeOf(err), Reason: textOf(kafka.MessageOf(err))}
	if cause.Code == kafka.GroupMaxSizeReached {
		cause.Setting, cause.Limit = settingStreamsMaxSize, int64(c.options.Settings().StreamsMaxSize)
	}
	c.note(now, rq.GroupID, cause)
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
	s.c.tellStreams(s.now, s.g, cause)
}

// report implements reporter.
func (g *streamsGroup) report(c *Coordinator, r *Report) {
	r.Epoch, r.Protocol = g.epoch, "sticky"
	timeout := c.options.Streams(g.id).SessionTimeout.Milliseconds()
	for _, m := range orderedStreams(g.members) {
		r.Members = append(r.Members, ReportedMember{
			Who: c.whoStreams(g.id, m), SessionTimeout: timeout, RebalanceTimeout: int64(m.rebalanceTimeout), Awaited: !m.reconciledTo(g.assignmentEpoch),
		})
	}
}
