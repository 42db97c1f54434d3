package partition

import (
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/vfs"
	"github.com/ottla/ottla/internal/wire"
)

// The promise of acks=all: no word before the bytes are on stable storage, and after it a power failure takes nothing.
func TestAcksAllWaitsForStableStorage(t *testing.T) {
	disk := vfs.NewMemory()
	g := newGate(disk)
	w := newWorld(t, g, nil)
	w.replay(topic("t", 1, 1, self)...)
	p := w.get("t", 0)
	g.shut()
	first := w.append(p, -1, "a", "b")
	told := w.await(p, first.NextOffset)
	second := w.append(p, 1, "c")
	if first.BaseOffset != 0 || first.NextOffset != 2 || second.BaseOffset != 2 {
		t.Errorf("appended at %+v and %+v", first, second)
	}
	if hw := p.Log().HighWatermark(); hw != 0 {
		t.Errorf("high watermark %d before the sync", hw)
	}
	if got := w.values(p); got != nil {
		t.Errorf("a consumer sees %q before the sync", got)
	}
	w.silent(told)
	g.reopen()
	if err := w.receive(told); err != nil {
		t.Fatal(err)
	}
	again := newWorld(t, disk.Crash(vfs.LoseUnsynced()), w.image)
	if got := again.values(again.get("t", 0)); !slices.Equal(got[:2], []string{"a", "b"}) {
		t.Errorf("after a power failure: %q", got)
	}
	w.close()
	again.close()
}

// Consumers that wait have acks=1 and acks=0 made stable at once; nobody waiting, within 100 ms.
func TestAcksOneBecomesVisible(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, vfs.NewMemory(), nil)
		defer w.close()
		w.replay(topic("t", 1, 1, self)...)
		p := w.get("t", 0)
		w.append(p, 1, "a")
		time.Sleep(100 * time.Millisecond)
		synctest.Wait()
		if hw := p.Log().HighWatermark(); hw != 1 {
			t.Errorf("high watermark %d, 100 ms after a record that nobody asked for", hw)
		}
		watcher := newCountingWatcher()
		p.Watch(watcher)
		start := time.Now()
		w.append(p, 0, "b")
		<-watcher.changed
		if p.Log().HighWatermark() != 2 {
			t.Error("told of a change before the high watermark moved")
		}
		p.Unwatch(watcher)
		if took := time.Since(start); took > 0 {
			t.Errorf("with a waiting consumer it took %v", took)
		}
	})
}

// A consumer that comes just after an acks=1 append does not wait for the lazy flush either.
func TestWatchAsksForWhatLiesUnsynced(t *testing.T) {
	w := newWorld(t, vfs.NewMemory(), nil)
	defer w.close()
	w.replay(topic("t", 1, 1, self)...)
	p := w.get("t", 0)
	for range 20 {
		before := p.Log().HighWatermark()
		done := w.append(p, 1, "a")
		watcher := newCountingWatcher()
		p.Watch(watcher)
		if p.Log().HighWatermark() == before {
			<-watcher.changed
		}
		p.Unwatch(watcher)
		if hw := p.Log().HighWatermark(); hw != done.NextOffset {
			t.Fatalf("high watermark %d, want %d", hw, done.NextOffset)
		}
	}
}

type countingWatcher struct{ changed chan struct{} }

func newCountingWatcher() *countingWatcher { return &countingWatcher{make(chan struct{}, 1000)} }
func (w *countingWatcher) Changed() {
	select {
	case w.changed <- struct{}{}:
	default:
	}
}

func TestSettleCommitsWhatWasAppended(t *testing.T) {
	w := newWorld(t, vfs.NewMemory(), nil)
	defer w.close()
	w.replay(topic("t", 1, 1, self)...)
	p := w.get("t", 0)
	for i := range int64(20) {
		w.append(p, 1, "a")
		told := make(chan error, 1)
		p.Settle(func(err error) { told <- err })
		if err := w.receive(told); err != nil {
			t.Fatal(err)
		}
		if o, err := p.OffsetFor(LatestTimestamp, false, AnyEpoch); err != nil || o.Offset != i+1 {
			t.Fatalf("latest %+v, %v after append %d", o, err, i)
		}
	}
	// Settle does not wait for followers.
	w.replay(changed(1, func(r *wire.PartitionChangeRecord) { r.Replicas, r.Isr = []int32{self, 2}, []int32{self, 2} }))
	w.append(p, 1, "b")
	told := make(chan error, 1)
	p.Settle(func(err error) { told <- err })
	if err := w.receive(told); err != nil {
		t.Fatal(err)
	}
	if hw := p.Log().HighWatermark(); hw != 20 {
		t.Errorf("high watermark %d passed what the in-sync follower has", hw)
	}
}

