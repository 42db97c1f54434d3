package api

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/vfs"
	"github.com/ottla/ottla/internal/wire"
)

// want is a partition of a fetch by name.
type want struct {
	topic     string
	partition int32
	offset    int64
	max       int32
}

// fetchRequest makes a fetch without a session, by name.
func fetchRequest(maxWait time.Duration, minBytes, maxBytes int32, wants ...want) *wire.FetchRequest {
	rq := new(wire.FetchRequest)
	rq.Reset()
	rq.MaxWaitMs, rq.MinBytes, rq.MaxBytes, rq.SessionEpoch = int32(maxWait.Milliseconds()), minBytes, maxBytes, finalFetchEpoch
	for _, a := range wants {
		if last := len(rq.Topics) - 1; last < 0 || rq.Topics[last].Topic != a.topic {
			rq.Topics = append(rq.Topics, wire.FetchRequestFetchTopic{Topic: a.topic})
		}
		var p wire.FetchRequestFetchPartition
		p.Reset()
		p.Partition, p.FetchOffset, p.PartitionMaxBytes = a.partition, a.offset, a.max
		rq.Topics[len(rq.Topics)-1].Partitions = append(rq.Topics[len(rq.Topics)-1].Partitions, p)
	}
	return rq
}

// text draws an answer: what each partition got.
func text(t testing.TB, answer *wire.FetchResponse) string {
	t.Helper()
	var parts []string
	if answer.ErrorCode != 0 {
		parts = append(parts, kafka.ErrorCode(answer.ErrorCode).Error())
	}
	for _, topic := range answer.Responses {
		for _, p := range topic.Partitions {
			what := fmt.Sprintf("%d%v", p.HighWatermark, values(t, p.Records))
			if p.ErrorCode != 0 {
				what = kafka.ErrorCode(p.ErrorCode).Error()
				if p.HighWatermark != -1 || len(p.Records) > 0 || p.Records == nil {
					t.Errorf("a partition with an error has %+v", p)
				}
			}
			parts = append(parts, fmt.Sprintf("%s%d:%s", topic.Topic, p.PartitionIndex, what))
		}
	}
	return strings.Join(parts, " ")
}

func TestFetchLimits(t *testing.T) {
	w := newWorld(t, vfs.NewMemory())
	c := w.dial()
	w.create(c, "t", 3)
	for i, v := range []string{"a", "b", "c"} {
		rq := produceRequest(-1, answerLimit, "t", kafka.ZeroUUID, map[int32][]byte{0: batch(t, v), 1: batch(t, v+v)})
		if p := ask[wire.ProduceResponse](c, rq, 12).Responses[0].PartitionResponses[0]; p.BaseOffset != int64(i) {
			t.Fatalf("%+v", p)
		}
	}
	size := int32(len(batch(t, "a")))
	const all = math.MaxInt32
	for _, test := range []struct {
		name string
		rq   *wire.FetchRequest
		want string
	}{
		{"everything", fetchRequest(0, 1, all, want{"t", 0, 0, all}, want{"t", 1, 1, all}, want{"t", 2, 0, all}), "t0:3[a b c] t1:3[bb cc] t2:0[]"},
		{"partition limit", fetchRequest(0, 1, all, want{"t", 0, 0, 2 * size}, want{"t", 1, 0, size + 1}), "t0:3[a b] t1:3[aa]"},
		{"first batch larger than every limit", fetchRequest(0, 1, 1, want{"t", 2, 0, 1}, want{"t", 0, 0, 1}, want{"t", 1, 0, 1}), "t2:0[] t0:3[a] t1:3[]"},
		{"request limit", fetchRequest(0, 1, 2*size, want{"t", 0, 1, all}, want{"t", 1, 0, all}), "t0:3[b c] t1:3[]"},
		{"rest of the request limit", fetchRequest(0, 1, 3*size+2, want{"t", 0, 1, all}, want{"t", 1, 0, all}), "t0:3[b c] t1:3[aa]"},
		{"zero and negative limits", fetchRequest(0, 1, -1, want{"t", 0, 0, -1}, want{"t", 1, 0, 0}), "t0:3[a] t1:3[]"},
		{"out of range", fetchRequest(time.Minute, 1, all, want{"t", 0, 4, all}, want{"t", 1, -1, all}, want{"t", 2, 0, all}), "t0:OFFSET_OUT_OF_RANGE t1:OFFSET_OUT_OF_RANGE t2:0[]"},
		{"unknown ones come last", fetchRequest(0, 1, all, want{"u", 0, 0, all}, want{"t", 9, 0, all}, want{"t", 0, 2, all}), "t0:3[c] u0:UNKNOWN_TOPIC_OR_PARTITION t9:UNKNOWN_TOPIC_OR_PARTITION"},
		{"only unknown ones do not wait", fetchRequest(time.Minute, 1, all, want{"u", 0, 0, all}), "u0:UNKNOWN_TOPIC_OR_PARTITION"},
		{"nothing does not wait", fetchRequest(time.Minute, 1, all), ""},
		{"negative wait and minimum", fetchRequest(-time.Second, -1, all, want{"t", 2, 0, all}), "t2:0[]"},
	} {
		for _, version := range []int16{4, 7, 12} {
			if got := text(t, ask[wire.FetchResponse](c, test.rq, version)); got != test.want {
				t.Errorf("%s, version %d: %q, want %q", test.name, version, got, test.want)
			}
		}
	}
}

