package broker

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/ottla/ottla/internal/commitlog"
	"github.com/ottla/ottla/internal/config"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/peer"
	"github.com/ottla/ottla/internal/quorum"
	"github.com/ottla/ottla/internal/wire"
)

const (
	// observeUse names the connections on which a broker that is no controller fetches the metadata log.
	observeUse = "metadata"
	// observeWait is how long the active controller keeps such a fetch waiting for news (Kafka: RaftUtil, 500 ms).
	observeWait = 500 * time.Millisecond
)

// observeQuorum opens this node's copy of the metadata log and begins to fetch: it is no voter.
func (b *Broker) observeQuorum(logConfig commitlog.Config) error {
	if log := b.metadataDir.Log(quorum.Partition); log != nil && log.Unloadable() != nil {
		return log.Unloadable()
	}
	o, err := quorum.Observe(b.metadataDir, b.options.FS, logConfig, newMetadataSource(b), quorum.Options{
		Voters:   staticVoters(b.options.Config.Voters),
		OnCommit: b.publisher.commit, OnSnapshot: b.publisher.load, OnCaughtUp: b.publisher.catchUp, OnLeader: b.active.set, OnVoters: b.votersChanged,
		OnFailure: func(err error) { b.fail(fmt.Errorf("the copy of the metadata log failed: %w", err)) },
		Snapshot:  b.snapshot, SnapshotBytes: b.options.Config.Long(config.MetadataLogMaxRecordBytesBetweenSnapshots),
		Logger: b.log, Now: b.options.Now,
	})
	b.observer = o
	return err
}

// metadataSource is how the observer reaches the active controller. As long as that is not known, or does not answer, it
// asks one voter or bootstrap server after the other; each tells who leads.
type metadataSource struct {
	b  *Broker
	mu struct {
		sync.Mutex
		asked int32 // whom it asks; nobody at first
	}
}

var _ quorum.Source = (*metadataSource)(nil)

func newMetadataSource(b *Broker) *metadataSource {
	s := &metadataSource{b: b}
	s.mu.asked = nobody
	return s
}

// nobody is no node's id, and no bootstrap server's number.
const nobody = -1

// target returns whom to ask.
func (s *metadataSource) target() int32 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mu.asked == nobody {
		s.mu.asked = s.after(nobody)
	}
	return s.mu.asked
}

// after is who is asked after a node: the next of the voters and bootstrap servers.
func (s *metadataSource) after(node int32) int32 {
	all := s.b.voters.candidates(s.b.node)
	if len(all) == 0 {
		return nobody
	}
	return all[(slices.Index(all, node)+1)%len(all)]
}

// lost has another one asked than node: the leader it named, or else the next.
func (s *metadataSource) lost(node, leader, epoch int32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mu.asked = s.after(node)
	if _, reachable := s.b.voters.address(leader); leader >= 0 && leader != node && leader != s.b.node && reachable {
		s.mu.asked = leader
		s.b.active.set(leader, epoch)
	}
}

