package commitlog

import (
	"errors"
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
		if got := b.log.StableOffset(); got < maxUnaskedBytes/1100 { // each record takes a little less
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

// TestCachedBytesAreFlushed: with write.caching the bounds are wider, but there are some.
func TestCachedBytesAreFlushed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := DefaultConfig()
		c.WriteCaching = true
		options := testOptions(c)
		options.progressBytes = 0 // the default, which does not come into this
		dir, err := Open(vfs.NewMemory(), testDir, options)
		if err != nil {
			t.Fatal(err)
		}
		defer dir.Close()
		b := &testBench{tb: t, dir: dir}
		if b.log, err = dir.Create(testPartition, kafka.UUID{7}, c); err != nil {
			t.Fatal(err)
		}
		flushed := func(want int64, when string) {
			t.Helper()
			synctest.Wait()
			if got := b.log.flushed.Load(); got != want {
				t.Errorf("%s: flushed to %d, want %d", when, got, want)
			}
		}
		for range 9 {
			b.append(0, string(make([]byte, 100<<10)))
		}
		time.Sleep(maxCachedTime - time.Millisecond)
		flushed(0, "before the time is over")
		time.Sleep(2 * time.Millisecond)
		flushed(9, "after it")
		for range 81 {
			b.append(0, string(make([]byte, 100<<10)))
		}
		flushed(9, "8.1 MB are fewer than 8 MiB")
		for range 10 {
			b.append(0, string(make([]byte, 100<<10)))
		}
		synctest.Wait()
		if got := b.log.flushed.Load(); got < 90 {
			t.Errorf("9 MB: flushed to %d", got)
		}
	})
}

// TestCheckpointsKeepUpWithBytes: the recovery points on disk are behind by so many bytes at most, however long the interval of
// checkpoints is and however busy the flusher.
func TestCheckpointsKeepUpWithBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := openWith(t, vfs.NewMemory(), DefaultConfig(), func(o *Options) {
			o.CheckpointInterval, o.checkpointBytes = time.Hour, 10<<10
		})
		defer b.close()
		for range 9 {
			b.append(0, string(make([]byte, 1<<10)))
		}
		if err := b.commit(); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if got := b.log.checkpointed.Load(); got != 0 {
			t.Errorf("recovery point on disk is %d after 9 KB", got)
		}
		for range 2 {
			b.append(0, string(make([]byte, 1<<10)))
		}
		if err := b.commit(); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if got := b.log.checkpointed.Load(); got < 9 {
			t.Errorf("recovery point on disk is %d after 11 KB", got)
		}
	})
}

// TestManyLogsAreFlushedTogether: what waits in all logs is bounded, not only what waits in each.
func TestManyLogsAreFlushedTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := DefaultConfig()
		c.WriteCaching = true
		o := testOptions(c)
		o.unaskedBytes = 50 << 10
		dir, err := Open(vfs.NewMemory(), testDir, o)
		if err != nil {
			t.Fatal(err)
		}
		defer dir.Close()
		logs := manyLogs(t, &testBench{dir: dir}, 10, c)
		for i := range 45 {
			appendTo(t, logs[i%10], string(make([]byte, 1000)))
		}
		synctest.Wait()
		if got := logs[0].flushed.Load(); got != 0 {
			t.Errorf("48 KB: flushed to %d", got)
		}
		for i := range 5 {
			appendTo(t, logs[i], string(make([]byte, 1000)))
		}
		synctest.Wait()
		for _, l := range logs {
			if l.flushed.Load() < 4 {
				t.Errorf("54 KB: %s is flushed to %d of %d", l.tp, l.flushed.Load(), l.EndOffset())
			}
		}
	})
}

// TestDeletedFilesGoByThemselves: nobody calls Sweep.
func TestDeletedFilesGoByThemselves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk := vfs.Faulty(vfs.NewMemory(), vfs.Rule{Op: vfs.OpRemove, Path: "t-1.*", Times: 1, Err: errors.New("busy")})
		options := testOptions(DefaultConfig())
		options.Now = time.Now
		dir, err := Open(disk, testDir, options)
		if err != nil {
			t.Fatal(err)
		}
		defer dir.Close()
		deleted := func() (n int) {
			synctest.Wait()
			for _, name := range names(t, disk, testDir) {
				if filepath.Ext(name) != "" && name != MetaFile && len(name) > 40 {
					n++
				}
			}
			return n
		}
		for p := range int32(2) {
			tp := kafka.TopicPartition{Topic: "t", Partition: p}
			if _, err := dir.Create(tp, kafka.UUID{1}, DefaultConfig()); err != nil {
				t.Fatal(err)
			}
			if err := dir.Delete(tp); err != nil {
				t.Fatal(err)
			}
			time.Sleep(20 * time.Second)
		}
		if n := deleted(); n != 2 {
			t.Errorf("%d deleted folders, want 2", n)
		}
		time.Sleep(21 * time.Second)
		if n := deleted(); n != 1 {
			t.Errorf("%d deleted folders after the delay of the first, want 1", n)
		}
		time.Sleep(20 * time.Second)
		if n := deleted(); n != 1 {
			t.Errorf("%d deleted folders after a removal that failed, want 1", n)
		}
		time.Sleep(removeAgainAfter)
		if n := deleted(); n != 0 {
			t.Errorf("%d deleted folders after another try", n)
		}
	})
}

// TestFlushSettings: flush.ms and flush.messages bound what lies unflushed, with write.caching too; with that, nothing that
// flush.messages has due counts as stable before it is flushed.
func TestFlushSettings(t *testing.T) {
	for _, caching := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			c := DefaultConfig()
			c.WriteCaching, c.FlushMs = caching, 40
			b := inRealTime(t, c, nil)
			defer func() { b.dir.Close() }()
			flushed := func(want int64, after time.Duration) {
				t.Helper()
				time.Sleep(after)
				synctest.Wait()
				if got := b.log.flushed.Load(); got != want {
					t.Errorf("write.caching=%v: flushed to %d, want %d", caching, got, want)
				}
			}
			b.append(0, "a")
			flushed(0, 39*time.Millisecond)
			flushed(1, 2*time.Millisecond)
			c.FlushMs, c.FlushMessages = time.Hour.Milliseconds(), 3
			b.log.Configure(c)
			b.append(0, "b", "c")
			flushed(1, 0)
			if stable := b.log.StableOffset(); caching && stable != 3 {
				t.Errorf("stable offset %d with write.caching", stable)
			}
			before := b.log.StableOffset()
			if a := b.append(0, "d"); !a.FlushDue {
				t.Error("no flush is due after 3 records")
			}
			if stable := b.log.StableOffset(); stable > before && b.log.flushed.Load() < stable {
				t.Errorf("write.caching=%v: stable offset %d, flushed are %d", caching, stable, b.log.flushed.Load())
			}
			flushed(4, 0)
			if a := b.append(0, "e"); a.FlushDue {
				t.Error("the records before the flush count again")
			}
		})
	}
}
