package api

import (
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/quorum"
	"github.com/ottla/ottla/internal/wire"
)

const (
	// maxMetadataFetchBytes is about what one answer to an observer has (Kafka: KafkaRaftClient.MAX_FETCH_SIZE_BYTES).
	maxMetadataFetchBytes = 8 << 20
	// maxMetadataWait bounds how long an observer waits for news.
	maxMetadataWait = 5 * time.Second
)

// fetchMetadata answers Fetch 13-18, where topics have ids, on listeners of controllers: the committed part of the metadata log, for brokers that are
// no voters (KIP-595). It waits for news as Fetch does. Voters get theirs from raft.
func (a *API) fetchMetadata(c Call, rq *wire.FetchRequest) {
	if rq.ClusterID != nil && *rq.ClusterID != a.Metadata.Current().ClusterID() {
		c.Reply(&wire.FetchResponse{ErrorCode: int16(kafka.InconsistentClusterID)})
		return
	}
	if len(rq.Topics) != 1 || len(rq.Topics[0].Partitions) != 1 || rq.Topics[0].Partitions[0].Partition != 0 || rq.Topics[0].TopicID != kafka.OneUUID {
		c.Reply(&wire.FetchResponse{ErrorCode: int16(kafka.InvalidRequest)})
		return
	}
	who, want := rq.ReplicaState.ReplicaID, rq.Topics[0].Partitions[0]
	if c.version < 15 {
		who = rq.ReplicaID
	}
	f := metadataFetch{
		call: c, who: quorum.Voter{NodeID: who, DirectoryID: want.ReplicaDirectoryID}, from: want.FetchOffset, epoch: want.LastFetchedEpoch,
		maxBytes: max(min(int(want.PartitionMaxBytes), int(rq.MaxBytes), maxMetadataFetchBytes), 1),
		leader:   a.leaderEndpoint,
		deadline: c.Received().Add(min(time.Duration(rq.MaxWaitMs)*time.Millisecond, maxMetadataWait)),
	}
	q := a.Quorum()
	if q == nil {
		f.reply(quorum.Tail{LeaderID: -1, Epoch: -1}, kafka.Errorf(kafka.NotLeaderOrFollower, "the metadata log is not open yet"))
		return
	}
	news := q.News()
	t, err := q.ReadTail(f.who, f.from, f.epoch, f.maxBytes)
	if f.done(t, err) {
		f.reply(t, err)
		return
	}
	go f.wait(q, news)
}

// metadataFetch is an observer's fetch.
type metadataFetch struct {
	call     Call
	who      quorum.Voter
	from     int64
	epoch    int32 // of the observer's last batch
	maxBytes int
	leader   func(node int32) (ControllerEndpoint, bool) // how it is reached
	deadline time.Time
}

func (f *metadataFetch) done(t quorum.Tail, err error) bool {
	return err != nil || len(t.Batches) > 0 || t.Snapshot != nil || t.Diverging != nil || !time.Now().Before(f.deadline)
}

// wait answers when there is something to tell, or at the deadline.
func (f metadataFetch) wait(q *quorum.Quorum, news <-chan struct{}) {
	for {
		timer := time.NewTimer(time.Until(f.deadline))
		select {
		case <-news:
		case <-timer.C:
		}
		timer.Stop()
		news = q.News()
		if t, err := q.ReadTail(f.who, f.from, f.epoch, f.maxBytes); f.done(t, err) {
			f.reply(t, err)
			return
		}
	}
}

func (f *metadataFetch) reply(t quorum.Tail, err error) {
	p := wire.FetchResponsePartitionData{
		ErrorCode: codeOf(err), HighWatermark: t.HighWatermark, LastStableOffset: t.HighWatermark, LogStartOffset: t.LogStart,
		DivergingEpoch: wire.FetchResponseEpochEndOffset{Epoch: -1, EndOffset: -1},
		CurrentLeader:  wire.FetchResponseLeaderIdAndEpoch{LeaderID: t.LeaderID, LeaderEpoch: t.Epoch},
		SnapshotID:     wire.FetchResponseSnapshotId{EndOffset: -1, Epoch: -1}, PreferredReadReplica: -1, Records: t.Batches,
	}
	if d := t.Diverging; d != nil {
		p.DivergingEpoch = wire.FetchResponseEpochEndOffset{Epoch: d.Epoch, EndOffset: d.EndOffset}
	}
	if s := t.Snapshot; s != nil {
		p.SnapshotID = wire.FetchResponseSnapshotId{EndOffset: s.EndOffset, Epoch: s.Epoch}
	}
	if err != nil {
		p.HighWatermark, p.LastStableOffset, p.LogStartOffset = -1, -1, -1
	}
	var nodes []wire.FetchResponseNodeEndpoint
	if e, known := f.leader(t.LeaderID); known && f.call.version >= 16 {
		nodes = append(nodes, wire.FetchResponseNodeEndpoint{NodeID: e.Node, Host: e.Host, Port: e.Port})
	}
	f.call.Reply(&wire.FetchResponse{NodeEndpoints: nodes, Responses: []wire.FetchResponseFetchableTopicResponse{{
		Topic: kafka.MetadataTopic, TopicID: kafka.OneUUID, Partitions: []wire.FetchResponsePartitionData{p},
	}}})
}
