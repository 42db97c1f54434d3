package api

import (
	"github.com/ottla/ottla/internal/controller"
	"github.com/ottla/ottla/internal/wire"
)

// assignReplicasToDirs answers AssignReplicasToDirs 0 (KIP-858): a broker tells in which log directories its replicas are.
func (a *API) assignReplicasToDirs(c Call, rq *wire.AssignReplicasToDirsRequest) {
	decideForBroker(a, (*controller.Controller).AssignReplicasToDirs, rq, func(response *wire.AssignReplicasToDirsResponse, err error) {
		if err != nil {
			response = &wire.AssignReplicasToDirsResponse{ErrorCode: codeOf(err)}
		}
		c.Reply(response)
	})
}
