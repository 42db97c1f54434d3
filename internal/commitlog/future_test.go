package commitlog

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/vfs"
)

const otherDir = "/other"

// copyAll appends what the future log lacks.
func copyAll(tb testing.TB, from, future *Log) {
	tb.Helper()
	for _, b := range readAll(tb, from, future.EndOffset(), 900) {
		if b.BaseOffset() < future.EndOffset() {
			continue
		}
		if _, err := future.AppendReplica(b); err != nil {
			tb.Fatal(err)
		}
	}
}

// withHistory has several segments, epochs, idempotent producers, an aborted and an open transaction.
func withHistory(b *testBench) {
	for i := range 30 {
		b.append(testTime.UnixMilli()+int64(i), strings.Repeat("x", 100+i))
	}
	producer := func(id int64, sequence int32, transactional bool) record.BatchOptions {
		return record.BatchOptions{Producer: &record.Producer{ID: id, Sequence: sequence}, Transactional: transactional}
	}
	put := func(o record.BatchOptions) {
		b.appendBatch(batchOf(b.tb, o, testTime.UnixMilli(), "value"), AppendOptions{LeaderEpoch: 3, Origin: record.Client, Now: testTime})
	}
	put(producer(1, 0, false))
	put(producer(2, 0, true))
	marker := record.EndTxnMarker{CoordinatorEpoch: 1, Timestamp: testTime.UnixMilli()}
	b.appendBatch(marker.Batch(2, 0), AppendOptions{LeaderEpoch: 3, Origin: record.Coordinator, Now: testTime})
	put(producer(3, 0, true))
}

func TestPromote(t *testing.T) {
	disk := vfs.NewMemory()
	b := open(t, disk, smallConfig())
	withHistory(b)
	if err := b.commit(); err != nil {
		t.Fatal(err)
	}
	b.log.SetHighWatermark(b.log.EndOffset())
	b.log.BeginEpoch(9, b.log.EndOffset()) // an epoch without records
	other, err := Open(disk, otherDir, testOptions(smallConfig()))
	if err != nil {
		t.Fatal(err)
	}
	future, err := other.CreateFuture(testPartition, kafka.UUID{7}, 0, smallConfig())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.Promote(testPartition, b.log); !isCode(err, kafka.InvalidRequest) || other.Future(testPartition) == nil {
		t.Errorf("an incomplete copy: %v", err)
	}
	copyAll(t, b.log, future)
	want := readAll(t, b.log, 0, 1000)
	producers := b.log.Producers()
	l, err := other.Promote(testPartition, b.log)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.dir.Delete(testPartition); err != nil {
		t.Fatal(err)
	}
	same := func(l *Log, epoch int32) {
		t.Helper()
		if diff := cmp.Diff(want, checkLog(t, l)); diff != "" {
			t.Errorf("batches (-before +after):\n%s", diff)
		}
		if diff := cmp.Diff(producers, l.Producers()); diff != "" {
			t.Errorf("producers (-before +after):\n%s", diff)
		}
		if l.LatestEpoch() != epoch || l.TopicID() != (kafka.UUID{7}) || l.StableOffset() != l.EndOffset() || l.HighWatermark() != l.EndOffset() {
			t.Errorf("epoch %d, topic %s, stable %d, high watermark %d of %d", l.LatestEpoch(), l.TopicID(), l.StableOffset(), l.HighWatermark(), l.EndOffset())
		}
		if l.LastStableOffset() != want[len(want)-1].BaseOffset() {
			t.Errorf("the open transaction is forgotten: last stable offset %d", l.LastStableOffset())
		}
	}
	same(l, 9)
	if other.Count() != 1 || b.dir.Count() != 0 || len(other.Futures()) != 0 {
		t.Errorf("%d and %d logs, %d copies", b.dir.Count(), other.Count(), len(other.Futures()))
	}
	for _, clean := range []bool{true, false} {
		after := disk
		if clean {
			b.close()
			if err := other.Close(); err != nil {
				t.Fatal(err)
			}
		} else {
			after = disk.Crash(vfs.LoseUnsynced())
		}
		if other, err = Open(after, otherDir, testOptions(smallConfig())); err != nil {
			t.Fatal(err)
		}
		same(other.Log(testPartition), 3)
	}
}

