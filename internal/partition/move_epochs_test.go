package partition

import (
	"fmt"
	"testing"

	"github.com/ottla/ottla/internal/commitlog"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/vfs"
)

// appendEpochs appends one record for each leader epoch, as a follower does.
func appendEpochs(t *testing.T, log *commitlog.Log, epochs ...int32) {
	t.Helper()
	for _, epoch := range epochs {
		b := record.NewBuilder(record.BatchOptions{})
		b.Add(1, nil, fmt.Append(nil, epoch))
		built, err := b.Build()
		if err != nil {
			t.Fatal(err)
		}
		record.Batch(built).SetBaseOffset(log.EndOffset())
		record.Batch(built).SetLeaderEpoch(epoch)
		if _, err := log.AppendReplica(built); err != nil {
			t.Fatal(err)
		}
	}
}

// The log of a follower loses an epoch, and then has other records of an earlier one there: the copy, which has not seen the
// truncation, follows.
func TestCopyLosesAnEpochThatTheLogHasLost(t *testing.T) {
	w := newWorld(t, vfs.NewMemory(), nil, "/one", "/two")
	w.replay(topic("t", 1, 1, self)...)
	p := w.get("t", 0)
	log, to := p.Log(), w.dirs[w.elsewhere(p)]
	future, err := to.CreateFuture(p.name, p.topicID, 0, log.Config())
	if err != nil {
		t.Fatal(err)
	}
	m := newMove(p, to, future)
	defer m.release()
	copied := func() {
		t.Helper()
		for same := false; !same; {
			if _, same, err = m.copySome(moveChunk); err != nil {
				t.Fatal(err)
			}
		}
	}
	appendEpochs(t, log, 5, 5, 7, 7)
	copied()
	if err := log.TruncateTo(2); err != nil {
		t.Fatal(err)
	}
	appendEpochs(t, log, 5, 5, 5, 8)
	copied()
	for offset := range log.EndOffset() {
		if got, want := future.EpochAt(offset), log.EpochAt(offset); got != want {
			t.Errorf("the copy has a record of leader epoch %d at offset %d, the log one of %d", got, offset, want)
		}
	}
}