// With write.caching=true the page cache counts, as in Kafka: nothing waits for a sync.
func TestWriteCachingAnswersWithoutSync(t *testing.T) {
	g := newGate(vfs.NewMemory())
	w := newWorld(t, g, nil)
	w.replay(append(topic("t", 1, 1, self), setting("t", "write.caching", "true"))...)
	p := w.get("t", 0)
	g.shut()
	for _, acks := range []int16{-1, 1, 0} {
		done := w.append(p, acks, "a")
		if err := w.receive(w.await(p, done.NextOffset)); err != nil {
			t.Fatal(err)
		}
		if hw := p.Log().HighWatermark(); hw != done.NextOffset {
			t.Errorf("acks=%d: high watermark %d after the append, want %d", acks, hw, done.NextOffset)
		}
	}
	watcher := newCountingWatcher()
	p.Watch(watcher)
	w.append(p, 1, "b")
	<-watcher.changed
	p.Unwatch(watcher)

	// Turned off, the next acks=all waits again.
	w.replay(setting("t", "write.caching", "false"))
	told := w.await(p, w.append(p, -1, "c").NextOffset)
	w.silent(told)
	g.reopen()
	if err := w.receive(told); err != nil {
		t.Fatal(err)
	}
	w.close()
}

// A failed fsync: whoever waits, and whoever comes, gets KAFKA_STORAGE_ERROR; nobody is told that it worked.
func TestFailedSyncIsToldToEverybody(t *testing.T) {
	for _, rule := range []vfs.Rule{
		{Op: vfs.OpSync, Path: "*.log", Err: errors.New("bad sector")},
		{Op: vfs.OpWrite, Path: "*.log", From: 30, Err: errors.New("bad sector")},
		{Op: vfs.OpSyncDir, Err: errors.New("bad sector")},
	} {
		faulty := vfs.Faulty(vfs.NewMemory())
		g := newGate(faulty)
		w := newWorld(t, g, nil)
		w.replay(append(topic("a", 1, 1, self), topic("b", 2, 1, self)...)...)
		a, b := w.get("a", 0), w.get("b", 0)
		if err := w.receive(w.await(b, w.append(b, -1, "before").NextOffset)); err != nil {
			t.Fatal(err)
		}
		watcher := newCountingWatcher()
		a.Watch(watcher) // before the failure, of which watchers are told once
		g.shut()
		faulty.Add(rule)
		var waiting []<-chan error
		var failed error
		for range 20 {
			for _, p := range []*Partition{a, b} {
				var done Appended
				if done, failed = p.Append(Append{Records: batch(t, "x"), Acks: -1, ProduceVersion: 12, Now: time.Now()}); failed == nil {
					waiting = append(waiting, w.await(p, done.NextOffset))
				}
			}
		}
		g.reopen()
		for _, told := range waiting {
			w.wantCode(w.receive(told), kafka.KafkaStorageError)
			w.silent(told)
		}
		if len(waiting) == 0 {
			t.Fatal("nothing was appended before the failure")
		}
		<-watcher.changed
		// The partition that had nothing pending goes offline with its directory.
		eventually(t, "the directory's partitions are offline", func() bool { return a.Gone() != nil && b.Gone() != nil })
		for _, p := range []*Partition{a, b} {
			_, err := p.Append(Append{Records: batch(t, "x"), Acks: 1, ProduceVersion: 12, Now: time.Now()})
			w.wantCode(err, kafka.KafkaStorageError)
			_, err = p.Read(Read{LeaderEpoch: AnyEpoch, LastFetchedEpoch: AnyEpoch, MaxBytes: 1})
			w.wantCode(err, kafka.KafkaStorageError)
			_, err = p.OffsetFor(LatestTimestamp, false, AnyEpoch)
			w.wantCode(err, kafka.KafkaStorageError)
			w.wantCode(w.receive(w.await(p, 100)), kafka.KafkaStorageError)
			_, err = p.CoordinatorLog(0).Append(batch(t, "x"))
			w.wantCode(err, kafka.KafkaStorageError)
			_, err = p.DeleteBefore(0)
			w.wantCode(err, kafka.KafkaStorageError)
		}
		// New partitions cannot be made.
		w.replay(topic("c", 3, 1, self)...)
		_, err := w.set.Get("c", 0)
		w.wantCode(err, kafka.KafkaStorageError)
		w.dirs[0].Close()
	}
}

// A partition keeps serving when another log directory fails, and new ones go to what is left.
func TestOtherDirectoriesServeOn(t *testing.T) {
	disk := vfs.NewMemory()
	faulty := vfs.Faulty(disk)
	w := newWorld(t, faulty, nil, "/one", "/two")
	w.replay(topic("t", 1, 4, self)...)
	if one, two := w.dirs[0].Count(), w.dirs[1].Count(); one != 2 || two != 2 {
		t.Fatalf("partitions per directory: %d and %d", one, two)
	}
	victim, other := w.get("t", 0), w.get("t", 1)
	if victim.Dir() == other.Dir() {
		t.Fatal("both in one directory")
	}
	faulty.Add(vfs.Rule{Op: vfs.OpSync, Path: "*.log", Times: 1, Err: errors.New("bad sector")})
	w.wantCode(w.receive(w.await(victim, w.append(victim, -1, "x").NextOffset)), kafka.KafkaStorageError)
	if err := w.receive(w.await(other, w.append(other, -1, "y").NextOffset)); err != nil {
		t.Fatal(err)
	}
	w.replay(topic("u", 2, 2, self)...)
	for p := range w.set.of("u") {
		if p.Dir() != other.Dir() {
			t.Errorf("%s was made in the failed directory", p.Name())
		}
	}
	for _, dir := range w.dirs {
		dir.Close()
	}
}