func TestFetchFieldsOfVersions(t *testing.T) {
	w := newWorld(t, vfs.NewMemory())
	c := w.dial()
	id := w.create(c, "t", 1)
	c.produce("t", -1, "a")
	for version := int16(4); version <= 18; version++ {
		rq := fetchRequest(0, 1, 1<<20, want{"t", 0, 0, 1 << 20})
		rq.IsolationLevel = readCommitted
		rq.Topics[0].TopicID = id
		if version >= 12 {
			rq.Topics[0].Partitions[0].LastFetchedEpoch = -1
		}
		p := ask[wire.FetchResponse](c, rq, version).Responses[0].Partitions[0]
		if p.PreferredReadReplica != -1 || p.DivergingEpoch.Epoch != -1 || p.CurrentLeader.LeaderID != -1 || p.SnapshotID.Epoch != -1 ||
			p.LastStableOffset != 1 || p.AbortedTransactions == nil || len(p.AbortedTransactions) != 0 || p.HighWatermark != 1 {
			t.Errorf("version %d: %+v", version, p)
		}
		rq.IsolationLevel = 0
		if p := ask[wire.FetchResponse](c, rq, version).Responses[0].Partitions[0]; p.AbortedTransactions != nil {
			t.Errorf("version %d: read_uncommitted has aborted transactions", version)
		}
	}
	rq := fetchRequest(time.Minute, 1, 1<<20, want{"", 0, 0, 1 << 20})
	rq.Topics[0].TopicID = kafka.UUID{7}
	if got := text(t, ask[wire.FetchResponse](c, rq, 13)); got != "0:UNKNOWN_TOPIC_ID" {
		t.Errorf("unknown id: %q", got)
	}
	// A client that follows a history which the leader does not have.
	rq = fetchRequest(time.Minute, 1, 1<<20, want{"t", 0, 1, 1 << 20})
	rq.Topics[0].Partitions[0].LastFetchedEpoch = 7
	if got := text(t, ask[wire.FetchResponse](c, rq, 12)); got != "t0:OFFSET_OUT_OF_RANGE" {
		t.Errorf("unknown epoch: %q", got)
	}
	rq.Topics[0].Partitions[0].LastFetchedEpoch, rq.Topics[0].Partitions[0].CurrentLeaderEpoch = -1, 9
	if got := text(t, ask[wire.FetchResponse](c, rq, 12)); got != "t0:UNKNOWN_LEADER_EPOCH" {
		t.Errorf("newer leader epoch: %q", got)
	}
}

