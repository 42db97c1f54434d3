package commitlog

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/vfs"
)

// TestExchangeCrashes cuts the power before each disk operation of one compaction that makes one segment of three, with
// many losses each: whatever of the unsynced names a disk keeps, the log is as before or as after, with all that belongs to it.
func TestExchangeCrashes(t *testing.T) {
	var mu sync.Mutex
	armed := false
	points := 0
	disk := vfs.NewMemory()
	var b *testBench
	random := rand.New(rand.NewPCG(*crashSeed, 3))
	seen := map[string]int{}
	hook := func() {
		mu.Lock()
		defer mu.Unlock()
		if !armed || t.Failed() {
			return
		}
		for range 40 {
			points++
			after := disk.Crash(vfs.KeepSome(random.Uint64(), 64))
			lost := random.IntN(8) == 0 // the recovery point, so that all is redone and read that can be
			if lost {
				if err := removeIfThere(after, testDir+"/"+recoveryPointFile); err != nil {
					t.Error(err)
				}
			}
			state := stateOf(t, after, b.config)
			if lost {
				state = withoutAborted(state)
			}
			seen[state]++
		}
	}
	// Nothing writes the recovery point but the compaction.
	o := testOptions(compactConfig())
	o.CheckpointInterval = time.Hour
	o.JournalBytes, o.journalFirst = 400*journalBlock, 100*journalBlock // it has everything until the log leaves it
	dir, err := Open(hookFS{disk, hook}, testDir, o)
	if err != nil {
		t.Fatal(err)
	}
	l, err := dir.Create(testPartition, [16]byte{7}, compactConfig())
	if err != nil {
		t.Fatal(err)
	}
	b = &testBench{tb: t, fsys: disk, dir: dir, log: l, config: compactConfig()}
	other, err := dir.Create(kafka.TopicPartition{Topic: "other"}, [16]byte{8}, compactConfig())
	if err != nil {
		t.Fatal(err)
	}
	for journaled := 0; journaled == 0; { // the journal is made in the background
		appendTo(t, other, "x")
		awaitStable(t, []*Log{other})
		dir.journal.mu.Lock()
		journaled = dir.journal.mu.counts.entries
		dir.journal.mu.Unlock()
	}
	fillForExchange(t, b)
	awaitStable(t, []*Log{l})
	l.SetHighWatermark(l.EndOffset())
	before := stateOf(t, disk.Crash(vfs.LoseUnsynced()), b.config)
	mu.Lock()
	armed = true
	mu.Unlock()
	b.mustCompact(testTime)
	mu.Lock()
	armed = false
	mu.Unlock()
	b.close()
	after := stateOf(t, disk, b.config)
	if !strings.Contains(after, "segments 2") || !strings.Contains(before, "segments 4") || !strings.Contains(after, "aborted [{5 ") {
		t.Fatalf("the log was\n%s\nand became\n%s", before, after)
	}
	for state, n := range seen {
		if state != before && state != after && state != withoutAborted(before) && state != withoutAborted(after) {
			t.Errorf("%d crashes left\n%s\nwanted\n%s\nor\n%s\n%s", n, state, before, after, cmp.Diff(after, state))
		}
	}
	t.Logf("%d crashes: %d left the log as before, %d as after", points, seen[before], seen[after])
	if seen[after] < 40 || seen[before] < 40 {
		t.Error("crashes did not come at every step")
	}
}

// fillForExchange makes three segments and an active one, with an aborted transaction.
func fillForExchange(t *testing.T, b *testBench) {
	t.Helper()
	for i := range 3 {
		for j := range 5 {
			b.put(fmt.Sprint("key", j%2), fmt.Sprint(i, " ", j, strings.Repeat(".", 5)))
			awaitStable(t, []*Log{b.log}) // by itself, so that the journal has it
		}
		if i < 2 {
			builder := record.NewBuilder(record.BatchOptions{Transactional: true, Producer: &record.Producer{ID: 5, Sequence: int32(i)}})
			builder.Add(testTime.UnixMilli(), []byte("aborted"), []byte("x"))
			batch, err := builder.Build()
			if err != nil {
				t.Fatal(err)
			}
			b.appendBatch(batch, AppendOptions{LeaderEpoch: 1, Now: testTime})
			b.appendBatch(record.EndTxnMarker{Timestamp: testTime.UnixMilli()}.Batch(5, 0), AppendOptions{LeaderEpoch: 1, Origin: record.Coordinator, Now: testTime})
		}
		b.roll()
	}
	b.put("last", "1")
}

