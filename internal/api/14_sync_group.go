package api

import (
	"time"

	"github.com/ottla/ottla/internal/group"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/wire"
)

// syncGroup answers SyncGroup 0-5. Version 3 adds static members; from version 5 on the request must name the protocol,
// so that a member notices when it takes part in another kind of group than it thinks (KIP-559).
func (a *API) syncGroup(c Call, rq *wire.SyncGroupRequest) {
	answer := func(response *wire.SyncGroupResponse) { c.Reply(response) }
	refuse := func(err error) { answer(&wire.SyncGroupResponse{ErrorCode: codeOf(err), Assignment: []byte{}}) }
	if c.version >= 5 && (rq.ProtocolType == nil || rq.ProtocolName == nil) {
		refuse(kafka.InconsistentGroupProtocol)
		return
	}
	from := clientOf(c)
	// The assignments alias the frame, which stays as long as the request is not answered.
	a.askNamedGroup(rq.GroupID, func(g *group.Coordinator, now time.Time) statemachine.Output { return g.Sync(now, from, rq, answer) }, refuse)
}
