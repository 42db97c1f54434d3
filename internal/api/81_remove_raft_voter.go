package api

import (
	"github.com/ottla/ottla/internal/quorum"
	"github.com/ottla/ottla/internal/wire"
)

// removeRaftVoter answers RemoveRaftVoter 0 (KIP-853): the leader of the metadata quorum takes a voter's vote. If that is the leader
// itself, another one leads from then on.
func (a *API) removeRaftVoter(c Call, rq *wire.RemoveRaftVoterRequest) {
	changeVoters(a, c.origin(), rq, (*API).removeVoterHere, func(response *wire.RemoveRaftVoterResponse, err error) {
		if err != nil {
			response = &wire.RemoveRaftVoterResponse{ErrorCode: codeOf(err), ErrorMessage: textOf(err)}
		}
		c.Reply(response)
	})
}

func (a *API) removeVoterHere(rq *wire.RemoveRaftVoterRequest, reply func(*wire.RemoveRaftVoterResponse)) {
	v := quorum.Voter{NodeID: rq.VoterID, DirectoryID: rq.VoterDirectoryID}
	q, err := a.leadingQuorum(rq.ClusterID)
	if err == nil {
		err = a.checkVoter("Remove", v)
	}
	once := a.soon(func(err error) {
		reply(&wire.RemoveRaftVoterResponse{ErrorCode: codeOf(err), ErrorMessage: votersText(err)})
	})
	if err == nil {
		err = q.RemoveVoter(v, once)
	}
	if err != nil {
		once(err)
	}
}
