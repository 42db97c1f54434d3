package group

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ottla/ottla/internal/causes"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/statemachine/script"
	"github.com/ottla/ottla/internal/wire"
)

// load replays records into a coordinator that nobody has used yet.
func load(t testing.TB, records ...statemachine.Record) *bench {
	t.Helper()
	b := newBench(t)
	for i, r := range records {
		if err := b.machine.Replay(int64(i), r); err != nil {
			t.Fatalf("record %d: %v", i, err)
		}
	}
	return b
}

func value(t testing.TB, m wire.Message, version int16) []byte {
	return must[[]byte](t)(wire.EncodeRecordValue(m, version))
}

func key(t testing.TB, m wire.Message) []byte { return must[[]byte](t)(wire.EncodeRecordKey(m)) }

func groupKey(t testing.TB, id string) []byte { return key(t, &wire.GroupMetadataKey{Group: id}) }

func describe(b *bench, id string) (text string) {
	b.do(func(c *Coordinator, _ time.Time) statemachine.Output {
		return c.Describe(id, func(d wire.DescribeGroupsResponseDescribedGroup, err error) { text = printDescribe(d, err) })
	}, func(err error) { b.t.Error(err) })
	return text
}

func TestGroupTombstoneLeavesOffsets(t *testing.T) {
	tp := kafka.TopicPartition{Topic: "t", Partition: 3}
	b := load(t,
		statemachine.Record{Key: groupKey(t, "g"), Value: value(t, &wire.GroupMetadataValue{ProtocolType: consumerProtocol, Generation: 4, CurrentStateTimestamp: 5}, 3)},
		offsetRecord("g", tp, committed{offset: 7, leaderEpoch: -1, at: 1, expires: -1}),
		groupTombstone("g"),
	)
	if got := describe(b, "g"); got != `Empty type="" protocol=""` {
		t.Error(got)
	}
	if got := b.machine.groups["g"].offsets[tp].offset; got != 7 {
		t.Errorf("offset %d, want 7", got)
	}
}

// TestOldRecords: versions and types of records that Kafka wrote long ago.
func TestOldRecords(t *testing.T) {
	member := wire.GroupMetadataValueMemberMetadata{MemberID: "m", ClientID: "c", ClientHost: "/h", SessionTimeout: 9000, RebalanceTimeout: -1, Subscription: subscriptionTo("t"), Assignment: []byte("A")}
	protocol := "range"
	for version := int16(0); version <= 4; version++ {
		m := member
		if version > 0 {
			m.RebalanceTimeout = 60_000
		}
		b := load(t, statemachine.Record{Key: groupKey(t, "g"), Value: value(t, &wire.GroupMetadataValue{
			ProtocolType: consumerProtocol, Generation: 4, Protocol: &protocol, Leader: &m.MemberID, CurrentStateTimestamp: noTimestamp,
			Members: []wire.GroupMetadataValueMemberMetadata{m}}, version)})
		if got := describe(b, "g"); got != `Stable type="consumer" protocol="range" m c/h:t="A"` {
			t.Errorf("version %d: %s", version, got)
		}
		if got, want := b.machine.classic("g").rebalanceTimeout(), map[bool]time.Duration{true: 9 * time.Second, false: time.Minute}[version == 0]; got != want {
			t.Errorf("version %d: rebalance timeout %v, want %v", version, got, want)
		}
	}
	legacy := statemachine.Record{
		Key:   key(t, &wire.LegacyOffsetCommitKey{Group: "old", Topic: "t", Partition: 1}),
		Value: value(t, &wire.LegacyOffsetCommitValue{Offset: 12, Metadata: "x", CommitTimestamp: 3}, 0),
	}
	b := load(t, legacy)
	tp := kafka.TopicPartition{Topic: "t", Partition: 1}
	if got := b.machine.groups["old"].offsets[tp]; got.offset != 12 || got.expires != -1 || got.leaderEpoch != -1 || got.at != 3 {
		t.Errorf("a legacy offset is %+v", got)
	}
	if b = load(t, legacy, statemachine.Record{Key: legacy.Key}); len(b.machine.groups["old"].offsets) != 0 {
		t.Error("a legacy tombstone removes nothing")
	}
}

// TestEmptyGroupOfUnknownAge: without the time when the group became empty, offsets live from their commit.
func TestEmptyGroupOfUnknownAge(t *testing.T) {
	commitTime := script.NewClock().Now().UnixMilli()
	b := load(t,
		statemachine.Record{Key: groupKey(t, "g"), Value: value(t, &wire.GroupMetadataValue{ProtocolType: consumerProtocol, CurrentStateTimestamp: noTimestamp}, 2)},
		offsetRecord("g", kafka.TopicPartition{Topic: "t"}, committed{offset: 7, at: commitTime, expires: -1}),
	)
	b.settings.OffsetsRetention = time.Hour
	b.clock.Advance(50 * time.Minute)
	if n := len(b.machine.groups["g"].offsets); n != 1 {
		t.Fatalf("%d offsets after 50 minutes", n)
	}
	b.clock.Advance(11 * time.Minute)
	if b.machine.groups["g"] != nil {
		t.Error("the group is still there after an hour")
	}
}

