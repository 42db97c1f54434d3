package api

import (
	"time"

	"github.com/ottla/ottla/internal/group"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/wire"
)

// leaveGroup answers LeaveGroup 0-5. From version 3 on a request names several members, also by group.instance.id, and
// each has a result; before, there is one, and its error is the answer's. Version 5 adds a reason (KIP-800).
func (a *API) leaveGroup(c Call, rq *wire.LeaveGroupRequest) {
	members := rq.Members
	if c.version < 3 {
		members = []wire.LeaveGroupRequestMemberIdentity{{MemberID: rq.MemberID}}
	}
	answer := func(results []wire.LeaveGroupResponseMemberResponse, err error) {
		response := &wire.LeaveGroupResponse{ErrorCode: codeOf(err)}
		switch {
		case c.version >= 3 && kafka.CodeOf(err) == kafka.UnknownMemberID:
			// No such group: its members are unknown one by one.
			response.ErrorCode = 0
			for _, m := range members {
				response.Members = append(response.Members, wire.LeaveGroupResponseMemberResponse{
					MemberID: m.MemberID, GroupInstanceID: m.GroupInstanceID, ErrorCode: int16(kafka.UnknownMemberID)})
			}
		case c.version >= 3:
			response.Members = results
		case err == nil:
			response.ErrorCode = results[0].ErrorCode
		}
		c.Reply(response)
	}
	from := clientOf(c)
	a.askNamedGroup(rq.GroupID, func(g *group.Coordinator, now time.Time) statemachine.Output {
		return g.Leave(now, from, rq.GroupID, members, withinCommitTimeout(a, answer))
	}, func(err error) { answer(nil, err) })
}
