package commitlog

import (
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/vfs"
)

// TestUnaskedBytesAreFlushed: nobody calls Commit.
func TestUnaskedBytesAreFlushed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := DefaultConfig()
		b := open(t, vfs.NewMemory(), c)
		b.append(0, "x")
		time.Sleep(maxUnaskedTime - time.Millisecond)
		synctest.Wait()
		if got := b.log.StableOffset(); got != 0 {
			t.Errorf("flushed after less than %v", maxUnaskedTime)
		}
		time.Sleep(2 * time.Millisecond)
		synctest.Wait()
		if got := b.log.StableOffset(); got != 1 {
			t.Errorf("stable offset is %d after %v", got, maxUnaskedTime)
		}
		c.FlushMs = 10
		b.log.Configure(c)
		b.append(0, "y")
		time.Sleep(10 * time.Millisecond)
		synctest.Wait()
		if got := b.log.StableOffset(); got != 2 {
			t.Errorf("flush.ms=10: stable offset is %d", got)
		}
		c.FlushMs = DefaultConfig().FlushMs
		b.log.Configure(c)
		for range 300 {
			b.append(0, string(make([]byte, 1000)))
		}
		synctest.Wait()
		if got := b.log.StableOffset(); got < 250 {
			t.Errorf("%d KiB wait, stable offset is %d", 300, got)
		}
		b.close()
	})
}

// TestIdleFlusherSleeps: without work the goroutine does not wake up, so a bubble's clock can jump for days.
func TestIdleFlusherSleeps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := open(t, vfs.NewMemory(), DefaultConfig())
		b.append(0, "x")
		if err := b.commit(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(24 * time.Hour)
		points, err := readOffsetCheckpoint(b.fsys, filepath.Join(testDir, recoveryPointFile))
		if err != nil || points[testPartition] != 1 {
			t.Errorf("recovery points: %v, %v", points, err)
		}
		b.close()
	})
}

// TestIdlePartitionsAreCheap: a new partition is a folder with one small file, and holds nothing open.
func TestIdlePartitionsAreCheap(t *testing.T) {
	disk := vfs.NewMemory()
	b := open(t, disk, DefaultConfig())
	for p := range int32(100) {
		if _, err := b.dir.Create(kafka.TopicPartition{Topic: "idle", Partition: p}, kafka.UUID{1}, DefaultConfig()); err != nil {
			t.Fatal(err)
		}
	}
	l := b.dir.Log(kafka.TopicPartition{Topic: "idle", Partition: 50})
	if got := names(t, disk, l.Path()); len(got) != 1 || got[0] != partitionFile {
		t.Errorf("files of a new partition: %v", got)
	}
	if l.active().files.log.Load() != nil {
		t.Error("a new partition has its segment open")
	}
	b = b.reopen()
	for _, l := range b.dir.Logs() {
		if l.active().files.log.Load() != nil {
			t.Errorf("%s has its segment open after a restart", l.TopicPartition())
		}
	}
	b.close()
}

// TestUncleanRestartWithoutLoss: what is between the newest snapshot and the crash is replayed.
func TestUncleanRestartWithoutLoss(t *testing.T) {
	disk := vfs.NewMemory()
	b := open(t, disk, smallConfig())
	for i := range 50 {
		o := record.BatchOptions{Producer: &record.Producer{ID: int64(i % 7), Sequence: int32(i / 7)}}
		b.appendBatch(batchOf(t, o, testTime.UnixMilli(), "x"), AppendOptions{Now: testTime})
	}
	if err := b.commit(); err != nil {
		t.Fatal(err)
	}
	after := open(t, disk.Crash(vfs.LoseUnsynced()), smallConfig())
	if clean, _ := after.dir.WasClean(); clean || after.log.EndOffset() != 50 {
		t.Fatalf("clean %v, end %d", clean, after.log.EndOffset())
	}
	checkLog(t, after.log)
	after.close()
	b.close()
}
