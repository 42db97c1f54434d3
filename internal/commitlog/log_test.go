package commitlog

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/vfs"
)

func TestAppendAssignsOffsetsAndEpoch(t *testing.T) {
	b := open(t, vfs.NewMemory(), DefaultConfig())
	defer b.close()
	if a := b.append(1000, "a", "b"); a.BaseOffset != 0 || a.NextOffset != 2 || a.AppendTime != -1 {
		t.Fatalf("first append: %+v", a)
	}
	batch := batchOf(t, record.BatchOptions{AppendTime: 5000}, 5000, "c")
	if a := b.appendBatch(batch, AppendOptions{LeaderEpoch: 7, Now: testTime}); a.BaseOffset != 2 || a.AppendTime != 5000 {
		t.Fatalf("second append: %+v", a)
	}
	all := checkLog(t, b.log)
	if got := all[1].LeaderEpoch(); got != 7 {
		t.Fatalf("leader epoch in the batch is %d", got)
	}
	if epoch, end := b.log.EpochEnd(1); epoch != 1 || end != 2 {
		t.Fatalf("epoch 1 ends at %d (%d)", end, epoch)
	}
	if epoch, end := b.log.EpochEnd(5); epoch != 1 || end != 2 {
		t.Fatalf("epoch 5 is answered with %d, %d", epoch, end)
	}
	if epoch, end := b.log.EpochEnd(8); epoch != -1 || end != -1 {
		t.Fatalf("epoch 8 is answered with %d, %d", epoch, end)
	}
}

func TestAppendRefuses(t *testing.T) {
	b := open(t, vfs.NewMemory(), smallConfig())
	defer b.close()
	good := batchOf(t, record.BatchOptions{}, 0, "x")
	if _, err := b.log.Append(batchOf(t, record.BatchOptions{}, 0, strings.Repeat("x", 3000)), AppendOptions{}); !isCode(err, kafka.RecordListTooLarge) {
		t.Errorf("too large: %v", err)
	}
	if _, err := b.log.Append(good[:len(good)-1], AppendOptions{}); !isCode(err, kafka.CorruptMessage) {
		t.Errorf("cut short: %v", err)
	}
	if _, err := b.log.Append(nil, AppendOptions{}); !isCode(err, kafka.InvalidRecord) {
		t.Errorf("nothing: %v", err)
	}
	b.append(0, "a", "b", "c")
	if _, err := b.log.AppendReplica(good); !isCode(err, kafka.OffsetOutOfRange) {
		t.Errorf("replica's offset goes back: %v", err)
	}
	good.SetBaseOffset(10)
	bad := append([]byte(nil), good...)
	bad[len(bad)-1]++
	if _, err := b.log.AppendReplica(bad); !isCode(err, kafka.CorruptMessage) {
		t.Errorf("replica's CRC: %v", err)
	}
	if next, err := b.log.AppendReplica(good); err != nil || next != 11 {
		t.Errorf("replica with a gap: %d, %v", next, err)
	}
}

// TestReplicaBatchesFarApart: what is left of a compacted log may be too far apart for one segment, also within one fetch.
func TestReplicaBatchesFarApart(t *testing.T) {
	b := open(t, vfs.NewMemory(), DefaultConfig())
	var sent []byte
	offsets := []int64{0, 1, 1 << 33, 1<<33 + 1, 1 << 40}
	for _, offset := range offsets {
		batch := batchOf(t, record.BatchOptions{}, 0, "x")
		batch.SetBaseOffset(offset)
		sent = append(sent, batch...)
	}
	if next, err := b.log.AppendReplica(sent); err != nil || next != 1<<40+1 {
		t.Fatal(next, err)
	}
	for range 2 {
		var found []int64
		for _, batch := range readAll(t, b.log, 0, 1<<20) {
			found = append(found, batch.BaseOffset())
		}
		if !slices.Equal(found, offsets) || len(b.log.list()) != 3 {
			t.Errorf("offsets %v in %d segments, want %v in 3", found, len(b.log.list()), offsets)
		}
		b = b.reopen()
	}
	b.close()
}

func TestDuplicatesAndSequencesSurviveARestart(t *testing.T) {
	b := open(t, vfs.NewMemory(), smallConfig())
	produce := func(sequence int32) (Appended, error) {
		o := record.BatchOptions{Producer: &record.Producer{ID: 9, Sequence: sequence}}
		return b.log.Append(batchOf(t, o, testTime.UnixMilli(), "x", "y"), AppendOptions{Origin: record.Client, Now: testTime})
	}
	for _, sequence := range []int32{0, 2} {
		if _, err := produce(sequence); err != nil {
			t.Fatal(err)
		}
	}
	b = b.reopen()
	defer func() { b.close() }()
	for _, sequence := range []int32{0, 2} { // Kafka's snapshots keep the last batch only: to it the one before is out of order
		if a, err := produce(sequence); err != nil || !a.Duplicate || a.BaseOffset != int64(sequence) || a.NextOffset != int64(sequence)+2 {
			t.Fatalf("sequence %d again: %+v, %v", sequence, a, err)
		}
	}
	if _, err := produce(5); !isCode(err, kafka.OutOfOrderSequenceNumber) {
		t.Fatalf("a gap: %v", err)
	}
	if end := b.log.EndOffset(); end != 4 {
		t.Fatalf("log ends at %d", end)
	}
}

