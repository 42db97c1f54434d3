package api

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/vfs"
	"github.com/ottla/ottla/internal/wire"
)

func creatable(names ...string) (topics []wire.CreateTopicsRequestCreatableTopic) {
	for _, name := range names {
		topics = append(topics, wire.CreateTopicsRequestCreatableTopic{Name: name, NumPartitions: 1, ReplicationFactor: -1})
	}
	return topics
}

// All members of an application miss the same topics: each is asked for once at a time, and not again for a while after it could
// not be created.
func TestMissingTopicsAreAskedForOnce(t *testing.T) {
	var s streamsTopics
	now := time.UnixMilli(1_000_000)
	if asked := s.begin(now, creatable("a", "b")); len(asked) != 2 {
		t.Fatal(asked)
	}
	if asked := s.begin(now, creatable("b", "c")); len(asked) != 1 || asked[0].Name != "c" {
		t.Errorf("while b is being created: %v", asked)
	}
	s.end(now, now.Add(10*time.Second), creatable("a", "b"), map[string]string{"b": "no room"})
	if asked := s.begin(now, creatable("a", "b")); len(asked) != 1 || asked[0].Name != "a" {
		t.Errorf("after b failed: %v", asked)
	}
	if text := s.failures(now, creatable("a", "b")); text != "b (no room)" {
		t.Error(text)
	}
	later := now.Add(10 * time.Second)
	if text := s.failures(later, creatable("a", "b")); text != "" {
		t.Error("told for too long:", text)
	}
	if asked := s.begin(later, creatable("b")); len(asked) != 1 {
		t.Error("not tried again")
	}
	s.end(later, later.Add(time.Second), creatable("b"), nil)
	if text := s.failures(later, creatable("b")); text != "" || len(s.mu.failed)+len(s.mu.creating) != 2 { // a and c
		t.Errorf("created in the end: %q, %v", text, s.mu.failed)
	}
}

// Three failures are told, the rest is counted; so many are remembered at most.
func TestManyTopicsFail(t *testing.T) {
	var s streamsTopics
	now := time.UnixMilli(1_000_000)
	failed := map[string]string{}
	var topics []wire.CreateTopicsRequestCreatableTopic
	for i := range 2 * maxFailedTopics {
		topics = append(topics, creatable(fmt.Sprint("t", i))...)
		failed[topics[i].Name] = "x"
	}
	s.end(now, now.Add(time.Second), s.begin(now, topics), failed)
	if text := s.failures(now, topics[:5]); text != "t0 (x), t1 (x), t2 (x) and 2 more" {
		t.Error(text)
	}
	if len(s.mu.failed) != maxFailedTopics {
		t.Error(len(s.mu.failed))
	}
	s.end(now.Add(time.Second), now, nil, nil)
	if len(s.mu.failed) != 0 {
		t.Error("what is over is still remembered")
	}
}

// The application is told why an internal topic cannot be created.
func TestStreamsTopicsThatCannotBeCreated(t *testing.T) {
	w := newWorld(t, vfs.NewMemory())
	c := w.dial()
	w.create(c, "t", 1)
	w.awaitCoordinator(t, groupKey)
	beat := func(epoch int32) *wire.StreamsGroupHeartbeatResponse {
		rq := new(wire.StreamsGroupHeartbeatRequest)
		rq.Reset()
		rq.GroupID, rq.MemberID, rq.MemberEpoch = "g", "m", epoch
		if epoch == 0 {
			process := "p"
			rq.ProcessID, rq.RebalanceTimeoutMs = &process, 1000
			rq.ActiveTasks, rq.StandbyTasks, rq.WarmupTasks = []wire.StreamsGroupHeartbeatRequestTaskIds{}, []wire.StreamsGroupHeartbeatRequestTaskIds{}, []wire.StreamsGroupHeartbeatRequestTaskIds{}
			rq.Topology = &wire.StreamsGroupHeartbeatRequestTopology{Subtopologies: []wire.StreamsGroupHeartbeatRequestSubtopology{{
				SubtopologyID: "0", SourceTopics: []string{"t"}, StateChangelogTopics: []wire.StreamsGroupHeartbeatRequestTopicInfo{{Name: "log", ReplicationFactor: 3}},
			}}}
		}
		return ask[wire.StreamsGroupHeartbeatResponse](c, rq, 0)
	}
	answer := beat(0)
	for end := time.Now().Add(answerLimit); ; time.Sleep(time.Millisecond) {
		loading := kafka.ErrorCode(answer.ErrorCode) == kafka.CoordinatorLoadInProgress
		if !loading && (answer.ErrorCode != 0 || len(answer.Status) != 1) {
			t.Fatalf("%+v", answer)
		}
		if !loading && strings.HasPrefix(answer.Status[0].StatusDetail, "Internal topics are missing: log; Creation failed: log (Unable to replicate the partition 3 time(s)") {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%+v", answer)
		}
		answer = beat(answer.MemberEpoch)
	}
}
