package commitlog

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/vfs"
)

// openJournaled opens the log of a test and commits until the journal takes what is appended.
func openJournaled(t *testing.T, fsys vfs.FS) *testBench {
	t.Helper()
	return openJournaledWith(t, fsys, func(*Options) {})
}

// openJournaledWith is openJournaled with other options.
func openJournaledWith(t *testing.T, fsys vfs.FS, change func(*Options)) *testBench {
	t.Helper()
	c := smallConfig()
	c.SegmentBytes = 1 << 20
	o := testOptions(c)
	o.journalFirst = o.JournalBytes / 2
	o.CheckpointInterval = time.Hour // which would sync the directory
	change(&o)
	dir, err := Open(fsys, testDir, o)
	if err != nil {
		t.Fatal(err)
	}
	b := &testBench{tb: t, fsys: fsys, config: c, dir: dir}
	b.watch(kafka.UUID{7}, c)
	for range 10 {
		b.append(testTime.UnixMilli(), "x")
		if err := b.commit(); err != nil {
			t.Fatal(err)
		}
		b.dir.journal.waitReady()
		if b.dir.journal.count().entries > 0 {
			return b
		}
	}
	t.Fatal("the journal takes nothing")
	return nil
}

func (j *journal) count() journalCounts {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.mu.counts
}

func journalFiles(t *testing.T, fsys vfs.FS) (sizes []int64) {
	for i := range 2 {
		if info, err := fsys.Stat(journalName(testDir, i)); err == nil {
			sizes = append(sizes, info.Size())
		}
	}
	return sizes
}

// TestJournalFiles: a directory that is hardly written to has none, nor has one that was stopped cleanly; between they grow up to
// what is allowed.
func TestJournalFiles(t *testing.T) {
	disk := vfs.NewMemory()
	o := testOptions(DefaultConfig())
	o.journalAfter = 0 // the default
	dir, err := Open(disk, testDir, o)
	if err != nil {
		t.Fatal(err)
	}
	b := &testBench{tb: t, fsys: disk, dir: dir}
	b.watch(kafka.UUID{7}, DefaultConfig())
	round := func(size int) {
		b.append(0, strings.Repeat("x", size))
		if err := b.commit(); err != nil {
			t.Fatal(err)
		}
		dir.journal.waitReady()
	}
	for range defaultJournalAfter - 1 {
		round(10)
	}
	if got := journalFiles(t, disk); got != nil {
		t.Errorf("after a few rounds there are files: %d", got)
	}
	for range 200 {
		round(1000)
	}
	if got := journalFiles(t, disk); len(got) != 2 || slices.Max(got) > o.JournalBytes/2 {
		t.Errorf("files have %d bytes, allowed are %d", got, o.JournalBytes/2)
	}
	if c := dir.journal.count(); c.retired < 2 || c.entries < 100 {
		t.Errorf("%+v", c)
	}
	if err := dir.Close(); err != nil {
		t.Fatal(err)
	}
	if got := journalFiles(t, disk); got != nil {
		t.Errorf("after a clean stop there are files: %d", got)
	}
}

// TestJournalOff: 0 in the broker's configuration.
func TestJournalOff(t *testing.T) {
	disk := vfs.NewMemory()
	b := openJournaled(t, disk)
	after := disk.Crash(vfs.LoseUnsynced())
	o := testOptions(b.config)
	o.JournalBytes = -1
	dir, err := Open(after, testDir, o)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := dir.Log(testPartition).EndOffset(), b.log.EndOffset(); got != want {
		t.Errorf("the log ends at %d, want %d: what was there is redone all the same", got, want)
	}
	b.close()
	b = &testBench{tb: t, fsys: after, dir: dir}
	b.watch(kafka.UUID{7}, DefaultConfig())
	for range 5 {
		b.append(0, "x")
		if err := b.commit(); err != nil {
			t.Fatal(err)
		}
	}
	if got := journalFiles(t, after); got != nil {
		t.Errorf("files: %d", got)
	}
	b.close()
}

// TestJournalOnAFullDisk: the files cannot be made, or not grow; commits go on.
func TestJournalOnAFullDisk(t *testing.T) {
	for _, rule := range []vfs.Rule{
		{Op: vfs.OpWrite, Path: "redo-journal-*", Err: vfs.ErrNoSpace},
		{Op: vfs.OpWrite, Path: "redo-journal-*", From: 4, Err: vfs.ErrNoSpace, Short: 100},
		{Op: vfs.OpWrite, Path: "redo-journal-1", Err: vfs.ErrNoSpace},
		{Op: vfs.OpSync, Path: "redo-journal-1", Err: vfs.ErrNoSpace},
	} {
		b := open(t, vfs.Faulty(vfs.NewMemory(), rule), DefaultConfig())
		for range 30 {
			b.append(0, strings.Repeat("x", 500))
			if err := b.commit(); err != nil {
				t.Fatalf("%+v: %v", rule, err)
			}
			b.dir.journal.waitReady()
		}
		if err := b.log.TruncateTo(10); err != nil && !isCode(err, kafka.KafkaStorageError) {
			t.Errorf("%+v: truncate: %v", rule, err)
		}
		if err := b.dir.Failed(); err != nil {
			t.Errorf("%+v: %v", rule, err)
		}
		b.close()
	}
}