func TestMinInsyncReplicas(t *testing.T) {
	w := newWorld(t, vfs.NewMemory(), nil)
	defer w.close()
	w.replay(append(topic("t", 1, 1, self), setting("t", "min.insync.replicas", "2"))...)
	p := w.get("t", 0)
	// There is one replica, so one is enough (Kafka's effective min ISR).
	if err := w.receive(w.await(p, w.append(p, -1, "a").NextOffset)); err != nil || p.EnoughReplicas() != nil {
		t.Fatal(err, p.EnoughReplicas())
	}
	w.replay(changed(1, func(r *wire.PartitionChangeRecord) { r.Replicas = []int32{self, 2} }))
	_, err := p.Append(Append{Records: batch(t, "b"), Acks: -1, ProduceVersion: 12, Now: time.Now()})
	w.wantCode(err, kafka.NotEnoughReplicas)
	w.wantCode(p.EnoughReplicas(), kafka.NotEnoughReplicasAfterAppend)
	w.append(p, 1, "c") // acks=1 does not ask for it
	if _, err := p.CoordinatorLog(p.State().LeaderEpoch).Append(batch(t, "d")); err != nil {
		t.Error("a group coordinator: ", err)
	}
	_, err = p.CoordinatorLog(p.State().LeaderEpoch).AllAcks().Append(batch(t, "e"))
	w.wantCode(err, kafka.NotEnoughReplicas)
	_, err = p.AppendMarker(record.EndTxnMarker{Commit: true}, 1, 0, 1)
	w.wantCode(err, kafka.NotEnoughReplicas)
	if end := p.Log().EndOffset(); end != 3 {
		t.Errorf("the log ends at %d; what was refused is in it", end)
	}
}

// flush.messages has acks=1 wait too, for this broker's disk and not for followers, and acks=all with write.caching.
func TestFlushMessagesIsOnDiskBeforeTheAnswer(t *testing.T) {
	for _, caching := range []string{"false", "true"} {
		disk := vfs.NewMemory()
		g := newGate(disk)
		w := newWorld(t, g, nil)
		w.replay(append(topic("t", 1, 1, self), setting("t", "flush.messages", "3"), setting("t", "write.caching", caching))...)
		p := w.get("t", 0)
		g.shut()
		if done := w.append(p, 1, "a", "b"); done.FlushDue {
			t.Error("a flush is due after 2 records of 3")
		}
		done := w.append(p, 1, "c")
		if !done.FlushDue {
			t.Error("no flush is due after 3 records")
		}
		alone := make(chan error, 2)
		p.AwaitFlush(done.LeaderEpoch, done.NextOffset, committedFunc(func(err error) { alone <- err }), 0)
		all := w.await(p, done.NextOffset)
		// Before the flush a follower joins, which has nothing yet.
		w.replay(changed(1, func(r *wire.PartitionChangeRecord) { r.Replicas, r.Isr = []int32{self, 2}, []int32{self, 2} }))
		w.silent(alone)
		w.silent(all)
		g.reopen()
		if err := w.receive(alone); err != nil {
			t.Error(err)
		}
		w.silent(all)
		late := make(chan error, 2)
		p.AwaitFlush(done.LeaderEpoch, done.NextOffset, committedFunc(func(err error) { late <- err }), 0)
		if err := w.receive(late); err != nil {
			t.Error(err)
		}
		after := newWorld(t, disk.Crash(vfs.LoseUnsynced()), w.image)
		if end := after.get("t", 0).Log().EndOffset(); end != 3 {
			t.Errorf("write.caching=%s: %d records after a power failure, 3 were flushed", caching, end)
		}
		after.close()

		// One that gives up is forgotten; the others are told when the partition goes.
		g.shut()
		done = w.append(p, 1, "d", "e", "f")
		forgotten := &waiter{t: t, p: p, next: done.NextOffset, group: new(sync.WaitGroup)}
		p.AwaitFlush(done.LeaderEpoch, done.NextOffset, forgotten, 1)
		if !p.Abandon(forgotten, 1) || p.Abandon(forgotten, 1) {
			t.Error("abandoned not once")
		}
		p.AwaitFlush(done.LeaderEpoch, done.NextOffset, committedFunc(func(err error) { alone <- err }), 0)
		p.end(errDeleted(p.Name()))
		w.wantCode(w.receive(alone), kafka.UnknownTopicOrPartition)
		g.reopen()
		w.close()
	}
}