func TestFindHonoursLimits(t *testing.T) {
	b := open(t, vfs.NewMemory(), smallConfig())
	defer b.close()
	size := 0
	for range 10 {
		batch := batchOf(t, record.BatchOptions{}, 0, "0123456789", "b")
		size = len(batch)
		b.appendBatch(batch, AppendOptions{Now: testTime})
	}
	tests := []struct {
		offset     int64
		maxBytes   int
		below      int64
		atLeastOne bool
		base       int64
		batches    int
	}{
		{0, 1 << 20, 20, false, 0, 10},
		{3, 1 << 20, 20, false, 2, 9},
		{3, 1 << 20, 12, false, 2, 5},
		{3, 1 << 20, 13, false, 2, 5}, // below lies inside a batch
		{4, 2*size + 5, 20, false, 4, 2},
		{4, size - 1, 20, false, 0, 0},
		{4, size - 1, 20, true, 4, 1},
		{4, 1 << 20, 4, true, 0, 0},
		{20, 1 << 20, 20, true, 0, 0},
	}
	for _, x := range tests {
		span, err := b.log.Find(x.offset, x.maxBytes, x.below, x.atLeastOne)
		if err != nil || span.Size != x.batches*size || span.BaseOffset != x.base {
			t.Errorf("%+v: base %d, size %d (%d batches), %v", x, span.BaseOffset, span.Size, span.Size/size, err)
		}
		span.Release()
		span.Release()
	}
	for _, offset := range []int64{-1, 21} {
		if _, err := b.log.Find(offset, 1, 100, true); !isCode(err, kafka.OffsetOutOfRange) {
			t.Errorf("offset %d: %v", offset, err)
		}
	}
}

func TestRollRules(t *testing.T) {
	var c Config
	segments := func(configure func(), timestamps ...int64) int {
		c = DefaultConfig()
		configure()
		b := open(t, vfs.NewMemory(), c)
		defer b.close()
		for _, ts := range timestamps {
			b.append(ts, strings.Repeat("x", 100))
		}
		checkLog(t, b.log)
		return len(b.log.list())
	}
	if n := segments(func() { c.SegmentBytes = 400 }, 0, 0, 0, 0); n != 2 {
		t.Errorf("segment.bytes: %d segments", n)
	}
	if n := segments(func() { c.SegmentMs = 1000 }, 5000, 6000, 6001, 6500, 7002); n != 3 {
		t.Errorf("segment.ms: %d segments", n)
	}
	if n := segments(func() { c.SegmentMs = 1000 }, -1, -1); n != 1 {
		t.Errorf("segment.ms without timestamps on a clock that stands: %d segments", n)
	}
	if n := segments(func() { c.SegmentIndexBytes, c.IndexIntervalBytes = 16, 0 }, 1, 2, 3, 4); n < 2 {
		t.Errorf("full index: %d segments", n)
	}
}

func TestDeleteRecords(t *testing.T) {
	b := open(t, vfs.NewMemory(), smallConfig())
	for range 30 {
		b.append(testTime.UnixMilli(), strings.Repeat("x", 100), "y")
	}
	if err := b.log.AdvanceStart(11); !isCode(err, kafka.OffsetOutOfRange) {
		t.Fatalf("above the high watermark: %v", err)
	}
	b.log.SetHighWatermark(60)
	if err := b.log.AdvanceStart(31); err != nil {
		t.Fatal(err)
	}
	if _, err := b.log.Find(30, 1, 60, true); !isCode(err, kafka.OffsetOutOfRange) {
		t.Fatalf("below the start: %v", err)
	}
	before := b.log.Size()
	if err := b.dir.Sweep(testTime); err != nil {
		t.Fatal(err)
	}
	if b.log.Size() >= before || b.log.list()[0].base > 31 {
		t.Fatalf("sweep left %d of %d bytes, first segment %d", b.log.Size(), before, b.log.list()[0].base)
	}
	checkLog(t, b.log)
	b = b.reopen()
	if b.log.StartOffset() != 31 {
		t.Fatalf("after a restart the log starts at %d", b.log.StartOffset())
	}
	b.close()
}

