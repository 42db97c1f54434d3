package commitlog

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/vfs"
)

var errBroken = errors.New("input/output error")

// TestFailedSyncFailsTheDirectory: after one failed fsync nothing is acknowledged any more, though the disk works again.
func TestFailedSyncFailsTheDirectory(t *testing.T) {
	disk := vfs.Faulty(vfs.NewMemory())
	b := open(t, disk, smallConfig())
	b.append(0, "first")
	if err := b.commit(); err != nil {
		t.Fatal(err)
	}
	disk.Add(vfs.Rule{Op: vfs.OpSync, Path: "*.log", Times: 1, Err: errBroken})
	b.append(0, "second")
	if err := b.commit(); !isCode(err, kafka.KafkaStorageError) {
		t.Fatalf("commit: %v", err)
	}
	if stable := b.log.StableOffset(); stable != 1 {
		t.Fatalf("stable offset is %d", stable)
	}
	if _, err := b.log.Append(batchOf(t, record.BatchOptions{}, 0, "x"), AppendOptions{}); !isCode(err, kafka.KafkaStorageError) {
		t.Fatalf("append: %v", err)
	}
	if !errors.Is(b.dir.Failed(), errBroken) {
		t.Fatalf("failed: %v", b.dir.Failed())
	}
	if got := len(readAll(t, b.log, 0, 1000)); got != 2 {
		t.Fatalf("%d batches can be read", got)
	}
	if err := b.dir.Close(); !errors.Is(err, errBroken) {
		t.Fatalf("close: %v", err)
	}
}

func TestFullDisk(t *testing.T) {
	for name, short := range map[string]int{"nothing written": 0, "partly written": 30} {
		t.Run(name, func(t *testing.T) {
			disk := vfs.Faulty(vfs.NewMemory())
			b := open(t, disk, smallConfig())
			b.append(0, "first")
			disk.Add(vfs.Rule{Op: vfs.OpWrite, Path: "*.log", Times: 1, Err: vfs.ErrNoSpace, Short: short})
			if _, err := b.log.Append(batchOf(t, record.BatchOptions{}, 0, "x"), AppendOptions{Now: testTime}); !isCode(err, kafka.KafkaStorageError) {
				t.Fatalf("append: %v", err)
			}
			b.append(0, "it heals")
			if err := b.commit(); err != nil {
				t.Fatal(err)
			}
			b = b.reopen()
			if got := len(checkLog(t, b.log)); got != 2 {
				t.Fatalf("%d batches", got)
			}
			b.close()
		})
	}
}

func TestPartialWriteThatCannotBeTakenBack(t *testing.T) {
	disk := vfs.Faulty(vfs.NewMemory())
	b := open(t, disk, smallConfig())
	b.append(0, "first")
	disk.Add(vfs.Rule{Op: vfs.OpWrite, Path: "*.log", Times: 1, Err: vfs.ErrNoSpace, Short: 30},
		vfs.Rule{Op: vfs.OpTruncate, Path: "*.log", Err: errBroken})
	if _, err := b.log.Append(batchOf(t, record.BatchOptions{}, 0, "x"), AppendOptions{}); !isCode(err, kafka.KafkaStorageError) {
		t.Fatalf("append: %v", err)
	}
	if b.dir.Failed() == nil {
		t.Fatal("the directory goes on with half a batch in a segment")
	}
	_ = b.dir.Close()
}

func damage(t *testing.T, fsys vfs.FS, path string, position int64) {
	t.Helper()
	f, err := fsys.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	one := make([]byte, 1)
	if _, err := f.ReadAt(one, position); err != nil {
		t.Fatal(err)
	}
	one[0] ^= 0x40
	if _, err := f.WriteAt(one, position); err != nil {
		t.Fatal(err)
	}
}

// stopped returns a log of several segments whose directory was closed, and the names of its files.
func stopped(t *testing.T, disk vfs.FS, clean bool) (b *testBench, file func(base int64, suffix string) string) {
	t.Helper()
	b = open(t, disk, smallConfig())
	for i := range 40 {
		o := record.BatchOptions{Producer: &record.Producer{ID: 5, Sequence: int32(i)}}
		b.appendBatch(batchOf(t, o, testTime.UnixMilli()+int64(i), strings.Repeat("x", 100)), AppendOptions{Now: testTime})
	}
	b.close()
	if !clean {
		if err := disk.Remove(filepath.Join(testDir, cleanShutdownFile)); err != nil {
			t.Fatal(err)
		}
	}
	return b, func(base int64, suffix string) string { return segmentStem(b.log.Path(), base) + suffix }
}

