package partition

import (
	"errors"
	"testing"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/vfs"
	"github.com/ottla/ottla/internal/wire"
)

// A goroutine may come to wait for its append when the partition is, or was meanwhile, led elsewhere: what the high watermark has
// passed, or passes later, may be the new leader's records in the place of its own.
func TestAwaitAfterTheLeadershipIsLost(t *testing.T) {
	w := newWorld(t, vfs.NewMemory(), nil)
	defer w.close()
	w.replay(topic("t", 1, 1, self)...)
	p := w.get("t", 0)
	await := func(epoch int32, offset int64) error {
		told := make(chan error, 2)
		p.AwaitFunc(epoch, offset, func(err error) { told <- err })
		return w.receive(told)
	}
	flush := func(epoch int32, offset int64) error {
		told := make(chan error, 2)
		p.AwaitFlush(epoch, offset, committedFunc(func(err error) { told <- err }), 0)
		return w.receive(told)
	}
	lead := func(broker int32) {
		w.replay(changed(1, func(r *wire.PartitionChangeRecord) {
			r.Replicas, r.Isr, r.Leader = []int32{self, 2}, []int32{broker}, broker
		}))
	}
	done := w.append(p, -1, "ours")
	if err := await(done.LeaderEpoch, done.NextOffset); err != nil {
		t.Fatal(err)
	}
	lead(self) // another epoch, and nobody else led: the append is as good as it was
	if err := errors.Join(await(done.LeaderEpoch, done.NextOffset), flush(done.LeaderEpoch, done.NextOffset)); err != nil || p.State().LeaderEpoch == done.LeaderEpoch {
		t.Fatal(p.State().LeaderEpoch, err)
	}
	lead(2)
	following := p.State().LeaderEpoch
	w.wantCode(await(done.LeaderEpoch, done.NextOffset), kafka.NotLeaderOrFollower)
	w.wantCode(await(done.LeaderEpoch, done.NextOffset+1), kafka.NotLeaderOrFollower)
	w.wantCode(flush(done.LeaderEpoch, done.NextOffset), kafka.NotLeaderOrFollower)
	if err := flush(following, done.NextOffset); err != nil {
		t.Fatal("of a follower's append: ", err)
	}
	lead(self)
	for _, epoch := range []int32{done.LeaderEpoch, following} {
		w.wantCode(await(epoch, done.NextOffset), kafka.NotLeaderOrFollower)
		w.wantCode(flush(epoch, done.NextOffset), kafka.NotLeaderOrFollower)
	}
	if err := await(p.State().LeaderEpoch, done.NextOffset); err != nil { // of a coordinator that has loaded the log
		t.Fatal(err)
	}
}

// Who waits for a follower's disk to have what is then truncated is told, and not of the records that come in its place.
func TestFlushesThatAreTruncatedAreTold(t *testing.T) {
	w := newWorld(t, vfs.NewMemory(), nil)
	defer w.close()
	w.replay(topic("t", 1, 1, 2, self)...)
	p := w.get("t", 0)
	epoch := p.State().LeaderEpoch
	fetched := batch(t, "a", "b")
	record.Batch(fetched).SetLeaderEpoch(epoch)
	if _, err := p.AppendFetched(Received{LeaderEpoch: epoch, Records: fetched}); err != nil {
		t.Fatal(err)
	}
	flush := func(offset int64) <-chan error {
		told := make(chan error, 2)
		p.AwaitFlush(epoch, offset, committedFunc(func(err error) { told <- err }), 0)
		return told
	}
	if err := w.receive(flush(2)); err != nil {
		t.Fatal(err)
	}
	later := flush(3)
	if _, err := p.TruncateFollower(epoch, 2, Divergence{Epoch: epoch, EndOffset: 2}); err != nil {
		t.Fatal(err)
	}
	w.wantCode(w.receive(later), kafka.NotLeaderOrFollower)
	later = flush(3)
	if err := p.RestartFollower(epoch, 10); err != nil {
		t.Fatal(err)
	}
	w.wantCode(w.receive(later), kafka.NotLeaderOrFollower)
}
