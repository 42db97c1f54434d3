package group

import (
	"testing"
	"time"

	"github.com/ottla/ottla/internal/causes"
	"github.com/ottla/ottla/internal/kafka"
)

var causesStart = time.UnixMilli(1_000_000_000_000)

func at(seconds int) time.Time { return causesStart.Add(time.Duration(seconds) * time.Second) }

// TestCausesFold: a member that does the same again and again does not push out what began it.
func TestCausesFold(t *testing.T) {
	var c Coordinator
	c.note(at(0), "g", Cause{Kind: MemberJoined, Member: Who{MemberID: "a"}, Rebalance: true})
	c.settled(at(3), "g", 1)
	for i := range 1000 {
		c.note(at(10+i), "g", Cause{Kind: RequestFenced, Member: Who{MemberID: "b"}, Code: kafka.UnknownMemberID, Given: int32(i)})
		c.note(at(10+i), "g", Cause{Kind: MemberRejoined, Member: Who{MemberID: "a"}, Rebalance: true, Epoch: int32(i + 1)})
		c.settled(at(11+i), "g", int32(i+2))
	}
	kept, dropped := c.causes.Of("g")
	if len(kept) != 3 || dropped != 0 {
		t.Fatalf("%d causes kept, %d dropped: %v", len(kept), dropped, kept)
	}
	if k := kept[0]; k.Kind != MemberJoined || k.Next != 1 || k.Took != 3000 {
		t.Errorf("first: %+v", k)
	}
	if k := kept[1]; k.Times != 1000 || k.Given != 999 || k.At != at(10) || k.Last != at(1009) {
		t.Errorf("fenced: %+v", k)
	}
	if k := kept[2]; k.Times != 1000 || k.Epoch != 1 || k.Next != 1001 || k.Took != 1000 {
		t.Errorf("joined again: %+v", k)
	}
}

// TestCausesSettle: a generation is what came of every cause since the one before.
func TestCausesSettle(t *testing.T) {
	var c Coordinator
	c.note(at(0), "g", Cause{Kind: MemberJoined, Member: Who{MemberID: "a"}, Rebalance: true})
	c.note(at(1), "g", Cause{Kind: MemberJoined, Member: Who{MemberID: "b"}, Rebalance: true})
	c.note(at(1), "g", Cause{Kind: RequestFenced, Member: Who{MemberID: "c"}})
	c.settled(at(3), "g", 1)
	c.note(at(4), "g", Cause{Kind: MemberLeft, Member: Who{MemberID: "b"}, Rebalance: true, Epoch: 1})
	kept, _ := c.causes.Of("g")
	for i, want := range []struct {
		next int32
		took int64
	}{{1, 3000}, {1, 2000}, {0, 0}, {0, 0}} {
		if kept[i].Next != want.next || kept[i].Took != want.took {
			t.Errorf("cause %d led to %d in %d ms, not to %d in %d", i, kept[i].Next, kept[i].Took, want.next, want.took)
		}
	}
	c.settled(at(9), "g", 2)
	if kept, _ = c.causes.Of("g"); kept[0].Next != 1 || kept[3].Next != 2 {
		t.Errorf("after the second generation: %v", kept)
	}
}

// TestCauseTexts: every kind has words of its own, with the numbers.
func TestCauseTexts(t *testing.T) {
	a := Who{MemberID: "c-1", Client: causes.Client{ID: "c", Host: "/10.0.0.1", Software: "apache-kafka-java", SoftwareVersion: "4.3.1"}}
	for _, tt := range []struct {
		cause Cause
		want  string
	}{
		{Cause{Kind: MemberJoined, Member: a, Reason: "need to rejoin"}, "member c-1 (client c at 10.0.0.1, apache-kafka-java 4.3.1) joined: need to rejoin"},
		{Cause{Kind: SubscriptionChanged, Member: Who{InstanceID: "i"}}, "static member i changed its subscription"},
		{Cause{Kind: PollExceeded, Member: Who{MemberID: "c-1"}, Setting: settingPollInterval, Limit: 300_000},
			"member c-1 left because its application did not call poll() within max.poll.interval.ms = 5m0s"},
		{Cause{Kind: SessionExpired, Member: Who{MemberID: "c-1"}, Setting: settingSessionTimeout, Limit: 45_000, When: causes.When{Times: 2, At: causesStart}},
			"member c-1 was not heard of for session.timeout.ms = 45s (2 times since 2001-09-09T01:46:40Z)"},
		{Cause{Kind: StaticReplaced, Member: Who{InstanceID: "i", MemberID: "i-1"}, Reason: "i-2"}, "static member i (member id i-1) restarted, and goes on as member i-2"},
		{Cause{Kind: RequestFenced, Member: Who{Client: causes.Client{ID: "c"}}, Code: kafka.IllegalGeneration, Given: 4, Reason: "group g is at generation 5"},
			"a request of client c at generation or epoch 4 was refused: ILLEGAL_GENERATION: group g is at generation 5"},
		{Cause{Kind: GroupOversized, Setting: settingMaxSize, Limit: 2, Value: 3}, "the group has 3 members, more than group.max.size = 2"},
		{Cause{Kind: OffsetsExpired, Setting: settingRetention, Limit: 10080, Value: 12},
			"12 committed offsets were older than offsets.retention.minutes = 10080, and gone"},
		{Cause{Kind: TopicsChanged, Reason: "orders has 6 partitions instead of 3"}, "topics that the group consumes have changed: orders has 6 partitions instead of 3"},
	} {
		if got := tt.cause.String(); got != tt.want {
			t.Errorf("%s\n got %s\nwant %s", tt.cause.Kind, got, tt.want)
		}
	}
}