// A copy of a compacted log is as clean as that, as far as it was made of nothing older, and the checkpoint says so.
func TestPromoteKeepsTheCleanersOffset(t *testing.T) {
	for _, between := range []bool{false, true} {
		disk := vfs.NewMemory()
		b := open(t, disk, compactConfig())
		defer func() { b.close() }()
		for range 30 {
			b.put("key", strings.Repeat("x", 100))
		}
		b.settle()
		if err := b.dir.writeRecoveryPoints(); err != nil {
			t.Fatal(err)
		}
		b.mustCompact(testTime)
		clean := b.log.cleaned.Load()
		other, err := Open(disk, otherDir, testOptions(compactConfig()))
		if err != nil {
			t.Fatal(err)
		}
		future, err := other.CreateFuture(testPartition, kafka.UUID{7}, 0, compactConfig())
		if err != nil {
			t.Fatal(err)
		}
		release := b.log.HoldCompaction(future)
		copyAll(t, b.log, future)
		if between { // the move is interrupted, and the log compacted meanwhile
			release()
			for range 30 {
				b.put("key", strings.Repeat("x", 100))
			}
			b.settle()
			if err := b.dir.writeRecoveryPoints(); err != nil {
				t.Fatal(err)
			}
			b.mustCompact(testTime)
			release = b.log.HoldCompaction(future)
			copyAll(t, b.log, future)
		}
		defer release()
		l, err := other.Promote(testPartition, b.log)
		if err != nil {
			t.Fatal(err)
		}
		if between {
			clean = 0
		}
		if got := l.cleaned.Load(); got != clean || (clean == 0) != between {
			t.Errorf("compacted between: %v: the copy is clean up to %d, want %d", between, got, clean)
		}
		if err := errors.Join(b.dir.Delete(testPartition), other.Close()); err != nil {
			t.Fatal(err)
		}
		offsets, err := readOffsetCheckpoint(disk, filepath.Join(otherDir, cleanerOffsetFile))
		if offsets[testPartition] != clean || err != nil {
			t.Errorf("the checkpoint says %d, want %d; %v", offsets[testPartition], clean, err)
		}
	}
}

// A log that begins late keeps its start through a move, whatever the power failure leaves.
func TestPromoteKeepsTheStart(t *testing.T) {
	disk := vfs.NewMemory()
	b := open(t, disk, smallConfig())
	for range 40 {
		b.append(testTime.UnixMilli(), strings.Repeat("x", 100))
	}
	if err := b.commit(); err != nil {
		t.Fatal(err)
	}
	b.log.SetHighWatermark(40)
	if err := b.log.AdvanceStart(33); err != nil {
		t.Fatal(err)
	}
	rarely := testOptions(smallConfig())
	rarely.CheckpointInterval = time.Hour
	other, err := Open(disk, otherDir, rarely)
	if err != nil {
		t.Fatal(err)
	}
	future, err := other.CreateFuture(testPartition, kafka.UUID{7}, 33, smallConfig())
	if err != nil {
		t.Fatal(err)
	}
	copyAll(t, b.log, future)
	if _, err := other.Promote(testPartition, b.log); err != nil {
		t.Fatal(err)
	}
	if other, err = Open(disk.Crash(vfs.LoseUnsynced()), otherDir, testOptions(smallConfig())); err != nil {
		t.Fatal(err)
	}
	if l := other.Log(testPartition); l.StartOffset() != 33 || l.EndOffset() != 40 {
		t.Errorf("offsets %d to %d", l.StartOffset(), l.EndOffset())
	}
}

// A copy survives a restart as far as it was synced, and goes when it is given up; leftovers go at the start.
func TestFuturesAreLoadedAndDeleted(t *testing.T) {
	disk := vfs.NewMemory()
	d, err := Open(disk, otherDir, testOptions(smallConfig()))
	if err != nil {
		t.Fatal(err)
	}
	future, err := d.CreateFuture(testPartition, kafka.UUID{7}, 0, smallConfig())
	if err != nil {
		t.Fatal(err)
	}
	for i := range 20 {
		batch := batchOf(t, record.BatchOptions{}, testTime.UnixMilli(), strings.Repeat("y", 200))
		batch.SetBaseOffset(int64(i))
		if _, err := future.AppendReplica(batch); err != nil {
			t.Fatal(err)
		}
		if i == 14 {
			if err := future.Sync(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if future.StableOffset() != 15 {
		t.Errorf("stable to %d: the flusher is not to sync it", future.StableOffset())
	}
	disk = disk.Crash(vfs.LoseUnsynced())
	if err := disk.MkdirAll(otherDir+"/orders-3.00000000000000000000000000000000-future", 0o755); err != nil {
		t.Fatal(err)
	}
	if d, err = Open(disk, otherDir, testOptions(smallConfig())); err != nil {
		t.Fatal(err)
	}
	if future = d.Future(testPartition); future == nil || len(d.Logs()) != 0 || d.Count() != 1 {
		t.Fatalf("future %v, %d logs", future, len(d.Logs()))
	}
	if err := d.DeleteFuture(testPartition); err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if left := names(t, disk, otherDir); slices.ContainsFunc(left, func(n string) bool { return strings.HasSuffix(n, futureFolderSuffix) }) {
		t.Errorf("left is %q", left)
	}
}

func TestFutureFolderNames(t *testing.T) {
	for name, want := range map[string]string{
		"a-b.c-7.0123456789abcdef0123456789abcdef-future": "a-b.c-7",
		"t-0-future": "", "t-0.1-delete": "", "t.1-future": "",
	} {
		tp, ok := parseFutureFolder(name)
		if ok != (want != "") || ok && tp.String() != want {
			t.Errorf("%s: %s, %v", name, tp, ok)
		}
	}
	if FutureFolderFits(kafka.TopicPartition{Topic: strings.Repeat("t", 249)}) || !FutureFolderFits(kafka.TopicPartition{Topic: strings.Repeat("t", 213)}) {
		t.Error("folders have names of at most 255 bytes")
	}
}