// withoutAborted leaves out the aborted transactions: without a recovery point they are found from the batches alone, which
// does not tell of those of which only the marker is left.
func withoutAborted(state string) string {
	before, rest, _ := strings.Cut(state, "aborted [")
	_, after, _ := strings.Cut(rest, "]")
	return before + after
}

// stateOf recovers a disk and says what the log on it is.
func stateOf(t *testing.T, disk *vfs.Memory, c Config) string {
	_, err := disk.Stat(testDir + "/" + recoveryPointFile)
	pointLost := err != nil
	b := open(t, disk, c)
	aborted, err := b.log.AbortedTransactions(0, b.log.EndOffset())
	if err != nil {
		t.Error(err)
	}
	text := fmt.Sprintf("segments %d, start %d, end %d, aborted %v, producers %v, %s", len(b.log.list()), b.log.StartOffset(), b.log.EndOffset(), aborted, b.log.Producers(), contents(t, b.log))
	checkNothingLeft(t, b)
	if list := b.log.list(); len(list) == 2 && !pointLost {
		point, err := readOffsetCheckpoint(disk, testDir+"/"+recoveryPointFile)
		if err != nil || point[testPartition] < list[1].base {
			t.Errorf("segments were replaced up to %d, the recovery point on disk is %d; %v", list[1].base, point[testPartition], err)
		}
	}
	b.close()
	return text
}

// A log that is cut below what was compacted is dirty from there on, also after a crash.
func TestTruncationMakesDirty(t *testing.T) {
	disk := vfs.NewMemory()
	b := open(t, disk, compactConfig())
	for range 4 {
		b.put("a", "1")
	}
	b.roll()
	b.put("x", "1")
	b.settle()
	b.mustCompact(testTime)
	if err := b.log.TruncateTo(3); err != nil {
		t.Fatal(err)
	}
	checkpoint, err := readOffsetCheckpoint(disk.Crash(vfs.LoseUnsynced()), testDir+"/"+cleanerOffsetFile)
	if err != nil || checkpoint[testPartition] != 3 {
		t.Errorf("the cleaner's checkpoint is %v, %v", checkpoint, err)
	}
	for range 3 {
		b.put("b", "1")
	}
	b.roll()
	b.put("x", "1")
	b.settle()
	b.mustCompact(testTime)
	b.wantContents("5 b=1, 6 x=1")
	b.close()
}

// A partition that is created anew in the place of a deleted one begins dirty; what compacted the old one ends.
func TestDeletionEndsCompaction(t *testing.T) {
	disk := vfs.NewMemory()
	b := open(t, disk, compactConfig())
	for range 4 {
		b.put("a", "1")
	}
	b.roll()
	b.put("a", "1")
	b.settle()
	b.mustCompact(testTime)
	b.put("a", "2")
	b.roll()
	b.settle()
	k, err := b.log.beginCompaction(testTime, testLimits())
	if err != nil || k == nil {
		t.Fatal(err)
	}
	k.limits.pace = func(int) error { // in the middle of it
		if b.dir.Log(testPartition) == b.log {
			if err := b.dir.Delete(testPartition); err != nil {
				t.Error(err)
			}
			again, err := b.dir.Create(testPartition, [16]byte{8}, compactConfig())
			if err != nil {
				t.Error(err)
			}
			(&testBench{tb: t, log: again}).put("new", "1")
		}
		return nil
	}
	if _, err := k.run(); err == nil {
		t.Error("a deleted log was compacted")
	}
	checkNothingLeft(t, b)
	b = b.reopen()
	b.wantContents("0 new=1")
	if b.log.cleaned.Load() != 0 {
		t.Errorf("a new log is said to be compacted up to %d", b.log.cleaned.Load())
	}
	b.close()
}

