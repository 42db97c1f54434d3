package api

import (
	"testing"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/vfs"
	"github.com/ottla/ottla/internal/wire"
)

// Offsets that are not committed in time are answered with what has a client look for the coordinator again; nothing is rolled back.
func TestOffsetCommitTimesOut(t *testing.T) {
	g := newGate(vfs.NewMemory())
	w := newWorld(t, g, "offsets.commit.timeout.ms=150")
	c := w.dial()
	rq := w.commits(c, "g", w.create(c, "t", 1))
	g.shut()
	rq.Topics[0].Partitions[0].CommittedOffset = 7
	start := time.Now()
	answer := ask[wire.OffsetCommitResponse](c, rq, 10)
	if code := kafka.ErrorCode(answer.Topics[0].Partitions[0].ErrorCode); code != kafka.CoordinatorNotAvailable || time.Since(start) < 150*time.Millisecond {
		t.Errorf("%v after %v", code, time.Since(start))
	}
	g.reopen()
	all := ask[wire.OffsetFetchResponse](c, &wire.OffsetFetchRequest{Groups: []wire.OffsetFetchRequestGroup{{GroupID: "g", MemberEpoch: -1}}}, 9)
	if len(all.Groups) != 1 || len(all.Groups[0].Topics) != 1 || all.Groups[0].Topics[0].Partitions[0].CommittedOffset != 7 {
		t.Errorf("%+v", all.Groups)
	}
}

// So are others that a group's coordinator would answer once its log is committed.
func TestGroupRequestsTimeOut(t *testing.T) {
	g := newGate(vfs.NewMemory())
	w := newWorld(t, g, "offsets.commit.timeout.ms=30")
	c := w.dial()
	w.commits(c, "g", w.create(c, "t", 1))
	g.shut()
	defer g.reopen()
	member := wire.ConsumerGroupHeartbeatRequest{GroupID: "g", MemberID: kafka.NewUUID().String(), RebalanceTimeoutMs: 1000}
	member.SubscribedTopicNames, member.TopicPartitions = []string{"t"}, []wire.ConsumerGroupHeartbeatRequestTopicPartitions{}
	topics := []wire.OffsetDeleteRequestTopic{{Name: "t", Partitions: []wire.OffsetDeleteRequestPartition{{}}}}
	for name, code := range map[string]int16{
		"ConsumerGroupHeartbeat": ask[wire.ConsumerGroupHeartbeatResponse](c, &member, 1).ErrorCode, // the others see what it wrote
		"Heartbeat":              ask[wire.HeartbeatResponse](c, &wire.HeartbeatRequest{GroupID: "g", MemberID: "m"}, 4).ErrorCode,
		"LeaveGroup":             ask[wire.LeaveGroupResponse](c, &wire.LeaveGroupRequest{GroupID: "g", Members: []wire.LeaveGroupRequestMemberIdentity{{MemberID: "m"}}}, 5).ErrorCode,
		"OffsetDelete":           ask[wire.OffsetDeleteResponse](c, &wire.OffsetDeleteRequest{GroupID: "g", Topics: topics}, 0).ErrorCode,
		"DeleteGroups":           ask[wire.DeleteGroupsResponse](c, &wire.DeleteGroupsRequest{GroupsNames: []string{"g"}}, 2).Results[0].ErrorCode,
	} {
		if kafka.ErrorCode(code) != kafka.CoordinatorNotAvailable {
			t.Errorf("%s: %v", name, kafka.ErrorCode(code))
		}
	}
}
