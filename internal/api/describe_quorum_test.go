package api

import (
	"testing"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/quorum"
	"github.com/ottla/ottla/internal/vfs"
	"github.com/ottla/ottla/internal/wire"
)

func describeQuorumRequest(topic string, partition int32) *wire.DescribeQuorumRequest {
	return &wire.DescribeQuorumRequest{Topics: []wire.DescribeQuorumRequestTopicData{{
		TopicName: topic, Partitions: []wire.DescribeQuorumRequestPartitionData{{PartitionIndex: partition}},
	}}}
}

func TestDescribeQuorum(t *testing.T) {
	w := newWorld(t, vfs.NewMemory())
	c := w.dial()
	seen := time.UnixMilli(5000)
	status := quorum.Status{LeaderID: testNode, LeaderEpoch: 3, HighWatermark: 40, Voters: []quorum.VoterStatus{
		{Voter: quorum.Voter{NodeID: testNode, DirectoryID: kafka.OneUUID}, LogEndOffset: 41, LastFetch: seen, LastCaughtUp: seen}, {Voter: quorum.Voter{NodeID: 2}, LogEndOffset: -1},
	}}
	w.api.QuorumStatus = func() (quorum.Status, bool) { return status, true }
	w.api.Controllers = func() ([]ControllerEndpoint, int32) {
		return []ControllerEndpoint{{Node: 2, Host: "b", Port: 9093}}, testNode
	}
	for version := range int16(3) {
		got := ask[wire.DescribeQuorumResponse](c, describeQuorumRequest(kafka.MetadataTopic, 0), version)
		p := got.Topics[0].Partitions[0]
		if got.ErrorCode != 0 || p.LeaderID != testNode || p.LeaderEpoch != 3 || p.HighWatermark != 40 || len(p.CurrentVoters) != 2 {
			t.Fatalf("version %d: %+v", version, got)
		}
		if v := p.CurrentVoters; v[0].LogEndOffset != 41 || v[1].LogEndOffset != -1 || version >= 1 && (v[0].LastFetchTimestamp != 5000 || v[1].LastCaughtUpTimestamp != -1) {
			t.Errorf("version %d: %+v", version, v)
		}
		if version == 2 && (len(got.Nodes) != 2 || len(got.Nodes[0].Listeners) != 0 || got.Nodes[1].Listeners[0].Host != "b") {
			t.Errorf("nodes: %+v", got.Nodes)
		}
	}
	if p := ask[wire.DescribeQuorumResponse](c, describeQuorumRequest("t", 0), 2).Topics[0].Partitions[0]; kafka.ErrorCode(p.ErrorCode) != kafka.UnknownTopicOrPartition {
		t.Errorf("another topic: %+v", p)
	}
	status.LeaderID = 2
	if got := ask[wire.DescribeQuorumResponse](c, describeQuorumRequest(kafka.MetadataTopic, 0), 2); kafka.ErrorCode(got.ErrorCode) != kafka.NotLeaderOrFollower {
		t.Errorf("from a follower: %+v", got)
	}
}