// A compacted segment that cannot be read after a crash does not replace what is still there.
func TestDamagedSwapIsGivenUp(t *testing.T) {
	disk := vfs.NewMemory()
	b := open(t, disk, compactConfig())
	b.put("a", "1")
	b.put("a", "2")
	b.settle()
	b.close()
	name := segmentStem(b.log.path, 0) + logSuffix + swapSuffix
	if err := writeFile(disk, name, []byte("this is no batch"), true); err != nil {
		t.Fatal(err)
	}
	b = open(t, disk, compactConfig())
	b.wantContents("0 a=1, 1 a=2")
	checkNothingLeft(t, b)
	if _, err := disk.Stat(name); !os.IsNotExist(err) {
		t.Error(err)
	}
	b.close()
}

// What changes the segments under a compaction ends it.
func TestChangesEndCompaction(t *testing.T) {
	for name, x := range map[string]struct {
		change func(*testBench) error
		want   string
	}{
		"truncation": {func(b *testBench) error {
			err := b.log.TruncateTo(3)
			b.put("a", "again")
			b.roll()
			b.put("x", "again")
			return err
		}, "0 a=0, 1 a=1, 2 a=2, 3 a=again, 4 x=again"},
		"full truncation": {func(b *testBench) error {
			err := b.log.TruncateFully(0)
			b.put("a", "again")
			return err
		}, "0 a=again"},
		"retention": {func(b *testBench) error {
			if err := b.log.AdvanceStart(2); err != nil {
				return err
			}
			return b.dir.Sweep(testTime)
		}, "2 a=2, 3 a=3, 4 x=1"},
	} {
		for at := 1; at <= 9; at++ { // 4 batches are read, and again, and what stays is written
			t.Run(fmt.Sprint(name, at), func(t *testing.T) { changeWhileCompacting(t, at, x.change, x.want) })
		}
	}
}

// changeWhileCompacting makes a change when the compaction has done at of its reads and writes.
func changeWhileCompacting(t *testing.T, at int, change func(*testBench) error, want string) {
	b := open(t, vfs.NewMemory(), compactConfig())
	for i := range 4 {
		if b.put("a", fmt.Sprint(i)); i%2 == 1 {
			b.roll()
		}
	}
	b.put("x", "1")
	b.settle()
	limits := testLimits()
	limits.pace = func(int) error {
		if at--; at == 0 {
			return change(b)
		}
		return nil
	}
	if _, ran, err := b.compact(testTime, limits); !ran || err == nil || at > 0 {
		t.Errorf("ran %v, %v", ran, err)
	}
	b.wantContents(want)
	checkNothingLeft(t, b)
	b = b.reopen()
	b.wantContents(want)
	b.close()
}

// Who has found records reads them, whatever took their place meanwhile, and also when their file was not kept open.
func TestSpansOutliveCompaction(t *testing.T) {
	b := open(t, vfs.NewMemory(), compactConfig())
	for range 5 {
		b.put("a", "old")
	}
	b.roll()
	b.put("a", "new")
	b.settle()
	span, err := b.log.Find(0, 1000, 5, true)
	if err != nil {
		t.Fatal(err)
	}
	before := make([]byte, span.Size)
	if _, err := span.ReadAt(before); err != nil {
		t.Fatal(err)
	}
	b.mustCompact(testTime)
	for b.dir.files.closeSome() {
	}
	after := make([]byte, span.Size)
	if _, err := span.ReadAt(after); err != nil || !bytes.Equal(before, after) {
		t.Errorf("the records changed under a reader: %v", err)
	}
	span.Release()
	b.wantContents("4 a=old, 5 a=new")
	b.close()
}
