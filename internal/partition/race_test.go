package partition

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/vfs"
	"github.com/ottla/ottla/internal/wire"
)

// waiter is told once, or abandoned.
type waiter struct {
	t     testing.TB
	p     *Partition
	next  int64
	told  atomic.Int32
	group *sync.WaitGroup
}

func (w *waiter) Committed(_ int, err error) {
	if w.told.Add(1) != 1 {
		w.t.Error("told twice")
	}
	if err == nil && w.p.Log().StableOffset() < w.next {
		w.t.Error("told of success before the records were stable")
	}
	w.group.Done()
}

// Appends, waiters that give up, watchers, changing leaders and settings, and at last a deletion, all at once: everybody is
// told exactly once, the high watermark never goes back, and leader epochs in the log never do.
func TestEverybodyIsToldOnce(t *testing.T) {
	w := newWorld(t, vfs.NewMemory(), nil)
	defer w.close()
	w.replay(append(topic("t", 1, 1, self), setting("t", "write.caching", "false"))...)
	p := w.get("t", 0)
	var waiters, clients sync.WaitGroup
	var appended atomic.Int64
	stop := make(chan struct{})
	stopped := func() bool {
		select {
		case <-stop:
			return true
		default:
			return false
		}
	}
	for range 4 {
		clients.Go(func() {
			for !stopped() && appended.Load() < 20000 {
				done, err := p.Append(Append{Records: batch(t, "x"), Acks: int16(rand.IntN(2)*2 - 1), ProduceVersion: 12, Now: time.Now()})
				if err != nil {
					continue
				}
				appended.Add(1)
				one := &waiter{t: t, p: p, next: done.NextOffset, group: &waiters}
				waiters.Add(1)
				p.Log().Commit(done.NextOffset)
				p.Await(done.LeaderEpoch, done.NextOffset, one, 7)
				if rand.IntN(4) == 0 && p.Abandon(one, 7) {
					one.Committed(7, kafka.RequestTimedOut)
				}
			}
		})
	}
	clients.Go(func() {
		for hw := int64(0); !stopped(); {
			next := p.Log().HighWatermark()
			if next < hw {
				t.Errorf("the high watermark went from %d back to %d", hw, next)
			}
			hw = next
			time.Sleep(10 * time.Microsecond)
		}
	})
	clients.Go(func() {
		for !stopped() {
			watcher := newCountingWatcher()
			p.Watch(watcher)
			<-watcher.changed
			p.Unwatch(watcher)
		}
	})
	for i := range 100 {
		switch i % 5 {
		case 0:
			w.replay(changed(1, func(r *wire.PartitionChangeRecord) { r.Leader = 2 }))
			w.replay(changed(1, func(r *wire.PartitionChangeRecord) { r.Leader = self }))
		case 1:
			w.replay(changed(1, func(r *wire.PartitionChangeRecord) { r.Leader = self }))
		case 2:
			w.replay(setting("t", "write.caching", fmt.Sprint(i%2 == 0)))
		default:
			time.Sleep(time.Millisecond)
		}
	}
	checkEpochs(t, p)
	w.replay(&wire.RemoveTopicRecord{TopicID: kafka.UUID{1}})
	close(stop)
	p.Nudge() // for the watcher that came after the last change
	done := make(chan struct{})
	go func() {
		for {
			select {
			case <-done:
				return
			default:
				p.Nudge()
			}
		}
	}()
	clients.Wait()
	waiters.Wait()
	close(done)
	if appended.Load() == 0 {
		t.Error("nothing was appended")
	}
}

func checkEpochs(t *testing.T, p *Partition) {
	t.Helper()
	epoch, n := int32(-1), 0
	l := &CoordinatorLog{partition: p}
	if err := l.Load(func(b record.Batch) error {
		if b.LeaderEpoch() < epoch {
			t.Errorf("offset %d has epoch %d after epoch %d", b.BaseOffset(), b.LeaderEpoch(), epoch)
		}
		epoch = b.LeaderEpoch()
		if at := p.Log().EpochAt(b.BaseOffset()); at != epoch {
			t.Errorf("offset %d has epoch %d, the epoch cache says %d", b.BaseOffset(), epoch, at)
		}
		n++
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if n == 0 {
		t.Error("nothing was appended before the check")
	}
}