func TestFetchWaits(t *testing.T) {
	w := newWorld(t, vfs.NewMemory())
	c, producer := w.dial(), w.dial()
	w.create(c, "t", 2)
	size := int32(len(batch(t, "a")))
	waits := func(rq *wire.FetchRequest) int32 {
		t.Helper()
		n := c.send(rq, 12)
		w.waits("the fetch", w.api.metrics.waitingFetches)
		c.silent(20 * time.Millisecond)
		return n
	}
	answered := func(correlation int32, want string) {
		t.Helper()
		answer := new(wire.FetchResponse)
		c.receive(correlation, answer, 12)
		if got := text(t, answer); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	const all = 1 << 20
	// Any acks brings it to an end, and so does a partition that another one names beside.
	n := waits(fetchRequest(time.Minute, 1, all, want{"t", 0, 0, all}, want{"t", 1, 0, all}, want{"u", 0, 0, all}))
	producer.produce("t", 1, "a")
	answered(n, "t0:1[a] t1:0[] u0:UNKNOWN_TOPIC_OR_PARTITION")
	// min.bytes counts what is there, in all partitions.
	n = waits(fetchRequest(time.Minute, 3*size, all, want{"t", 0, 0, all}, want{"t", 1, 0, all}))
	producer.produce("t", -1, "b")
	c.silent(30 * time.Millisecond)
	ask[wire.ProduceResponse](producer, produceRequest(-1, answerLimit, "t", kafka.ZeroUUID, map[int32][]byte{1: batch(t, "c")}), 12)
	answered(n, "t0:2[a b] t1:1[c]")
	// Time is up: what there is.
	start := time.Now()
	answered(c.send(fetchRequest(80*time.Millisecond, 1000, all, want{"t", 0, 1, all}), 12), "t0:2[b]")
	if took := time.Since(start); took < 80*time.Millisecond {
		t.Errorf("a wait of 80 ms took %v", took)
	}
	// The topic is deleted.
	n = waits(fetchRequest(time.Minute, 1000, all, want{"t", 0, 2, all}))
	w.remove(producer, "t")
	answered(n, "t0:UNKNOWN_TOPIC_OR_PARTITION")
	if n := w.api.metrics.waitingFetches.Value(); n != 0 {
		t.Errorf("%v fetches wait", n)
	}
}

func TestFetchStopsWaiting(t *testing.T) {
	w := newWorld(t, vfs.NewMemory())
	c := w.dial()
	w.create(c, "t", 1)
	// The connection ends.
	gone := w.dial()
	gone.send(fetchRequest(10*time.Minute, 1, 1<<20, want{"t", 0, 0, 1 << 20}), 12)
	w.waits("the fetch", w.api.metrics.waitingFetches)
	gone.conn.Close()
	for end := time.Now().Add(answerLimit); w.api.metrics.waitingFetches.Value() != 0; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("a fetch outlives its connection")
		}
	}
	// The broker stops; nothing waits any more, and what comes does not begin to.
	n := c.send(fetchRequest(10*time.Minute, 1, 1<<20, want{"t", 0, 0, 1 << 20}), 12)
	w.waits("the fetch", w.api.metrics.waitingFetches)
	w.api.Stop()
	answer := new(wire.FetchResponse)
	c.receive(n, answer, 12)
	ask[wire.FetchResponse](c, fetchRequest(10*time.Minute, 1, 1<<20, want{"t", 0, 0, 1 << 20}), 12)
}