// TestDerivedFilesAreRebuilt damages, empties or removes everything but the segments.
func TestDerivedFilesAreRebuilt(t *testing.T) {
	for _, clean := range []bool{true, false} {
		for _, suffix := range []string{offsetIndexSuffix, timeIndexSuffix, snapshotSuffix, leaderEpochFile} {
			for how, change := range map[string]func(t *testing.T, disk vfs.FS, path string){
				"flip":   func(t *testing.T, disk vfs.FS, path string) { damage(t, disk, path, 1) },
				"remove": func(t *testing.T, disk vfs.FS, path string) { _ = disk.Remove(path) },
				"empty":  func(t *testing.T, disk vfs.FS, path string) { _ = writeFile(disk, path, nil, true) },
			} {
				t.Run(suffix+" "+how, func(t *testing.T) {
					disk := vfs.NewMemory()
					b, _ := stopped(t, disk, clean)
					for _, name := range names(t, disk, b.log.Path()) {
						if strings.HasSuffix(name, suffix) && !(how == "remove" && name == leaderEpochFile) {
							change(t, disk, filepath.Join(b.log.Path(), name))
						}
					}
					b = open(t, disk, smallConfig())
					if got := len(checkLog(t, b.log)); got != 40 {
						t.Fatalf("%d of 40 batches", got)
					}
					b.append(testTime.UnixMilli(), "goes on")
					b = b.reopen()
					checkLog(t, b.log)
					b.close()
				})
			}
		}
	}
}

