package group

import (
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/wire"
)

// unknownMemberID in a leave means that only the instance id is known: an administrator removes a static member.
const unknownMemberID = ""

// Leave removes members from a group; each has a result of its own. err of answer is set if the group as a whole cannot
// be found.
func (c *Coordinator) Leave(now time.Time, groupID string, members []wire.LeaveGroupRequestMemberIdentity, answer func([]wire.LeaveGroupResponseMemberResponse, error)) statemachine.Output {
	var out outcome
	c.begin(&out, now)
	results, err := c.leave(&out, now, groupID, members)
	out.then(func(failed error) {
		if failed != nil {
			results, err = nil, failed
		}
		answer(results, err)
	})
	return out.Output
}

func (c *Coordinator) leave(out *outcome, now time.Time, groupID string, members []wire.LeaveGroupRequestMemberIdentity) ([]wire.LeaveGroupResponseMemberResponse, error) {
	if groupID == "" {
		return nil, kafka.InvalidGroupID
	}
	g := c.classic(groupID)
	if g == nil {
		return nil, kafka.UnknownMemberID
	}
	results := make([]wire.LeaveGroupResponseMemberResponse, len(members))
	reason := ""
	for i, leaver := range members {
		id, err := g.leaver(leaver.MemberID, leaver.GroupInstanceID)
		results[i] = wire.LeaveGroupResponseMemberResponse{
			MemberID: leaver.MemberID, GroupInstanceID: leaver.GroupInstanceID, ErrorCode: int16(kafka.CodeOf(err)),
		}
		if err == nil {
			c.remove(out, g, id)
			reason = "member " + id + " left: " + reasonOf(leaver.Reason)
		}
	}
	if reason != "" && g.state != empty {
		c.rebalance(out, now, g, reason)
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

func reasonOf(given *string) string {
	if reason := textOf(given); reason != "" {
		return reason
	}
	return "not provided"
}