func TestSpanOutlivesDeletion(t *testing.T) {
	c := smallConfig()
	disk := vfs.NewMemory()
	b := open(t, disk, c)
	defer b.close()
	for range 30 {
		b.append(testTime.UnixMilli(), strings.Repeat("x", 100))
	}
	span, err := b.log.Find(0, 1<<20, 30, true)
	if err != nil {
		t.Fatal(err)
	}
	b.log.SetHighWatermark(30)
	if err := errors.Join(b.log.AdvanceStart(30), b.dir.Sweep(testTime), b.dir.Sweep(testTime)); err != nil {
		t.Fatal(err)
	}
	gone(t, disk, b.log.Path(), offsetName(0)+logSuffix)
	raw := make([]byte, span.Size)
	if n, err := span.ReadAt(raw); err != nil || n != span.Size {
		t.Fatalf("read of a deleted segment: %d, %v", n, err)
	}
	span.Release()
}

func TestLastStableOffset(t *testing.T) {
	b := open(t, vfs.NewMemory(), smallConfig())
	defer b.close()
	txn := record.BatchOptions{Producer: &record.Producer{ID: 5}, Transactional: true}
	b.append(0, "before")
	b.appendBatch(batchOf(t, txn, 0, "in"), AppendOptions{Now: testTime})
	b.append(0, "after")
	b.log.SetHighWatermark(3)
	if got := b.log.LastStableOffset(); got != 1 {
		t.Fatalf("open transaction: last stable offset %d", got)
	}
	marker := record.EndTxnMarker{Timestamp: 1}.Batch(5, 0)
	b.appendBatch(marker, AppendOptions{Origin: record.Coordinator, Now: testTime})
	if got := b.log.LastStableOffset(); got != 1 {
		t.Fatalf("marker above the high watermark: last stable offset %d", got)
	}
	b.log.SetHighWatermark(4)
	if got := b.log.LastStableOffset(); got != 4 {
		t.Fatalf("ended: last stable offset %d", got)
	}
	aborted, err := b.log.AbortedTransactions(0, 4)
	if err != nil || len(aborted) != 1 || aborted[0] != (Aborted{5, 1, 3, 4}) {
		t.Fatalf("aborted: %v, %v", aborted, err)
	}
	b = b.reopen()
	if aborted, err := b.log.AbortedTransactions(0, 4); err != nil || len(aborted) != 1 {
		t.Fatalf("aborted after a restart: %v, %v", aborted, err)
	}
}

func TestTruncateFully(t *testing.T) {
	b := open(t, vfs.NewMemory(), smallConfig())
	for range 30 {
		b.append(testTime.UnixMilli(), "x")
	}
	if err := b.log.TruncateFully(100); err != nil {
		t.Fatal(err)
	}
	l := b.log
	if l.StartOffset() != 100 || l.EndOffset() != 100 || l.HighWatermark() != 100 || l.StableOffset() != 100 || l.Size() != 0 || l.LatestEpoch() != -1 {
		t.Fatalf("start %d end %d high %d stable %d size %d epoch %d", l.StartOffset(), l.EndOffset(), l.HighWatermark(), l.StableOffset(), l.Size(), l.LatestEpoch())
	}
	b.append(testTime.UnixMilli(), "y")
	b = b.reopen()
	if b.log.StartOffset() != 100 || b.log.EndOffset() != 101 {
		t.Fatalf("after a restart the log is [%d, %d)", b.log.StartOffset(), b.log.EndOffset())
	}
	checkLog(t, b.log)
	b.close()
}

// TestWithoutTimestamps: an empty time index is right then, and must not be rebuilt for ever.
func TestWithoutTimestamps(t *testing.T) {
	c := smallConfig()
	b := open(t, vfs.NewMemory(), c)
	for range 30 {
		b.append(-1, strings.Repeat("x", 100))
	}
	b = b.reopen()
	defer b.close()
	if _, _, _, found, err := b.log.MaxTimestamp(); found || err != nil {
		t.Fatalf("max timestamp: %v, %v", found, err)
	}
	if _, _, _, found, err := b.log.OffsetForTimestamp(0); found || err != nil {
		t.Fatalf("offset for timestamp: %v, %v", found, err)
	}
}

// TestTransactionIndexWithoutItsSegment: a crash may keep the name of a .txnindex and lose that of its .log. What it tells is
// not true of a segment that begins there again.
func TestTransactionIndexWithoutItsSegment(t *testing.T) {
	disk := vfs.NewMemory()
	b := open(t, disk, smallConfig())
	b.close()
	path := segmentStem(b.log.Path(), 0) + txnIndexSuffix
	if err := writeFile(disk, path, appendTxnEntry(nil, Aborted{ProducerID: 3, FirstOffset: 0, LastOffset: 2, LastStableOffset: 3}), true); err != nil {
		t.Fatal(err)
	}
	b = open(t, disk, smallConfig())
	for range 5 {
		b.append(0, "committed")
	}
	b = b.reopen()
	if aborted, err := b.log.AbortedTransactions(0, 5); err != nil || len(aborted) > 0 {
		t.Errorf("aborted transactions %v, %v", aborted, err)
	}
	b.close()
}