func TestTornTailIsCutAndReported(t *testing.T) {
	disk := vfs.NewMemory()
	_, file := stopped(t, disk, true)
	b := open(t, disk, smallConfig())
	end, last := b.log.EndOffset(), b.log.active().base
	f, err := disk.OpenFile(file(last, logSuffix), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	size, _ := f.Size()
	if _, err := f.WriteAt([]byte("half a batch"), size); err != nil {
		t.Fatal(err)
	}
	after := disk.Crash(vfs.KeepUnsynced())
	logger, lines := logLines()
	o := testOptions(smallConfig())
	o.Logger = logger
	d, err := Open(after, testDir, o)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if got := d.Log(testPartition).EndOffset(); got != end {
		t.Fatalf("log ends at %d, want %d\n%s", got, end, lines)
	}
	for _, want := range []string{file(last, logSuffix), "position=", "bytes=12", "cutting a torn tail"} {
		if !strings.Contains(lines.String(), want) {
			t.Errorf("log lines lack %q:\n%s", want, lines)
		}
	}
	b.close()
}

// TestDamageBelowTheRecoveryPointIsNotCut: the records were acknowledged.
func TestDamageBelowTheRecoveryPointIsNotCut(t *testing.T) {
	disk := vfs.NewMemory()
	b, file := stopped(t, disk, false)
	last := b.log.active().base
	size := b.log.active().size()
	damage(t, disk, file(last, logSuffix), 8) // the length of a batch
	if err := errors.Join(disk.Remove(file(last, offsetIndexSuffix)), disk.Remove(file(last, timeIndexSuffix))); err != nil {
		t.Fatal(err)
	}
	for range 2 { // also after another restart
		b = open(t, disk, smallConfig())
		if _, err := b.log.Append(batchOf(t, record.BatchOptions{}, 0, "x"), AppendOptions{Now: testTime}); !isCode(err, kafka.KafkaStorageError) || !strings.Contains(err.Error(), file(last, logSuffix)) {
			t.Fatalf("append: %v", err)
		}
		for offset := range b.log.EndOffset() {
			span, err := b.log.Find(offset, 1000, b.log.EndOffset(), true)
			if readable := offset < last; readable != (err == nil) || !readable && (!isCode(err, kafka.CorruptMessage) || !strings.Contains(err.Error(), file(last, logSuffix))) {
				t.Fatalf("offset %d of %d: %v", offset, b.log.EndOffset(), err)
			}
			span.Release()
		}
		if b.log.EndOffset() != 40 {
			t.Fatalf("the log ends at %d", b.log.EndOffset())
		}
		if info, err := disk.Stat(file(last, logSuffix)); err != nil || info.Size() != size {
			t.Fatalf("the segment was changed: %v, %v", info, err)
		}
		b.close()
	}
	b = open(t, disk, smallConfig())
	if err := b.log.TruncateFully(100); err != nil {
		t.Fatal(err)
	}
	b.append(0, "fetched again from another replica")
	b = b.reopen()
	if got := len(checkLog(t, b.log)); got != 1 || b.log.EndOffset() != 101 {
		t.Fatalf("after truncating fully: %d batches, end %d", got, b.log.EndOffset())
	}
	b.close()
}

func TestLockAndIdentity(t *testing.T) {
	disk := vfs.NewMemory()
	b := open(t, disk, smallConfig())
	if _, err := Open(disk, testDir, testOptions(smallConfig())); !errors.Is(err, vfs.ErrLocked) {
		t.Fatalf("second open: %v", err)
	}
	id := b.dir.ID()
	if id.IsZero() {
		t.Fatal("no directory id")
	}
	b = b.reopen()
	if b.dir.ID() != id {
		t.Fatal("the directory id changed")
	}
	if clean, _ := b.dir.WasClean(); !clean {
		t.Fatal("not seen as a clean stop")
	}
	b.close()
	o := testOptions(smallConfig())
	o.ClusterID = "another"
	if _, err := Open(disk, testDir, o); !isCode(err, kafka.InconsistentClusterID) {
		t.Fatalf("another cluster: %v", err)
	}
	o = testOptions(smallConfig())
	o.NodeID = 5
	if _, err := Open(disk, testDir, o); err == nil {
		t.Fatal("another node was accepted")
	}
}

func TestDeletePartition(t *testing.T) {
	disk := vfs.NewMemory()
	b := open(t, disk, smallConfig())
	b.append(0, "x")
	if err := b.commit(); err != nil {
		t.Fatal(err)
	}
	if err := b.dir.Delete(testPartition); err != nil {
		t.Fatal(err)
	}
	if _, err := b.log.Append(batchOf(t, record.BatchOptions{}, 0, "x"), AppendOptions{}); !isCode(err, kafka.NotLeaderOrFollower) {
		t.Fatalf("append: %v", err)
	}
	if err := b.dir.Delete(testPartition); !isCode(err, kafka.UnknownTopicOrPartition) {
		t.Fatalf("second delete: %v", err)
	}
	l, err := b.dir.Create(testPartition, kafka.UUID{8}, smallConfig())
	if err != nil || l.EndOffset() != 0 {
		t.Fatalf("created again: %v", err)
	}
	if _, err := b.dir.Create(testPartition, kafka.UUID{9}, smallConfig()); !isCode(err, kafka.InconsistentTopicID) {
		t.Fatalf("another topic id: %v", err)
	}
	if err := b.dir.Sweep(testTime); err != nil {
		t.Fatal(err)
	}
	gone(t, disk, testDir, "-delete")
	b.dir.Close()
	b = open(t, disk, smallConfig())
	if got := b.log.TopicID(); got != (kafka.UUID{8}) {
		t.Fatalf("topic id after a restart: %v", got)
	}
	b.close()
}

// TestWriteCaching: stable at once, and synced soon all the same.
func TestWriteCaching(t *testing.T) {
	c := smallConfig()
	c.WriteCaching = true
	b := open(t, vfs.NewMemory(), c)
	defer b.close()
	b.append(0, "x")
	if b.log.StableOffset() != 1 {
		t.Fatalf("stable offset is %d", b.log.StableOffset())
	}
	c.FlushMessages = 1
	b.log.Configure(c)
	b.append(0, "y")
	if err := b.commit(); err != nil || b.log.flushed.Load() != 2 {
		t.Fatalf("flush.messages=1: flushed to %d, %v", b.log.flushed.Load(), err)
	}
}