// TestJournalFailure: after a write or a sync of the journal that failed nothing is acknowledged.
func TestJournalFailure(t *testing.T) {
	for _, op := range []vfs.Op{vfs.OpWrite, vfs.OpSync} {
		disk := vfs.Faulty(vfs.NewMemory())
		b := openJournaled(t, disk)
		stable := b.log.StableOffset()
		disk.Add(vfs.Rule{Op: op, Path: "redo-journal-*", Times: 1, Err: errBroken})
		b.append(0, "not safe")
		if err := b.commit(); !isCode(err, kafka.KafkaStorageError) {
			t.Fatalf("commit: %v", err)
		}
		if got := b.log.StableOffset(); got != stable || !errors.Is(b.dir.Failed(), errBroken) {
			t.Errorf("stable offset %d, was %d; failed: %v", got, stable, b.dir.Failed())
		}
		_ = b.dir.Close()
	}
}

// TestRecoveryPointStaysBehind: what only the journal has is not below the recovery point, whoever writes that.
func TestRecoveryPointStaysBehind(t *testing.T) {
	b := openJournaled(t, vfs.NewMemory())
	defer b.close()
	settled := b.log.settled()
	if err := b.dir.writeCheckpointFiles(); err != nil {
		t.Fatal(err)
	}
	points, err := readOffsetCheckpoint(b.fsys, filepath.Join(testDir, recoveryPointFile))
	if err != nil || points[testPartition] != settled || settled >= b.log.StableOffset() {
		t.Errorf("recovery point %v, %v; in place is %d, stable %d", points, err, settled, b.log.StableOffset())
	}
	b.log.mu.Lock()
	err = b.log.leaveJournal()
	b.log.mu.Unlock()
	if err != nil || b.log.settled() != b.log.StableOffset() {
		t.Errorf("after leaving the journal in place is %d, stable %d; %v", b.log.settled(), b.log.StableOffset(), err)
	}
}

// TestFailedSyncInPlace: what the journal has is synced in the background; a failure takes the directory offline, however the
// syncing is done.
func TestFailedSyncInPlace(t *testing.T) {
	for _, from := range []int{1, 1000} {
		disk := vfs.Faulty(vfs.NewMemory())
		b := openJournaledWith(t, disk, func(o *Options) { o.syncAllFrom = from })
		disk.Add(vfs.Rule{Op: vfs.OpSync, Path: "*.log", Times: 1, Err: errBroken})
		b.dir.journal.syncInPlace([]*Log{b.log})
		if !errors.Is(b.dir.Failed(), errBroken) || b.log.settled() == b.log.StableOffset() {
			t.Errorf("all at once from %d: failed: %v; in place is %d, stable %d", from, b.dir.Failed(), b.log.settled(), b.log.StableOffset())
		}
		_ = b.dir.Close()
	}
}