// Fetch implements quorum.Source.
func (s *metadataSource) Fetch(ctx context.Context, offset int64, lastEpoch int32) (quorum.Tail, error) {
	node, clusterID := s.target(), s.b.ClusterID()
	rq := &wire.FetchRequest{
		ClusterID: &clusterID, ReplicaID: -1, ReplicaState: wire.FetchRequestReplicaState{ReplicaID: s.b.node, ReplicaEpoch: -1},
		MaxWaitMs: int32(min(observeWait, s.timeout()/2).Milliseconds()), MaxBytes: s.bytes(config.ControllerQuorumFetchMaxBytes), SessionEpoch: -1,
		Topics: []wire.FetchRequestFetchTopic{{TopicID: kafka.OneUUID, Partitions: []wire.FetchRequestFetchPartition{{
			CurrentLeaderEpoch: -1, FetchOffset: offset, LastFetchedEpoch: lastEpoch, LogStartOffset: -1, PartitionMaxBytes: s.bytes(config.ControllerQuorumFetchMaxBytes),
			ReplicaDirectoryID: s.b.metadataDir.ID(), HighWatermark: offset,
		}}}},
	}
	rs := new(wire.FetchResponse)
	t := quorum.Tail{LeaderID: -1, Epoch: -1}
	err := s.ask(ctx, node, rq, rs, func() error {
		if err := refusal("Fetch of the metadata log", rs.ErrorCode); err != nil {
			return err
		}
		if len(rs.Responses) != 1 || len(rs.Responses[0].Partitions) != 1 {
			return fmt.Errorf("controller %d answered for %d topics", node, len(rs.Responses))
		}
		for _, e := range rs.NodeEndpoints {
			s.b.voters.meet(e.NodeID, e.Host, uint16(e.Port))
		}
		p := rs.Responses[0].Partitions[0]
		t.LeaderID, t.Epoch = p.CurrentLeader.LeaderID, p.CurrentLeader.LeaderEpoch
		t.HighWatermark, t.LogStart, t.Batches = p.HighWatermark, p.LogStartOffset, slices.Clone(p.Records)
		if p.SnapshotID.EndOffset >= 0 {
			t.Snapshot = &quorum.SnapshotID{EndOffset: p.SnapshotID.EndOffset, Epoch: p.SnapshotID.Epoch}
		}
		if p.DivergingEpoch.EndOffset >= 0 {
			t.Diverging = &quorum.SnapshotID{EndOffset: p.DivergingEpoch.EndOffset, Epoch: p.DivergingEpoch.Epoch}
		}
		return refusal("Fetch of the metadata log", p.ErrorCode)
	})
	if err != nil {
		s.b.log.Debug("no metadata from a controller; another is asked", "node", node, "error", err)
		s.lost(node, t.LeaderID, t.Epoch)
	}
	return t, err
}

// FetchSnapshot implements quorum.Source.
func (s *metadataSource) FetchSnapshot(ctx context.Context, id quorum.SnapshotID, at int64) (part []byte, size int64, err error) {
	node, clusterID := s.target(), s.b.ClusterID()
	rq := &wire.FetchSnapshotRequest{ClusterID: &clusterID, ReplicaID: s.b.node, MaxBytes: s.bytes(config.ControllerQuorumFetchSnapshotMaxBytes), Topics: []wire.FetchSnapshotRequestTopicSnapshot{{
		Name: kafka.MetadataTopic, Partitions: []wire.FetchSnapshotRequestPartitionSnapshot{{
			CurrentLeaderEpoch: -1, SnapshotID: wire.FetchSnapshotRequestSnapshotId{EndOffset: id.EndOffset, Epoch: id.Epoch},
			Position: at, ReplicaDirectoryID: s.b.metadataDir.ID(),
		}},
	}}}
	rs := new(wire.FetchSnapshotResponse)
	err = s.ask(ctx, node, rq, rs, func() error {
		if err := refusal("FetchSnapshot", rs.ErrorCode); err != nil {
			return err
		}
		if len(rs.Topics) != 1 || len(rs.Topics[0].Partitions) != 1 {
			return fmt.Errorf("controller %d answered for %d topics", node, len(rs.Topics))
		}
		p := rs.Topics[0].Partitions[0]
		part, size = slices.Clone(p.UnalignedRecords), p.Size
		return refusal("FetchSnapshot", p.ErrorCode)
	})
	return part, size, err
}

// bytes is the most that one answer should have.
func (s *metadataSource) bytes(of config.BrokerInt) int32 { return int32(s.b.options.Config.Int(of)) }

// timeout is how long an answer is waited for.
func (s *metadataSource) timeout() time.Duration {
	return s.b.options.Config.Duration(config.ControllerQuorumFetchTimeoutMs)
}

// ask sends a request and has take look at the answer, whose bytes are the connection's.
func (s *metadataSource) ask(ctx context.Context, node int32, rq, rs wire.Message, take func() error) error {
	done := make(chan error, 1)
	s.b.peers.Client(peer.To{Listener: peer.Controller, Node: node, Use: observeUse}).Send(peer.Request{
		Message: rq, Response: rs, Timeout: s.timeout(),
		Done: func(err error) {
			if err == nil && ctx.Err() == nil {
				err = take()
			}
			done <- err
		},
	})
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}
