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