// readUntilDamage reads a log up to where a reader is told of damage.
func readUntilDamage(t *testing.T, l *Log) []record.Batch {
	t.Helper()
	end := l.EndOffset()
	for offset := range end {
		span, err := l.Find(offset, 1, end, true)
		span.Release()
		if isCode(err, kafka.CorruptMessage) {
			end = offset
			break
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	var all []record.Batch
	for offset := int64(0); offset < end; offset = all[len(all)-1].LastOffset() + 1 {
		span, err := l.Find(offset, 1, end, true)
		raw := make([]byte, span.Size)
		if err == nil {
			_, err = span.ReadAt(raw)
		}
		span.Release()
		if err != nil || len(raw) == 0 {
			t.Fatal(offset, err)
		}
		all = append(all, raw)
	}
	return all
}

// TestFlippedBitInTheJournal flips bits of a journal that a recovery needs. One bit of a frame is reported and put right. Of more
// only the last frame cannot be told from one that was never acknowledged; any other is reported, costs nothing but what was hit,
// and a log that lacks what a later entry proves takes no appends.
func TestFlippedBitInTheJournal(t *testing.T) {
	disk := vfs.NewMemory()
	b := openJournaled(t, disk)
	for range 12 {
		b.dir.journal.waitReady()
		b.append(testTime.UnixMilli(), "some record")
		if err := b.commit(); err != nil {
			t.Fatal(err)
		}
	}
	end := b.log.EndOffset()
	scan, err := scanJournal(disk, testDir)
	if err != nil || len(scan.frames) < 10 {
		t.Fatalf("%d frames, %v", len(scan.frames), err)
	}
	frames := slices.Clone(scan.frames)
	scan.close()
	refused := 0
	for i, f := range frames {
		for at := 0; at < 2*f.length; at += 7 {
			after := disk.Crash(vfs.LoseUnsynced())
			one := at < f.length // bit
			damage(t, after, journalName(testDir, f.file), f.position+int64(at%f.length))
			if !one {
				damage(t, after, journalName(testDir, f.file), f.position+int64((at+5)%f.length))
			}
			logger, lines := logLines()
			o := testOptions(b.config)
			o.Logger = logger
			dir, err := Open(after, testDir, o)
			if err != nil {
				t.Fatal(err)
			}
			l := dir.Log(testPartition)
			batches := readUntilDamage(t, l)
			last, whole := i == len(frames)-1, l.EndOffset() == end && int64(len(batches)) == end // in place already
			switch {
			case one && (l.EndOffset() != end || int64(len(batches)) != end || l.damagedBelow.Load() > 0 || !strings.Contains(lines.String(), "a bit is flipped in frame")):
				t.Fatalf("frame %d, bit of byte %d: the log ends at %d, want %d; damaged below %d\n%s", i, at, l.EndOffset(), end, l.damagedBelow.Load(), lines)
			case one:
			case last && (l.EndOffset() != end-1 || l.damagedBelow.Load() > 0):
				t.Fatalf("last frame, byte %d: the log ends at %d, want %d; damaged below %d", at, l.EndOffset(), end-1, l.damagedBelow.Load())
			case !last && ((l.damagedBelow.Load() != end) != whole || !strings.Contains(lines.String(), "journal is damaged") || !strings.Contains(lines.String(), journalName(testDir, f.file))):
				t.Fatalf("frame %d, byte %d: damaged below %d, want %d; %d batches\n%s", i, at, l.damagedBelow.Load(), end, len(batches), lines)
			case !last && int64(len(batches)) < end-int64(len(frames)-i):
				t.Fatalf("frame %d, byte %d: %d batches can be read", i, at, len(batches))
			}
			// It is known after another start, too.
			if l.damagedBelow.Load() > 0 {
				refused++
				again := open(t, after.Crash(vfs.LoseUnsynced()), b.config)
				if _, err := again.log.Append(batchOf(t, record.BatchOptions{}, 0, "x"), AppendOptions{Now: testTime}); !isCode(err, kafka.KafkaStorageError) {
					t.Fatalf("append after another start: %v", err)
				}
				again.close()
			}
			_ = dir.Close()
		}
	}
	if refused == 0 {
		t.Error("no flip hit what was not in place")
	}
	b.close()
}

// TestCutOvertakesARound: a round that has taken a range and comes to writing it after the log was cut must not write it: a redo
// would bring back what was cut.
func TestCutOvertakesARound(t *testing.T) {
	disk := vfs.NewMemory()
	b := openJournaled(t, disk)
	close(b.dir.flusher.stop) // the test does the rounds
	<-b.dir.flusher.done
	kept := b.log.EndOffset()
	b.append(testTime.UnixMilli(), "will be cut")
	if w := b.log.beginFlush(); w.length == 0 {
		t.Fatal("the range does not suit the journal")
	}
	if err := b.log.TruncateTo(kept); err != nil {
		t.Fatal(err)
	}
	if err := b.dir.journal.write([]*Log{b.log}); err != nil {
		t.Fatal(err)
	}
	if b.log.flushing.journaled {
		t.Error("what was cut is in the journal")
	}
	after := open(t, disk.Crash(vfs.KeepUnsynced()), b.config)
	if got := after.log.EndOffset(); got != kept {
		t.Errorf("after a crash the log ends at %d, want %d", got, kept)
	}
	after.close()
}

// TestRetiringAwaitsDeletions: the journal gives up what it has of a deleted log no sooner than the folder's new name is durable;
// until then the log may be there again after a crash, and must have what was acknowledged.
func TestRetiringAwaitsDeletions(t *testing.T) {
	disk := vfs.NewMemory()
	fsys := &dirSyncHook{Memory: disk}
	b := openJournaled(t, fsys)
	end := b.log.StableOffset()
	fsys.hook = func() {
		fsys.hook = nil
		j := b.dir.journal
		j.mu.Lock()
		if err := errors.Join(j.turn(), j.commit(j.mu.frame, 0)); err != nil {
			t.Error(err)
		}
		j.mu.Unlock()
		for deadline := time.Now().Add(50 * time.Millisecond); j.count().retired == 0 && time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		}
		j.mu.Lock()
		if err := j.commit(j.mu.frame, 0); err != nil { // which would make it durable
			t.Error(err)
		}
		j.mu.Unlock()
		after := open(t, disk.Crash(vfs.LoseUnsynced()), b.config)
		if got := after.log.EndOffset(); got != end {
			t.Errorf("the log that is being deleted ends at %d after a crash, %d were acknowledged", got, end)
		}
		after.close()
	}
	b.dir.journal.mu.Lock()
	b.dir.journal.prepare(1)
	b.dir.journal.mu.Unlock()
	b.dir.journal.waitReady()
	fsys.on = true
	if err := b.dir.Delete(testPartition); err != nil {
		t.Fatal(err)
	}
	if fsys.hook != nil {
		t.Error("the test saw no deletion")
	}
	b.close()
}

// dirSyncHook calls hook before the log directory itself is synced.
type dirSyncHook struct {
	*vfs.Memory
	on   bool
	hook func()
}

func (h *dirSyncHook) SyncDir(path string) error {
	if h.on && path == testDir && h.hook != nil {
		h.hook()
	}
	return h.Memory.SyncDir(path)
}
