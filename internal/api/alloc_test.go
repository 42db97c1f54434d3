package api

import (
	"encoding/binary"
	"io"
	"net"
	"testing"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/vfs"
	"github.com/ottla/ottla/internal/wire"
)

// raw exchanges a prepared frame for an answer, and allocates nothing itself.
type raw struct {
	t       testing.TB
	conn    net.Conn
	request []byte
	answer  []byte
}

func (r *raw) exchange() {
	if _, err := r.conn.Write(r.request); err != nil {
		r.t.Fatal(err)
	}
	r.receive()
}

func (r *raw) receive() {
	if _, err := io.ReadFull(r.conn, r.answer[:4]); err != nil {
		r.t.Fatal(err)
	}
	if _, err := io.ReadFull(r.conn, r.answer[4:4+binary.BigEndian.Uint32(r.answer)]); err != nil {
		r.t.Fatal(err)
	}
}

// hotRequests are the requests that a broker gets thousands of per second. allowed is how many allocations one costs, in the
// whole process, the log, the server and the memory disk included: that allocates one per write, of which a synced append
// makes some to the redo journal.
func hotRequests(t testing.TB, w *world) []struct {
	name    string
	allowed float64
	rq      wire.Message
	version int16
} {
	c := w.dial()
	id := w.create(c, "t", 1, "segment.bytes", "1073741824")
	w.create(c, "cached", 1, "write.caching", "true")
	w.create(c, "empty", 1)
	read := w.create(c, "read", 1)
	for range 10 {
		c.produce("read", -1, "some value", "and another")
	}
	many := make([]string, 100)
	for i := range many {
		many[i] = "some value of which there are many"
	}
	producer := w.initialized(c, "hot")
	open := transactionalProduce("hot", map[int32][]byte{0: inTransaction(t, producer, 0, 0, "v")})
	if got := codesOf(ask[wire.ProduceResponse](c, open, 12)); got[0] != kafka.None {
		t.Fatal(got)
	}
	byID := fetchRequest(0, 1, 1<<20, want{"", 0, 8, 1 << 20})
	byID.Topics[0].TopicID = read
	commit := w.commits(c, "g", id)
	return []struct {
		name    string
		allowed float64
		rq      wire.Message
		version int16
	}{
		{"Produce acks=1", 1, produceRequest(1, answerLimit, "t", kafka.ZeroUUID, map[int32][]byte{0: batch(t, "v")}), 12},
		{"Produce acks=1, 100 records", 1, produceRequest(1, answerLimit, "t", kafka.ZeroUUID, map[int32][]byte{0: batch(t, many...)}), 12},
		{"Produce acks=all", 3, produceRequest(-1, answerLimit, "", id, map[int32][]byte{0: batch(t, "v")}), 13},
		{"Produce acks=all, write.caching", 1, produceRequest(-1, answerLimit, "cached", kafka.ZeroUUID, map[int32][]byte{0: batch(t, "v")}), 12},
		{"Produce in an open transaction", 1, open, 12},
		{"Fetch", 0, byID, 17},
		{"OffsetCommit", 19, commit, 10},
		{"Fetch that waits 1 ms", 5, fetchRequest(time.Millisecond, 1, 1<<20, want{"empty", 0, 0, 1 << 20}), 12},
	}
}

// commits returns a commit of one offset by a group that has committed before.
func (w *world) commits(c *client, group string, topic kafka.UUID) *wire.OffsetCommitRequest {
	w.t.Helper()
	ask[wire.FindCoordinatorResponse](c, &wire.FindCoordinatorRequest{CoordinatorKeys: []string{group}}, 4)
	rq := &wire.OffsetCommitRequest{GroupID: group, GenerationIDOrMemberEpoch: -1, Topics: []wire.OffsetCommitRequestTopic{{
		TopicID: topic, Partitions: []wire.OffsetCommitRequestPartition{{CommittedOffset: 5, CommittedLeaderEpoch: -1}},
	}}}
	for end := time.Now().Add(answerLimit); ; time.Sleep(time.Millisecond) {
		answer := ask[wire.OffsetCommitResponse](c, rq, 10)
		code := kafka.ErrorCode(answer.Topics[0].Partitions[0].ErrorCode)
		if code == kafka.None {
			return rq
		}
		if time.Now().After(end) {
			w.t.Fatalf("the group cannot commit: %s", code)
		}
	}
}

func TestAllocationsPerRequest(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector makes sync.Pool forget")
	}
	w := newWorld(t, vfs.NewMemory())
	for _, hot := range hotRequests(t, w) {
		c := w.dial()
		r := &raw{t: t, conn: c.conn, request: frame(t, "tester", 1, hot.rq, hot.version), answer: make([]byte, 1<<16)}
		for range 200 {
			r.exchange()
		}
		n := hot.allowed + 1
		for tries := 0; n > hot.allowed && tries < 5; tries++ { // on a busy machine the rest of the process allocates, too, and timers come late
			n = testing.AllocsPerRun(1000, r.exchange)
		}
		t.Logf("%-35s %.1f allocations", hot.name, n)
		if n > hot.allowed {
			t.Errorf("%s: %.1f allocations per request, want at most %v", hot.name, n, hot.allowed)
		}
	}
}

func BenchmarkRequest(b *testing.B) {
	w := newWorld(b, vfs.NewMemory())
	for _, hot := range hotRequests(b, w) {
		b.Run(hot.name, func(b *testing.B) {
			r := &raw{t: b, conn: w.dial().conn, request: frame(b, "tester", 1, hot.rq, hot.version), answer: make([]byte, 1<<16)}
			b.ReportAllocs()
			for b.Loop() {
				r.exchange()
			}
		})
	}
}