// KIP-227 as Kafka does it: what the server remembers, what it leaves out, and which requests it refuses.
func TestFetchSession(t *testing.T) {
	w := newWorld(t, vfs.NewMemory())
	c, producer := w.dial(), w.dial()
	w.create(c, "t", 3)
	producer.produce("t", -1, "a")
	const all = 1 << 20
	session := int32(0)
	step := func(name string, id, epoch int32, rq *wire.FetchRequest, want string) *wire.FetchResponse {
		t.Helper()
		rq.SessionID, rq.SessionEpoch = id, epoch
		answer := ask[wire.FetchResponse](c, rq, 12)
		if got := text(t, answer); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
		return answer
	}
	full := func() *wire.FetchRequest {
		return fetchRequest(0, 1, all, want{"t", 0, 0, all}, want{"t", 1, 0, all}, want{"u", 0, 0, all})
	}
	nothing := func() *wire.FetchRequest { return fetchRequest(0, 1, all) }

	answer := step("open", 0, 0, full(), "t0:1[a] t1:0[] u0:UNKNOWN_TOPIC_OR_PARTITION")
	if session = answer.SessionID; session == 0 {
		t.Fatal("no session")
	}
	step("errors come every time", session, 1, fetchRequest(0, 1, all, want{"t", 0, 1, all}), "u0:UNKNOWN_TOPIC_OR_PARTITION")
	forget := nothing()
	forget.ForgottenTopicsData = []wire.FetchRequestForgottenTopic{{Topic: "u", Partitions: []int32{0}}, {Topic: "none", Partitions: []int32{1}}}
	if answer := step("forget", session, 2, forget, ""); answer.SessionID != session {
		t.Errorf("session %d", answer.SessionID)
	}
	step("no news", session, 3, nothing(), "")
	producer.produce("t", -1, "b")
	step("records", session, 4, nothing(), "t0:2[b]")
	step("records again, as the offset is the old one", session, 5, nothing(), "t0:2[b]")
	step("add, with news of its own", session, 6, fetchRequest(0, 1, all, want{"t", 2, 0, all}, want{"t", 0, 2, all}), "t2:0[]")
	step("wrong epoch", session, 6, nothing(), "INVALID_FETCH_SESSION_EPOCH")
	step("no such session", session+1, 7, nothing(), "FETCH_SESSION_ID_NOT_FOUND")
	if answer := ask[wire.FetchResponse](c, withSession(nothing(), session, 7), 13); kafka.ErrorCode(answer.ErrorCode) != kafka.FetchSessionTopicIDError || answer.SessionID != 0 {
		t.Errorf("by id in a session by name: %+v", answer)
	}
	forget = nothing()
	forget.ForgottenTopicsData = []wire.FetchRequestForgottenTopic{{Topic: "t", Partitions: []int32{0, 1, 2}}}
	if answer := step("nothing left", session, 7, forget, ""); answer.SessionID != 0 {
		t.Errorf("session %d", answer.SessionID)
	}
	step("closed by that", session, 8, nothing(), "FETCH_SESSION_ID_NOT_FOUND")

	// A full fetch with the id of a session ends that one; epoch -1 opens none.
	session = step("open", 0, 0, full(), "t0:2[a b] t1:0[] u0:UNKNOWN_TOPIC_OR_PARTITION").SessionID
	other := step("reopen", session, 0, full(), "t0:2[a b] t1:0[] u0:UNKNOWN_TOPIC_OR_PARTITION").SessionID
	step("the old one", session, 1, nothing(), "FETCH_SESSION_ID_NOT_FOUND")
	if answer := step("close", other, -1, nothing(), ""); answer.SessionID != 0 {
		t.Errorf("session %d", answer.SessionID)
	}
	if sessions, partitions := w.api.sessions.count(); sessions != 0 || partitions != 0 {
		t.Errorf("%d sessions with %d partitions are left", sessions, partitions)
	}
}

func withSession(rq *wire.FetchRequest, id, epoch int32) *wire.FetchRequest {
	rq.SessionID, rq.SessionEpoch = id, epoch
	return rq
}

// Partitions that gave records come last the next time, so that a small limit starves none; the session begins in the
// order of the full fetch, as in Kafka.
func TestFetchSessionTakesTurns(t *testing.T) {
	w := newWorld(t, vfs.NewMemory())
	c := w.dial()
	w.create(c, "t", 3)
	for p := range int32(3) {
		ask[wire.ProduceResponse](c, produceRequest(-1, answerLimit, "t", kafka.ZeroUUID, map[int32][]byte{p: batch(t, fmt.Sprint(p))}), 12)
	}
	rq := fetchRequest(0, 1, 1, want{"t", 0, 0, 100}, want{"t", 1, 0, 100}, want{"t", 2, 0, 100})
	rq.SessionEpoch = 0
	answer := ask[wire.FetchResponse](c, rq, 12)
	session := answer.SessionID
	var got []string
	for epoch := range int32(6) {
		for _, topic := range answer.Responses {
			for _, p := range topic.Partitions {
				got = append(got, values(t, p.Records)...)
			}
		}
		answer = ask[wire.FetchResponse](c, withSession(fetchRequest(0, 1, 1), session, epoch+1), 12)
	}
	if want := []string{"0", "0", "1", "2", "0", "1"}; !slices.Equal(got, want) {
		t.Errorf("turns %q, want %q", got, want)
	}
}

// Two requests of one session at once: the one that was overtaken says so, instead of telling what the client would
// take for newer.
func TestFetchSessionOvertaken(t *testing.T) {
	w := newWorld(t, vfs.NewMemory())
	c, other := w.dial(), w.dial()
	w.create(c, "t", 1)
	session := ask[wire.FetchResponse](c, withSession(fetchRequest(0, 1, 1<<20, want{"t", 0, 0, 1 << 20}), 0, 0), 12).SessionID
	n := c.send(withSession(fetchRequest(time.Minute, 1, 1<<20), session, 1), 12)
	w.waits("the fetch", w.api.metrics.waitingFetches)
	ask[wire.FetchResponse](other, withSession(fetchRequest(0, 1, 1<<20), session, 2), 12)
	other.produce("t", -1, "a")
	answer := new(wire.FetchResponse)
	c.receive(n, answer, 12)
	if kafka.ErrorCode(answer.ErrorCode) != kafka.InvalidFetchSessionEpoch || answer.SessionID != session || len(answer.Responses) != 0 {
		t.Errorf("%+v", answer)
	}
}

