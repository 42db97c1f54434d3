package broker

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ottla/ottla/internal/vfs"
)

// workload writes through the API and remembers what was acknowledged: records by partition, commits of a group, topics.
type workload struct {
	t            testing.TB
	acknowledged [4]atomic.Int64 // records per partition, which hold 0, 1, 2, ...
	committed    atomic.Int64
	topics       atomic.Int64
	stop         context.CancelFunc
	ctx          context.Context
	clients      sync.WaitGroup
}

func startWorkload(t testing.TB, b *Broker) *workload {
	w := &workload{t: t}
	w.ctx, w.stop = context.WithCancel(t.Context())
	createTopic(t, b, "t", int32(len(w.acknowledged)))
	for p := range w.acknowledged {
		c := connect(t, b, kgo.DefaultProduceTopic("t"), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerLinger(0))
		w.clients.Go(func() { w.produce(c, p) })
	}
	admin := kadm.NewClient(connect(t, b))
	w.clients.Go(func() { w.commit(admin) })
	w.clients.Go(func() { w.create(admin) })
	return w
}

func (w *workload) produce(c *kgo.Client, partition int) {
	inFlight := make(chan struct{}, 20)
	for i := 0; w.ctx.Err() == nil; i++ {
		inFlight <- struct{}{}
		c.Produce(w.ctx, &kgo.Record{Partition: int32(partition), Value: []byte(strconv.Itoa(i))}, func(_ *kgo.Record, err error) {
			<-inFlight
			if err == nil {
				w.acknowledged[partition].Add(1)
			} else if w.ctx.Err() == nil {
				w.t.Errorf("partition %d, record %d: %v", partition, i, err)
				w.stop()
			}
		})
	}
}

func (w *workload) commit(admin *kadm.Client) {
	for i := int64(1); w.ctx.Err() == nil; i++ {
		offsets := kadm.Offsets{}
		offsets.AddOffset("t", 0, i, -1)
		answer, err := admin.CommitOffsets(w.ctx, "g", offsets)
		if err == nil {
			err = answer.Error()
		}
		if err == nil {
			w.committed.Store(i)
		} else if w.ctx.Err() == nil {
			w.t.Errorf("commit %d: %v", i, err)
			w.stop()
		}
	}
}

func (w *workload) create(admin *kadm.Client) {
	for i := int64(1); w.ctx.Err() == nil; i++ {
		if _, err := admin.CreateTopic(w.ctx, 1, 1, nil, fmt.Sprint("topic-", i)); err == nil {
			w.topics.Store(i)
		} else if w.ctx.Err() == nil {
			w.t.Errorf("topic %d: %v", i, err)
			w.stop()
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// promise is what had been acknowledged at one moment.
type promise struct {
	records           [4]int64
	committed, topics int64
	disk              *vfs.Memory
	loss              string
}

func (w *workload) promised() (p promise) {
	for i := range w.acknowledged {
		p.records[i] = w.acknowledged[i].Load()
	}
	p.committed, p.topics = w.committed.Load(), w.topics.Load()
	return p
}

// The power fails at random moments while clients write with acks=all, commit offsets and create topics: on the disk that
// is left a broker starts, and everything acknowledged is there, in order, once.
func TestAcknowledgedSurvivesCrashes(t *testing.T) {
	t.Parallel()
	disk := vfs.NewMemory()
	b := start(t, disk)
	w := startWorkload(t, b)
	eventually(t, "the workload is under way", func() bool {
		return w.acknowledged[0].Load() > 50 && w.committed.Load() > 5 && w.topics.Load() > 3 || t.Failed()
	})
	var crashes []promise
	for seed := range uint64(8) {
		time.Sleep(time.Duration(rand.IntN(60)) * time.Millisecond) // any moment will do
		before := w.promised()
		switch seed % 4 {
		case 0:
			before.disk, before.loss = disk.Crash(vfs.LoseUnsynced()), "all that was not synced is lost"
		case 1:
			before.disk, before.loss = disk.Crash(vfs.KeepUnsynced()), "the process alone ended"
		case 2:
			before.disk, before.loss = disk.Crash(vfs.KeepSome(seed, 0)), "some writes are lost"
		case 3:
			before.disk, before.loss = disk.Crash(vfs.KeepSome(seed, 512)), "writes are torn"
		}
		crashes = append(crashes, before)
	}
	w.stop()
	w.clients.Wait()
	stop(t, b)
	for i, crash := range crashes {
		t.Run(fmt.Sprint(i, " ", crash.loss), func(t *testing.T) { crash.check(t) })
	}
}

func (p *promise) check(t *testing.T) {
	b := start(t, p.disk)
	defer stop(t, b)
	admin := kadm.NewClient(connect(t, b))
	ends, err := admin.ListEndOffsets(t.Context(), "t")
	if err != nil {
		t.Fatal(err)
	}
	total := 0
	for partition, promised := range p.records {
		end, _ := ends.Lookup("t", int32(partition))
		if end.Offset < promised {
			t.Errorf("partition %d has %d records, %d were acknowledged", partition, end.Offset, promised)
		}
		total += int(end.Offset)
	}
	var next [4]int64
	for _, r := range consume(t, b, "t", total) {
		if want := next[r.Partition]; r.Offset != want || string(r.Value) != strconv.FormatInt(want, 10) {
			t.Fatalf("partition %d, offset %d: %q, want offset and value %d", r.Partition, r.Offset, r.Value, want)
		}
		next[r.Partition]++
	}
	var offsets kadm.OffsetResponses
	eventually(t, "the group's coordinator is loaded", func() bool {
		offsets, err = admin.FetchOffsets(t.Context(), "g")
		return err == nil
	})
	if got, _ := offsets.Lookup("t", 0); got.At < p.committed {
		t.Errorf("the group is at %d, %d was acknowledged", got.At, p.committed)
	}
	topics, err := admin.ListTopics(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for i := int64(1); i <= p.topics; i++ {
		if !topics.Has(fmt.Sprint("topic-", i)) {
			t.Errorf("topic-%d is gone", i)
		}
	}
	// And it goes on.
	if err := connect(t, b).ProduceSync(t.Context(), &kgo.Record{Topic: "t", Value: []byte("more")}).FirstErr(); err != nil {
		t.Error(err)
	}
	t.Logf("%v records, commit %d, %d topics promised; %v records found", p.records, p.committed, p.topics, next)
}
