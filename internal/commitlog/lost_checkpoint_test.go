package commitlog

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/vfs"
)

// killed returns the disk as kill -9 leaves it, with the files of one log as the test wants them. The log is durable.
func (b *testBench) killed(change func(disk *vfs.Memory)) *vfs.Memory {
	b.tb.Helper()
	if err := b.commit(); err != nil {
		b.tb.Fatal(err)
	}
	if err := b.dir.writeCheckpointFiles(); err != nil {
		b.tb.Fatal(err)
	}
	disk := b.fsys.(*vfs.Memory).Crash(vfs.KeepUnsynced())
	b.close()
	change(disk)
	return disk
}

func mustRemove(tb testing.TB, disk *vfs.Memory, names ...string) {
	tb.Helper()
	for _, name := range names {
		if err := disk.Remove(filepath.Join(testDir, name)); err != nil {
			tb.Fatal(err)
		}
	}
}

// cutFile removes the end of a file, and the indexes with it.
func cutFile(tb testing.TB, disk *vfs.Memory, name string, size int64) {
	tb.Helper()
	content, err := ReadFile(disk, name, maxSegmentBytes)
	if err == nil {
		err = writeFile(disk, name, content[:size], true)
	}
	for _, suffix := range []string{offsetIndexSuffix, timeIndexSuffix} {
		if err == nil {
			err = removeIfThere(disk, strings.TrimSuffix(name, logSuffix)+suffix)
		}
	}
	if err != nil {
		tb.Fatal(err)
	}
}

// TestLostCheckpoints: an unclean stop and both checkpoints with offsets of logs lost, or damaged, at once: nothing says any more
// where a log begins, but its first segment.
func TestLostCheckpoints(t *testing.T) {
	for name, lose := range map[string]func(*vfs.Memory){
		"gone": func(disk *vfs.Memory) { mustRemove(t, disk, recoveryPointFile, logStartFile) },
		"damaged": func(disk *vfs.Memory) {
			for _, name := range []string{recoveryPointFile, logStartFile} {
				if err := writeFile(disk, filepath.Join(testDir, name), []byte("0\n1\norders 3 x\n"), true); err != nil {
					t.Fatal(err)
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := open(t, vfs.NewMemory(), smallConfig())
			for range 60 {
				b.append(testTime.UnixMilli(), strings.Repeat("x", 100))
			}
			if err := b.commit(); err != nil {
				t.Fatal(err)
			}
			b.log.SetHighWatermark(60)
			if err := b.log.AdvanceStart(45); err != nil {
				t.Fatal(err)
			}
			if err := b.dir.Sweep(testTime); err != nil {
				t.Fatal(err)
			}
			first := b.log.list()[0].base
			if first == 0 {
				t.Fatal("the log still begins at 0")
			}
			b = open(t, b.killed(lose), smallConfig())
			if b.log.StartOffset() != first || b.log.EndOffset() != 60 {
				t.Errorf("the log has offsets %d to %d, it had %d to 60", b.log.StartOffset(), b.log.EndOffset(), first)
			}
			checkLog(t, b.log)
			b.close()
		})
	}
}

// TestNeverStableBeginning: a log whose beginning is missing and of which good checkpoints say nothing was never told to be safe.
func TestNeverStableBeginning(t *testing.T) {
	b := open(t, vfs.NewMemory(), smallConfig())
	disk := b.fsys.(*vfs.Memory).Crash(vfs.KeepUnsynced())
	for range 60 {
		b.append(testTime.UnixMilli(), strings.Repeat("x", 100))
	}
	later := b.killed(func(*vfs.Memory) {})
	list := b.log.list()
	last := list[len(list)-1]
	content, err := ReadFile(later, last.name(), maxSegmentBytes)
	if err != nil {
		t.Fatal(err)
	}
	if err := writeFile(disk, last.name(), content, true); err != nil {
		t.Fatal(err)
	}
	b = open(t, disk, smallConfig())
	if b.log.EndOffset() != 0 {
		t.Errorf("the log has offsets %d to %d", b.log.StartOffset(), b.log.EndOffset())
	}
	b.close()
}

// TestGapsOfCompactionAreNoLoss: Kafka's compaction leaves gaps between segments, too. They do not say that
// something was lost when the recovery point is not known, nor when all has to be read because the leader epochs are damaged.
func TestGapsOfCompactionAreNoLoss(t *testing.T) {
	for name, harm := range map[string]func(*vfs.Memory){
		"recovery points": func(disk *vfs.Memory) { mustRemove(t, disk, recoveryPointFile) },
		"both":            func(disk *vfs.Memory) { mustRemove(t, disk, recoveryPointFile, logStartFile) },
		"leader epochs": func(disk *vfs.Memory) {
			if err := writeFile(disk, filepath.Join(testDir, testPartition.String(), leaderEpochFile), []byte("0\n1\nx 0\n"), true); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := open(t, vfs.NewMemory(), compactConfig())
			batch := batchOf(t, record.BatchOptions{}, testTime.UnixMilli(), strings.Repeat("x", 300))
			for range 40 {
				b.appendBatch(batch, AppendOptions{LeaderEpoch: 1, Now: testTime})
			}
			list := b.log.list()
			b = open(t, b.killed(func(disk *vfs.Memory) {
				for _, s := range list[:len(list)-1] {
					cutFile(t, disk, s.name(), s.size()-int64(len(batch)))
				}
				harm(disk)
			}), compactConfig())
			var kept int
			for offset := int64(0); offset < 40; {
				all := readAll(t, b.log, offset, 1)
				if kept += len(all); len(all) == 0 {
					break
				}
				offset = all[len(all)-1].LastOffset() + 1
			}
			if want := 40 - len(list) + 1; kept != want || b.log.EndOffset() != 40 || b.log.Damaged() {
				t.Errorf("%d batches to offset %d, %d to 40 were there; damaged: %v", kept, b.log.EndOffset(), want, b.log.Damaged())
			}
			b.close()
		})
	}
}