// A follower that names a partition again may have dropped what it was told of it: it is told again, a consumer is not.
func TestFetchSessionTellsFollowersAgain(t *testing.T) {
	for _, follower := range []bool{false, true} {
		session, key := newFetchSession(true, follower, 1), fetchKey{id: kafka.UUID{1}}
		answer := &wire.FetchResponsePartitionData{HighWatermark: 5, LogStartOffset: 1, PreferredReadReplica: -1}
		answer.DivergingEpoch.Epoch = -1
		for epoch := range int32(2) {
			session.want(key, &wire.FetchRequestFetchPartition{CurrentLeaderEpoch: epoch}, -1)
			if told := session.tell(key, answer); told != (epoch == 0 || follower) {
				t.Errorf("follower %t, named for the %d. time: told %t", follower, epoch+1, told)
			}
			if session.tell(key, answer) {
				t.Errorf("follower %t: told twice what it did not ask again", follower)
			}
		}
	}
}

// Which sessions make room (org.apache.kafka.server.FetchSessionCacheShard).
func TestFetchSessionCache(t *testing.T) {
	start := time.Now()
	at := func(minutes float64) time.Time { return start.Add(time.Duration(minutes * float64(time.Minute))) }
	session := func(partitions int, follower bool) *fetchSession {
		s := newFetchSession(false, follower, 0)
		for p := range partitions {
			s.want(fetchKey{"t", kafka.ZeroUUID, int32(p)}, new(wire.FetchRequestFetchPartition), -1)
		}
		return s
	}
	t.Run("idle ones go first", func(t *testing.T) {
		s := newFetchSessions(2)
		first, second := session(5, false), session(1, false)
		s.open(first, at(0))
		s.open(second, at(1))
		if s.open(session(9, false), at(2)) != 0 {
			t.Error("a session in use made room")
		}
		if s.open(session(1, false), at(2.1)) == 0 || s.find(first.id) != nil || s.find(second.id) == nil {
			t.Error("the one unused for longest did not make room")
		}
	})
	t.Run("small ones go before large ones once they are old", func(t *testing.T) {
		s := newFetchSessions(2)
		small, large := session(2, false), session(5, false)
		s.open(small, at(0))
		s.open(large, at(0))
		for _, busy := range []*fetchSession{small, large} {
			s.touch(busy, busy.size, at(1.5))
			s.touch(busy, busy.size, at(3))
		}
		if s.open(session(2, false), at(4)) != 0 {
			t.Error("one of the same size took the place")
		}
		if s.open(session(3, false), at(4)) == 0 || s.find(small.id) != nil || s.find(large.id) == nil {
			t.Error("the smallest did not make room for a larger one")
		}
	})
	t.Run("followers before consumers", func(t *testing.T) {
		s := newFetchSessions(1)
		consumer := session(100, false)
		s.open(consumer, at(0))
		follower := session(1, true)
		if s.open(follower, at(0.1)) == 0 || s.find(consumer.id) != nil {
			t.Error("a follower did not get the place of a consumer")
		}
		if s.open(session(1000, false), at(0.2)) != 0 {
			t.Error("a consumer got the place of a follower")
		}
	})
	t.Run("none", func(t *testing.T) {
		if newFetchSessions(0).open(session(1, false), at(0)) != 0 {
			t.Error("a session without slots")
		}
	})
	t.Run("bounded", func(t *testing.T) {
		s := newFetchSessions(10)
		one := session(1, false)
		s.open(one, at(0))
		if s.touch(one, maxSessionPartitions+1, at(0)) || s.find(one.id) != nil {
			t.Error("a session grew beyond the bound")
		}
		if n, partitions := s.count(); n != 0 || partitions != 0 {
			t.Errorf("%d sessions, %d partitions", n, partitions)
		}
	})
	if nextFetchEpoch(math.MaxInt32) != 1 || nextFetchEpoch(1) != 2 {
		t.Error("epochs do not wrap to 1")
	}
}
