package group

import (
	"strings"
	"time"

	"github.com/ottla/ottla/internal/causes"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/wire"
)

// unknownMemberID in a leave means that only the instance id is known: an administrator removes a static member.
const unknownMemberID = ""

// Leave removes members from a group; each has a result of its own. err of answer is set if the group as a whole cannot
// be found.
func (c *Coordinator) Leave(now time.Time, from causes.Client, groupID string, members []wire.LeaveGroupRequestMemberIdentity, answer func([]wire.LeaveGroupResponseMemberResponse, error)) statemachine.Output {
	var out outcome
	c.begin(&out, now)
	results, err := c.leave(&out, now, from, groupID, members)
	out.then(func(failed error) {
		if failed != nil {
			results, err = nil, failed
		}
		answer(results, err)
	})
	return out.Output
}

func (c *Coordinator) leave(out *outcome, now time.Time, from causes.Client, groupID string, members []wire.LeaveGroupRequestMemberIdentity) ([]wire.LeaveGroupResponseMemberResponse, error) {
	if groupID == "" {
		return nil, kafka.InvalidGroupID
	}
	if g := c.consumer(groupID); g != nil {
		return c.leaveConsumer(out, now, g, from, members), nil
	}
	g := c.classic(groupID)
	if g == nil {
		return nil, kafka.UnknownMemberID
	}
	results := make([]wire.LeaveGroupResponseMemberResponse, len(members))
	var causes []Cause
	for i, leaver := range members {
		id, err := g.leaver(leaver.MemberID, leaver.GroupInstanceID)
		results[i] = wire.LeaveGroupResponseMemberResponse{
			MemberID: leaver.MemberID, GroupInstanceID: leaver.GroupInstanceID, ErrorCode: int16(kafka.CodeOf(err)),
		}
		if err == nil {
			causes = append(causes, g.departure(id, &leaver, from))
			c.remove(out, g, id)
		}
	}
	if len(causes) > 0 && g.state != empty {
		c.rebalance(out, now, g, causes...)
	}
	return results, nil
}

// leaver finds whom a leave is about.
func (g *classicGroup) leaver(id string, instanceID *string) (string, error) {
	if id == unknownMemberID {
		if instanceID == nil || g.statics[*instanceID] == "" {
			return "", kafka.UnknownMemberID
		}
		return g.statics[*instanceID], nil
	}
	if g.pendingJoin[id] != nil {
		return id, nil
	}
	_, err := g.member(id, instanceID)
	return id, err
}

// departure is the cause that a leave is.
func (g *classicGroup) departure(id string, leaver *wire.LeaveGroupRequestMemberIdentity, from causes.Client) Cause {
	left := Cause{Kind: MemberLeft, Member: whoIs(from, id, leaver.GroupInstanceID), Reason: textOf(leaver.Reason)}
	m := g.members[id]
	if m != nil {
		left.Member = m.who()
	}
	switch {
	case leaver.MemberID == unknownMemberID, strings.Contains(left.Reason, adminReason):
		left.Kind = MemberRemoved
	case m != nil && strings.Contains(left.Reason, pollExceededReason):
		left.Kind, left.Setting, left.Limit = PollExceeded, settingPollInterval, m.rebalanceTimeout.Milliseconds()
	}
	return left
}

// adminReason is in the reason that Kafka's Admin gives when it removes all members.
const adminReason = "removed by an admin"

// pollExceededReason is in the reason that Java's clients give when they leave because of max.poll.interval.ms.
const pollExceededReason = "poll timeout has expired"
