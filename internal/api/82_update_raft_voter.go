package api

import (
	"errors"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/quorum"
	"github.com/ottla/ottla/internal/wire"
)

// updateRaftVoter answers UpdateRaftVoter 0 (KIP-853) on listeners of controllers: a voter tells the leader where it is reached now,
// and which levels of kraft.version it supports. The answer names the leader.
func (a *API) updateRaftVoter(c Call, rq *wire.UpdateRaftVoterRequest) {
	reply := a.soon(func(err error) {
		response := &wire.UpdateRaftVoterResponse{ErrorCode: codeOf(err), CurrentLeader: wire.UpdateRaftVoterResponseCurrentLeader{LeaderID: -1, LeaderEpoch: -1}}
		if q := a.Quorum(); q != nil {
			response.CurrentLeader.LeaderID, response.CurrentLeader.LeaderEpoch = q.Leader()
		}
		if e, known := a.leaderEndpoint(response.CurrentLeader.LeaderID); known {
			response.CurrentLeader.Host, response.CurrentLeader.Port = e.Host, e.Port
		}
		c.Reply(response)
	})
	m := quorum.Member{
		Voter:    quorum.Voter{NodeID: rq.VoterID, DirectoryID: rq.VoterDirectoryID},
		MinKRaft: rq.KRaftVersionFeature.MinSupportedVersion, MaxKRaft: rq.KRaftVersionFeature.MaxSupportedVersion,
	}
	for _, l := range rq.Listeners {
		m.Endpoints = append(m.Endpoints, quorum.Endpoint{Listener: l.Name, Host: l.Host, Port: l.Port})
	}
	if err := a.updateVoterHere(rq, m, reply); err != nil {
		reply(err)
	}
}

// updateVoterHere checks the request and begins the change, of which done is told.
func (a *API) updateVoterHere(rq *wire.UpdateRaftVoterRequest, m quorum.Member, done func(error)) error {
	q, err := a.leadingQuorum(rq.ClusterID)
	if q != nil && !errors.Is(err, kafka.InconsistentClusterID) {
		switch _, epoch := q.Leader(); {
		case rq.CurrentLeaderEpoch < epoch:
			return kafka.Errorf(kafka.FencedLeaderEpoch, "epoch %d is over; it is %d now", rq.CurrentLeaderEpoch, epoch)
		case rq.CurrentLeaderEpoch > epoch:
			return kafka.Errorf(kafka.UnknownLeaderEpoch, "epoch %d is not known here yet; it is %d", rq.CurrentLeaderEpoch, epoch)
		}
	}
	if err != nil {
		return err
	}
	if err := a.checkVoter("Update", m.Voter); err != nil {
		return err
	}
	if _, reachable := m.Endpoint(a.controllerListener()); !reachable || m.MinKRaft < 0 || m.MaxKRaft < m.MinKRaft {
		return kafka.Errorf(kafka.InvalidRequest, "a voter needs an endpoint for listener %s and a range of kraft.version", a.controllerListener())
	}
	return q.UpdateVoter(m, done)
}
