package api

import (
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/quorum"
	"github.com/ottla/ottla/internal/wire"
)

// maxSnapshotPart bounds what one answer has of a snapshot.
const maxSnapshotPart = 4 << 20

// fetchSnapshot answers FetchSnapshot 0-1: a part of the newest metadata snapshot (KIP-630), for a node whose log ends before
// the log here begins. Version 1 adds directory ids.
func (a *API) fetchSnapshot(c Call, rq *wire.FetchSnapshotRequest) {
	if rq.ClusterID != nil && *rq.ClusterID != a.Metadata.Current().ClusterID() {
		c.Reply(&wire.FetchSnapshotResponse{ErrorCode: int16(kafka.InconsistentClusterID)})
		return
	}
	if len(rq.Topics) != 1 || len(rq.Topics[0].Partitions) != 1 {
		c.Reply(&wire.FetchSnapshotResponse{ErrorCode: int16(kafka.InvalidRequest)})
		return
	}
	topic, want := rq.Topics[0].Name, rq.Topics[0].Partitions[0]
	p := wire.FetchSnapshotResponsePartitionSnapshot{
		Index: want.Partition, Position: want.Position,
		SnapshotID:    wire.FetchSnapshotResponseSnapshotId{EndOffset: want.SnapshotID.EndOffset, Epoch: want.SnapshotID.Epoch},
		CurrentLeader: wire.FetchSnapshotResponseLeaderIdAndEpoch{LeaderID: -1, LeaderEpoch: -1},
	}
	q := a.Quorum()
	var err error
	switch {
	case topic != kafka.MetadataTopic || want.Partition != 0:
		err = kafka.Errorf(kafka.UnknownTopicOrPartition, "%s-%d has no snapshots", topic, want.Partition)
	case q == nil:
		err = kafka.Errorf(kafka.NotLeaderOrFollower, "the metadata log is not open yet")
	default:
		p.CurrentLeader.LeaderID, p.CurrentLeader.LeaderEpoch = q.Leader()
		p.UnalignedRecords, p.Size, err = q.ReadSnapshot(quorum.SnapshotID{EndOffset: want.SnapshotID.EndOffset, Epoch: want.SnapshotID.Epoch},
			want.Position, min(int(rq.MaxBytes), maxSnapshotPart))
	}
	p.ErrorCode = codeOf(err)
	c.Reply(&wire.FetchSnapshotResponse{Topics: []wire.FetchSnapshotResponseTopicSnapshot{{
		Name: topic, Partitions: []wire.FetchSnapshotResponsePartitionSnapshot{p},
	}}})
}
