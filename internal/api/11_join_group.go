package api

import (
	"time"

	"github.com/ottla/ottla/internal/group"
	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/wire"
)

// joinGroup answers JoinGroup 0-9. Version 1 adds the rebalance timeout, 4 the member id that newcomers come back with
// (KIP-394), 5 static members (KIP-345), 7 protocol type and name in the answer, 8 a reason (KIP-800), 9 SkipAssignment.
func (a *API) joinGroup(c Call, rq *wire.JoinGroupRequest) {
	rebalance := rq.RebalanceTimeoutMs
	if c.version == 0 {
		rebalance = rq.SessionTimeoutMs
	}
	answer := func(response *wire.JoinGroupResponse) {
		if c.version < 7 {
			response.ProtocolType = nil
			if response.ProtocolName == nil {
				none := ""
				response.ProtocolName = &none
			}
		}
		c.Reply(response)
	}
	join := group.Join{
		GroupID: rq.GroupID, MemberID: rq.MemberID, InstanceID: rq.GroupInstanceID,
		Client:         clientOf(c),
		SessionTimeout: time.Duration(rq.SessionTimeoutMs) * time.Millisecond, Rebalance: time.Duration(rebalance) * time.Millisecond,
		ProtocolType: rq.ProtocolType, Protocols: rq.Protocols, Reason: textOrNone(rq.Reason),
		RequireMemberID: c.version >= 4, SkipAssignment: c.version >= 9, Reply: answer,
	}
	a.askNamedGroup(rq.GroupID, func(g *group.Coordinator, now time.Time) statemachine.Output { return g.Join(now, join) }, func(err error) {
		answer(&wire.JoinGroupResponse{ErrorCode: codeOf(err), GenerationID: -1, MemberID: join.MemberID})
	})
}

// textOrNone is the text of a nullable one.
func textOrNone(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
