package commitlog

import (
	"errors"
	"fmt"
	"math"
	"os"
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

// compactConfig makes small segments that are compacted as soon as anything is dirty.
func compactConfig() Config {
	c := smallConfig()
	c.CleanupDelete, c.CleanupCompact = false, true
	c.MinCleanableRatio = 0
	return c
}

func testLimits() compactionLimits {
	return compactionLimits{keyBytes: 1 << 20, loadFactor: 0.9, bufferBytes: 500, pace: func(int) error { return nil }}
}

// compact compacts the log once, if that is due; ran is false if not.
func (b *testBench) compact(now time.Time, limits compactionLimits) (result compactionResult, ran bool, err error) {
	b.tb.Helper()
	k, err := b.log.beginCompaction(now, limits)
	if err != nil || k == nil {
		return compactionResult{}, false, err
	}
	result, err = k.run()
	return result, true, err
}

func (b *testBench) mustCompact(now time.Time) compactionResult {
	b.tb.Helper()
	result, ran, err := b.compact(now, testLimits())
	if err != nil || !ran {
		b.tb.Fatalf("compaction: ran %v, %v", ran, err)
	}
	return result
}

// settle makes all that was appended fit to be compacted.
func (b *testBench) settle() {
	b.tb.Helper()
	if err := b.commit(); err != nil {
		b.tb.Fatal(err)
	}
	b.log.SetHighWatermark(b.log.EndOffset())
}

// roll begins a new segment.
func (b *testBench) roll() {
	b.tb.Helper()
	b.log.mu.Lock()
	defer b.log.mu.Unlock()
	c := b.log.Config()
	if err := b.log.roll(&c, b.log.EndOffset(), testTime); err != nil {
		b.tb.Fatal(err)
	}
}

// put appends one record; no value makes a tombstone.
func (b *testBench) put(key string, value ...string) int64 {
	b.tb.Helper()
	builder := record.NewBuilder(record.BatchOptions{})
	var v []byte
	if len(value) > 0 {
		v = []byte(value[0])
	}
	builder.Add(testTime.UnixMilli(), []byte(key), v)
	batch, err := builder.Build()
	if err != nil {
		b.tb.Fatal(err)
	}
	return b.appendBatch(batch, AppendOptions{LeaderEpoch: 1, Now: testTime}).BaseOffset
}

// contents writes the log's records as "offset key=value", tombstones without "=", empty batches as "base-last".
func contents(tb testing.TB, l *Log) string {
	tb.Helper()
	var words []string
	for _, b := range readAll(tb, l, l.StartOffset(), math.MaxInt32) {
		if b.Count() == 0 {
			words = append(words, fmt.Sprintf("%d-%d", b.BaseOffset(), b.LastOffset()))
		}
		for r, err := range b.Records(0) {
			switch {
			case err != nil:
				tb.Fatal(err)
			case b.Attributes().Control():
				kind, _ := record.ParseControlKey(r.Key)
				words = append(words, fmt.Sprintf("%d %s", r.Offset, kind))
			case r.Value == nil:
				words = append(words, fmt.Sprintf("%d %s", r.Offset, r.Key))
			default:
				words = append(words, fmt.Sprintf("%d %s=%s", r.Offset, r.Key, r.Value))
			}
		}
	}
	return strings.Join(words, ", ")
}

func (b *testBench) wantContents(want string) {
	b.tb.Helper()
	if diff := cmp.Diff(want, contents(b.tb, b.log)); diff != "" {
		b.tb.Fatalf("log (-want +got):\n%s", diff)
	}
}

func TestCompactionKeepsTheNewestOfEachKey(t *testing.T) {
	b := open(t, vfs.NewMemory(), compactConfig())
	for i := range 3 {
		b.put("a", fmt.Sprint("a", i))
		b.put("b", fmt.Sprint("b", i))
		b.roll()
	}
	b.put("a", "in the active segment")
	b.settle()
	result := b.mustCompact(testTime)
	if result.first != 0 || result.end != 6 || result.keys != 2 || result.after >= result.before {
		t.Errorf("result %+v", result)
	}
	want := "4 a=a2, 5 b=b2, 6 a=in the active segment"
	b.wantContents(want)
	if _, ran, err := b.compact(testTime, testLimits()); ran || err != nil {
		t.Errorf("a clean log was compacted again: %v", err)
	}
	if size := b.log.Size(); size != totalSize(b.log) {
		t.Errorf("size %d, segments have %d", size, totalSize(b.log))
	}
	if n := len(b.log.list()); n != 2 {
		t.Errorf("%d segments, want the small ones in one and the active one", n)
	}
	checkpoint, err := readOffsetCheckpoint(b.fsys, filepath.Join(testDir, cleanerOffsetFile))
	if err != nil || len(checkpoint) != 1 || checkpoint[testPartition] != 6 {
		t.Errorf("checkpoint %v, %v", checkpoint, err)
	}
	b = b.reopen()
	b.wantContents(want)
	if _, ran, _ := b.compact(testTime, testLimits()); ran {
		t.Error("the checkpoint was not read")
	}
	if left := names(t, b.fsys, b.log.path); slices.ContainsFunc(left, func(n string) bool {
		return strings.HasSuffix(n, cleanedSuffix) || strings.HasSuffix(n, swapSuffix)
	}) {
		t.Errorf("files %v", left)
	}
	b.close()
}

func totalSize(l *Log) (n int64) {
	for _, s := range l.list() {
		n += s.size()
	}
	return n
}

// A tombstone stays for delete.retention.ms after the first compaction that meets it, which its batch says.
func TestCompactionKeepsTombstonesForAWhile(t *testing.T) {
	c := compactConfig()
	c.DeleteRetentionMs = 1000
	b := open(t, vfs.NewMemory(), c)
	b.put("a", "1")
	b.put("a")
	b.put("b", "1")
	b.roll()
	b.put("x", "1")
	b.settle()
	b.mustCompact(testTime)
	b.wantContents("1 a, 2 b=1, 3 x=1")
	batch := readAll(t, b.log, 0, 1000)[0]
	if horizon, ok := batch.DeleteHorizon(); !ok || horizon != testTime.UnixMilli()+1000 {
		t.Errorf("delete horizon %d, %v", horizon, ok)
	}
	if r := firstRecord(t, batch); r.Timestamp != testTime.UnixMilli() {
		t.Errorf("the tombstone's time became %d", r.Timestamp)
	}
	for i, want := range []string{"1 a, 2 b=1, 3 x=1, 4 x=2", "2 b=1, 4 x=2, 5 x=2"} {
		b.put("x", "2")
		b.roll()
		b.settle()
		b.mustCompact(testTime.Add(time.Duration(999+i) * time.Millisecond))
		if i == 0 {
			want = strings.Replace(want, "3 x=1, ", "", 1)
		} else {
			want = strings.Replace(want, "4 x=2, ", "", 1)
		}
		b.wantContents(want)
	}
	b.close()
}

func firstRecord(tb testing.TB, b record.Batch) record.Record {
	tb.Helper()
	for r, err := range b.Records(0) {
		if err != nil {
			tb.Fatal(err)
		}
		return r
	}
	tb.Fatal("no record")
	return record.Record{}
}

// What is dirty but must wait is not touched.
func TestCompactionWaits(t *testing.T) {
	for _, x := range []struct {
		name    string
		prepare func(*testBench, *Config)
		due     bool
	}{
		{"above the high watermark", func(b *testBench, _ *Config) {}, false},
		{"the active segment", func(b *testBench, _ *Config) { b.log.SetHighWatermark(b.log.EndOffset()) }, true},
		{"no compaction", func(b *testBench, c *Config) {
			b.log.SetHighWatermark(b.log.EndOffset())
			c.CleanupCompact = false
		}, false},
		{"too clean", func(b *testBench, c *Config) {
			b.log.SetHighWatermark(b.log.EndOffset())
			c.MinCleanableRatio = 1
		}, false},
		{"too clean, overdue", func(b *testBench, c *Config) {
			b.log.SetHighWatermark(b.log.EndOffset())
			c.MinCleanableRatio, c.MaxCompactionLagMs = 1, 4999
		}, true},
		{"too clean, not overdue", func(b *testBench, c *Config) {
			b.log.SetHighWatermark(b.log.EndOffset())
			c.MinCleanableRatio, c.MaxCompactionLagMs = 1, 5000
		}, false},
		{"too young", func(b *testBench, c *Config) {
			b.log.SetHighWatermark(b.log.EndOffset())
			c.MinCompactionLagMs = 5001
		}, false},
		{"old enough", func(b *testBench, c *Config) {
			b.log.SetHighWatermark(b.log.EndOffset())
			c.MinCompactionLagMs = 5000
		}, true},
	} {
		t.Run(x.name, func(t *testing.T) {
			b := open(t, vfs.NewMemory(), compactConfig())
			defer b.close()
			b.put("a", "1")
			b.put("a", "2")
			b.roll()
			b.put("a", "3")
			b.put("a", "4")
			if err := b.commit(); err != nil {
				t.Fatal(err)
			}
			c := compactConfig()
			x.prepare(b, &c)
			b.log.Configure(c)
			now := testTime.Add(5 * time.Second)
			_, due, err := b.log.dirt(now)
			_, ran, runErr := b.compact(now, testLimits())
			if err := errors.Join(err, runErr); err != nil || due != x.due || ran != x.due {
				t.Fatalf("due %v, ran %v, want %v; %v", due, ran, x.due, err)
			}
			want := "0 a=1, 1 a=2, 2 a=3, 3 a=4"
			if x.due {
				want = "1 a=2, 2 a=3, 3 a=4"
			}
			b.wantContents(want)
		})
	}
}

// An undecided transaction holds compaction back; decided ones are cleaned as a read_committed consumer sees them.
func TestCompactionOfTransactions(t *testing.T) {
	c := compactConfig()
	c.DeleteRetentionMs = 1000
	b := open(t, vfs.NewMemory(), c)
	send := func(id int64, sequence int32, key, value string) {
		builder := record.NewBuilder(record.BatchOptions{Transactional: true, Producer: &record.Producer{ID: id, Sequence: sequence}})
		builder.Add(testTime.UnixMilli(), []byte(key), []byte(value))
		batch, err := builder.Build()
		if err != nil {
			t.Fatal(err)
		}
		b.appendBatch(batch, AppendOptions{LeaderEpoch: 1, Now: testTime})
	}
	mark := func(id int64, commit bool) {
		m := record.EndTxnMarker{Commit: commit, Timestamp: testTime.UnixMilli()}
		b.appendBatch(m.Batch(id, 0), AppendOptions{LeaderEpoch: 1, Origin: record.Coordinator, Now: testTime})
	}
	send(1, 0, "a", "committed") // 0
	send(2, 0, "a", "aborted")   // 1
	send(2, 1, "b", "aborted")   // 2
	b.roll()
	mark(1, true)  // 3
	mark(2, false) // 4
	b.roll()
	send(3, 0, "a", "open") // 5
	b.roll()
	b.put("x", "1") // 6
	b.settle()
	b.mustCompact(testTime)
	b.wantContents("0 a=committed, 2-2, 3 COMMIT, 4 ABORT, 5 a=open, 6 x=1")
	aborted, err := b.log.AbortedTransactions(0, 7)
	if diff := cmp.Diff([]Aborted{{2, 1, 4, 5}}, aborted); err != nil || diff != "" {
		t.Errorf("aborted transactions: %s, %v", diff, err)
	}
	// Newer data of the producers, so that nothing of theirs is kept for its sequence.
	mark(3, true)                // 7
	send(1, 1, "a", "newer")     // 8
	send(2, 2, "b", "committed") // 9
	mark(1, true)                // 10
	mark(2, true)                // 11
	b.roll()
	b.settle()
	b.mustCompact(testTime)
	b.wantContents("3 COMMIT, 4 ABORT, 5-5, 6 x=1, 7 COMMIT, 8 a=newer, 9 b=committed, 10 COMMIT, 11 COMMIT")
	for i := range 2 { // the first stamps the markers' horizon
		b.put("x", "2")
		b.roll()
		b.settle()
		b.mustCompact(testTime.Add(time.Duration(i+1) * time.Second))
	}
	b = b.reopen()
	b.wantContents("5-5, 7 COMMIT, 8 a=newer, 9 b=committed, 10 COMMIT, 11 COMMIT, 13 x=2")
	if aborted, err := b.log.AbortedTransactions(0, b.log.EndOffset()); err != nil || len(aborted) > 0 {
		t.Errorf("aborted transactions of which nothing is left: %v, %v", aborted, err)
	}
	for _, p := range b.log.Producers() {
		if want := map[int64]int32{1: 1, 2: 2, 3: 0}[p.ProducerID]; p.LastSequence != want {
			t.Errorf("producer %d is at sequence %d, want %d", p.ProducerID, p.LastSequence, want)
		}
	}
	b.close()
}

// The table of keys may be too small for all that is dirty: the rest follows in further compactions.
func TestCompactionInPieces(t *testing.T) {
	b := open(t, vfs.NewMemory(), compactConfig())
	for round := range 2 {
		for i := range 30 {
			b.put(fmt.Sprint("key", i), fmt.Sprint(round))
		}
		b.roll()
	}
	b.settle()
	limits := testLimits()
	limits.keyBytes, limits.loadFactor = 24*8, 1
	last := int64(0)
	for rounds := 0; ; rounds++ {
		result, ran, err := b.compact(testTime, limits)
		if err != nil {
			t.Fatal(err)
		}
		if !ran {
			break
		}
		if result.first != last || result.end <= last || result.keys > 8 {
			t.Fatalf("after %d came %+v", last, result)
		}
		last = result.end
	}
	if records := strings.Count(contents(t, b.log), "="); last != 60 || records != 30 {
		t.Errorf("compacted to %d, %d records are left:\n%s", last, records, contents(t, b.log))
	}
	b.close()
}

// A batch that cannot be read is never dropped: the log stays as it is and is set aside, others go on.
func TestCompactionOfDamagedLog(t *testing.T) {
	for name, x := range map[string]struct{ at, batch int64 }{"record": {67, 0}, "base offset": {70, 70}} {
		t.Run(name, func(t *testing.T) { compactDamaged(t, x.at, x.batch) })
	}
}

// compactDamaged changes the byte at a position, which lies in the batch at another.
func compactDamaged(t *testing.T, at, batch int64) {
	disk := vfs.NewMemory()
	b := open(t, disk, compactConfig())
	b.put("a", "1")
	b.put("a", "2")
	b.roll()
	b.put("x", "1")
	other, err := b.dir.Create(kafka.TopicPartition{Topic: "other"}, kafka.UUID{8}, compactConfig())
	if err != nil {
		t.Fatal(err)
	}
	second := &testBench{tb: t, fsys: disk, dir: b.dir, log: other}
	second.put("a", "1")
	second.put("a", "2")
	second.roll()
	b.settle()
	flip(t, disk, b.log.list()[0].name(), at)
	for other.StableOffset() < 2 {
		other.Commit(2)
		time.Sleep(time.Millisecond)
	}
	other.SetHighWatermark(2)
	logger, lines := logLines()
	cleaner := &Cleaner{dirs: []*Dir{b.dir}, logger: logger, stop: make(chan struct{})}
	s := CleanerSettings{Threads: 1, DedupeBytes: 1 << 20, BufferBytes: 1 << 20}
	for range 3 {
		cleaner.cleanOne(s)
	}
	if text := lines.String(); strings.Count(text, "set aside") != 1 || !strings.Contains(text, "corrupt file") || !strings.Contains(text, fmt.Sprintf("position %d", batch)) {
		t.Errorf("log lines:\n%s", text)
	}
	if b.dir.Uncleanable() != 1 || b.dir.Failed() != nil {
		t.Errorf("%d logs are set aside; directory: %v", b.dir.Uncleanable(), b.dir.Failed())
	}
	second.wantContents("1 a=2")
	if b.log.Size() != totalSize(b.log) || len(b.log.list()) != 2 || b.log.cleaned.Load() != 0 {
		t.Error("the damaged log was changed")
	}
	if left := names(t, disk, b.log.path); slices.ContainsFunc(left, func(n string) bool { return strings.HasSuffix(n, cleanedSuffix) }) {
		t.Errorf("files %v", left)
	}
	b.close()
}

// flip changes one byte of a file.
func flip(tb testing.TB, fsys vfs.FS, name string, at int64) {
	tb.Helper()
	f, err := fsys.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		tb.Fatal(err)
	}
	var one [1]byte
	_, err = f.ReadAt(one[:], at)
	one[0] ^= 1
	if err == nil {
		_, err = f.WriteAt(one[:], at)
	}
	if err := errors.Join(err, f.Close()); err != nil {
		tb.Fatal(err)
	}
}

// A segment that nobody would close for long is closed for max.compaction.lag.ms, if the log is compacted.
func TestMaxCompactionLagRolls(t *testing.T) {
	for compacted, want := range map[bool]int{true: 2, false: 1} {
		c := compactConfig()
		c.CleanupCompact, c.MaxCompactionLagMs = compacted, 1000
		b := open(t, vfs.NewMemory(), c)
		b.append(testTime.UnixMilli(), "first")
		b.append(testTime.UnixMilli()+1000, "in time")
		b.append(testTime.UnixMilli()+1001, "late")
		if n := len(b.log.list()); n != want {
			t.Errorf("compacted %v: %d segments, want %d", compacted, n, want)
		}
		b.close()
	}
}