func TestRecordsOfOtherProtocols(t *testing.T) {
	c := newBench(t).machine
	unknown := []byte{0x7f, 0, 1, 2, 3}
	if err := c.Replay(1, statemachine.Record{Key: unknown, Value: []byte("?")}); err != nil {
		t.Errorf("a record of a later version: %v", err)
	}
	err := c.Replay(2, statemachine.Record{Key: key(t, &wire.ShareGroupMetadataKey{GroupID: "g"}), Value: []byte{0, 0}})
	if err == nil || !strings.Contains(err.Error(), "type 11") {
		t.Errorf("a share group's record: %v", err)
	}
}

// TestMembersThatClaimTheSameID: a record that no coordinator writes must not leave a group that cannot be used.
func TestMembersThatClaimTheSameID(t *testing.T) {
	saved := func(id, instance string) wire.GroupMetadataValueMemberMetadata {
		m := wire.GroupMetadataValueMemberMetadata{MemberID: id, SessionTimeout: 10_000, RebalanceTimeout: 10_000}
		if instance != "" {
			m.GroupInstanceID = &instance
		}
		return m
	}
	protocol, leader := "range", "nobody"
	b := load(t, statemachine.Record{Key: groupKey(t, "g"), Value: value(t, &wire.GroupMetadataValue{
		ProtocolType: consumerProtocol, Generation: 1, Protocol: &protocol, Leader: &leader, CurrentStateTimestamp: 1,
		Members: []wire.GroupMetadataValueMemberMetadata{saved("a", "i"), saved("a", "j"), saved("b", "j"), saved("c", ""), saved("d", "k")},
	}, 3)})
	m := &model{bench: b, seen: map[*classicGroup]int32{}}
	m.check()
	g := b.machine.classic("g")
	if len(g.members) != 3 || len(g.statics) != 2 || g.leader != "b" {
		t.Errorf("members %v, static %v, leader %s", len(g.members), g.statics, g.leader)
	}
}

func TestLongMemberID(t *testing.T) {
	b := newBench(t)
	long := strings.Repeat("x", 32760)
	for _, rq := range []Join{{Client: causes.Client{ID: long}, RequireMemberID: true}, {InstanceID: &long}} {
		var answer *wire.JoinGroupResponse
		rq.GroupID, rq.SessionTimeout, rq.ProtocolType = "g", 10*time.Second, "x"
		rq.Protocols = []wire.JoinGroupRequestProtocol{{Name: long}}
		rq.Reply = func(r *wire.JoinGroupResponse) { answer = r }
		for range 2 {
			b.ids = 1_000_000 // seven digits, and the dash
			b.do(func(c *Coordinator, now time.Time) statemachine.Output { return c.Join(now, rq) }, nil)
		}
		if answer == nil || kafka.ErrorCode(answer.ErrorCode) != kafka.InvalidRequest {
			t.Errorf("answer %+v", answer)
		}
	}
}

// TestHousekeepingInPortions: what does not fit into one batch takes several.
func TestHousekeepingInPortions(t *testing.T) {
	const offsets = 3*maxStepRecords + 10
	fill := func() *bench {
		b := newBench(t)
		for i := range int32(offsets) {
			r := offsetRecord("g", kafka.TopicPartition{Topic: fmt.Sprint("t", i%2), Partition: i}, committed{offset: 1, at: b.clock.Now().UnixMilli(), expires: -1})
			if err := b.machine.Replay(int64(i), r); err != nil {
				t.Fatal(err)
			}
		}
		return b
	}
	batches := func(b *bench) (sizes []int) {
		for _, batch := range b.log.Batches() {
			sizes = append(sizes, int(batch.Count()))
		}
		return sizes
	}
	b := fill()
	b.settings.OffsetsRetention = time.Minute
	b.clock.Advance(11 * time.Minute)
	if got := fmt.Sprint(batches(b)); got != "[1000 1000 1000 11]" || len(b.machine.groups) != 0 {
		t.Errorf("expiry: batches %s, %d groups left", got, len(b.machine.groups))
	}
	b = fill()
	b.do(func(c *Coordinator, _ time.Time) statemachine.Output {
		return c.ForgetTopics(map[string]bool{"t0": true, "t1": true})
	}, nil)
	if got := fmt.Sprint(batches(b)); got != "[1000 1000 1000 10]" || len(b.machine.groups["g"].offsets) != 0 {
		t.Errorf("deleted topics: batches %s", got)
	}
}
