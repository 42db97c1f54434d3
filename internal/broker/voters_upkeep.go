package broker

import (
	"context"
	"slices"
	"time"

	"github.com/ottla/ottla/internal/config"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/peer"
	"github.com/ottla/ottla/internal/quorum"
	"github.com/ottla/ottla/internal/wire"
)

// upkeepUse names the connections on which a controller tells the leader of itself, and asks others what they support.
const upkeepUse = "voters"

// keepVoter has the leader know how this controller is reached, and with controller.quorum.auto.join.enable has it give this
// controller a vote (KIP-853; Kafka looks as often, FollowerState.updateVoterPeriodMs).
func (b *Broker) keepVoter() {
	if b.solitary() {
		return
	}
	b.every(func() time.Duration { return b.config.Load().Duration(config.ControllerQuorumFetchTimeoutMs) }, func(time.Time) {
		if err := b.tendVoter(); err != nil {
			b.log.Info("the voters of the metadata quorum are not yet as this controller would have them", "error", err)
		}
	})
}

// tendVoter asks the leader for at most one change.
func (b *Broker) tendVoter() error {
	set, version := b.voters.current()
	self := quorum.Voter{NodeID: b.node, DirectoryID: b.metadataDir.ID()}
	leader, epoch := b.quorum.Load().Leader()
	if leader < 0 || leader == b.node {
		return nil
	}
	own := b.controllerEndpoints()
	known, found := set.Node(b.node)
	switch {
	case version == 0:
		if !found || b.told.Load() == epoch {
			return nil
		}
		err := b.updateVoter(leader, epoch, self, own) // each leader anew: it keeps that in mind only
		if err == nil {
			b.told.Store(epoch)
		}
		return err
	case found && known.Voter == self:
		if slices.Equal(known.Endpoints, own) && known.MinKRaft == 0 && known.MaxKRaft == quorum.LatestKRaftVersion {
			return nil
		}
		return b.updateVoter(leader, epoch, self, own)
	case !b.config.Load().Bool(config.ControllerQuorumAutoJoinEnable):
		return nil
	case found: // its disk was replaced: the vote of the old one would never be cast again
		rs := new(wire.RemoveRaftVoterResponse)
		err := b.askVoter(leader, &wire.RemoveRaftVoterRequest{ClusterID: b.clusterIDText(), VoterID: b.node, VoterDirectoryID: known.DirectoryID}, rs)
		return votersRefusal(err, rs.ErrorCode, kafka.VoterNotFound)
	}
	rq := &wire.AddRaftVoterRequest{
		ClusterID: b.clusterIDText(), VoterID: b.node, VoterDirectoryID: self.DirectoryID,
		TimeoutMs: int32(b.config.Load().Duration(config.ControllerQuorumRequestTimeoutMs).Milliseconds()),
	}
	for _, e := range own {
		rq.Listeners = append(rq.Listeners, wire.AddRaftVoterRequestListener{Name: e.Listener, Host: e.Host, Port: e.Port})
	}
	rs := new(wire.AddRaftVoterResponse)
	err := b.askVoter(leader, rq, rs)
	return votersRefusal(err, rs.ErrorCode, kafka.DuplicateVoter)
}

// updateVoter tells the leader how this voter is reached.
func (b *Broker) updateVoter(leader, epoch int32, self quorum.Voter, own []quorum.Endpoint) error {
	rq := &wire.UpdateRaftVoterRequest{
		ClusterID: b.clusterIDText(), CurrentLeaderEpoch: epoch, VoterID: self.NodeID, VoterDirectoryID: self.DirectoryID,
		KRaftVersionFeature: wire.UpdateRaftVoterRequestKRaftVersionFeature{MaxSupportedVersion: quorum.LatestKRaftVersion},
	}
	for _, e := range own {
		rq.Listeners = append(rq.Listeners, wire.UpdateRaftVoterRequestListener{Name: e.Listener, Host: e.Host, Port: e.Port})
	}
	rs := new(wire.UpdateRaftVoterResponse)
	err := b.askVoter(leader, rq, rs)
	return votersRefusal(err, rs.ErrorCode)
}

// votersRefusal is why the leader did not do what it was asked; nothing if it has done so before.
func votersRefusal(err error, code int16, done ...kafka.ErrorCode) error {
	if err != nil || code == 0 || slices.Contains(done, kafka.ErrorCode(code)) {
		return err
	}
	return kafka.ErrorCode(code)
}

func (b *Broker) clusterIDText() *string {
	id := b.ClusterID()
	return &id
}

// askVoter sends a request to a controller and waits for the answer.
func (b *Broker) askVoter(node int32, rq, rs wire.Message) error {
	done := make(chan error, 1)
	b.sendVoter(node, rq, rs, func(err error) { done <- err })
	select {
	case err := <-done:
		return err
	case <-b.ctx.Done():
		return context.Canceled
	}
}

func (b *Broker) sendVoter(node int32, rq, rs wire.Message, done func(error)) {
	b.peers.Client(peer.To{Listener: peer.Controller, Node: node, Use: upkeepUse}).Send(peer.Request{
		Message: rq, Response: rs, Timeout: b.config.Load().Duration(config.ControllerQuorumRequestTimeoutMs), Done: done,
	})
}

// askFeatures asks a controller what it supports that may be in no voter set (api.Env.AskFeatures).
func (b *Broker) askFeatures(node int32, at quorum.Endpoint, done func(*wire.ApiVersionsResponse, error)) {
	b.voters.meet(node, at.Host, at.Port)
	version := b.options.Version
	if version == "" {
		version = "dev"
	}
	rq := &wire.ApiVersionsRequest{ClientSoftwareName: peer.Software, ClientSoftwareVersion: version}
	rs := new(wire.ApiVersionsResponse)
	b.sendVoter(node, rq, rs, func(err error) { done(rs, err) })
}
