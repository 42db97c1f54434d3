package commitlog

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/vfs"
)

// TestCompactionFaults lets each operation of a compaction fail, as a full disk does, or for good. The log must hold what it
// held or what compaction leaves, now and after a restart; a full disk is no reason to go offline before old files are moved.
func TestCompactionFaults(t *testing.T) {
	const before = "0 a=1, 1 b=1, 2 a=2, 3 x=1, 4 a=3, 5 x=2"
	const after = "1 b=1, 3 x=1, 4 a=3, 5 x=2"
	for _, op := range []vfs.Op{vfs.OpOpen, vfs.OpRead, vfs.OpWrite, vfs.OpSync, vfs.OpRename, vfs.OpRemove, vfs.OpSyncDir} {
		for _, fault := range []error{vfs.ErrNoSpace, errBroken} {
			t.Run(fmt.Sprintf("%d %v", op, fault), func(t *testing.T) {
				for n := 1; ; n++ {
					disk := vfs.Faulty(vfs.NewMemory())
					b := open(t, disk, compactConfig())
					for i, r := range []string{"a=1", "b=1", "a=2", "x=1", "a=3", "x=2"} {
						key, value, _ := strings.Cut(r, "=")
						if i == 3 || i == 5 {
							b.roll()
						}
						b.put(key, value)
					}
					b.settle()
					if err := b.dir.writeRecoveryPoints(); err != nil {
						t.Fatal(err)
					}
					disk.Add(vfs.Rule{Op: op, From: n, Times: 1, Err: fault}, vfs.Rule{Op: op, From: n + 1, Times: 1, Err: fault})
					_, ran, err := b.compact(testTime, testLimits())
					disk.Heal()
					got, readable := after, true
					if _, findErr := b.log.Find(0, 1, 1, true); isCode(findErr, kafka.KafkaStorageError) && b.dir.Failed() != nil {
						readable = false // the fault met the flusher's checkpoint, perhaps after the compaction
					} else {
						got = contents(t, b.log)
					}
					if got != before && got != after {
						t.Fatalf("operation %d: %v; the log is %s", n, err, got)
					}
					if err != nil && b.dir.Failed() == nil {
						checkNothingLeft(t, b)
						if got != after { // after it, the checkpoint alone is missing
							b.mustCompact(testTime)
						}
						b.wantContents(after)
					}
					if !ran && err == nil && b.dir.Failed() == nil { // the fault met the flusher's checkpoint before it
						t.Fatalf("operation %d: nothing was compacted", n)
					}
					if ran && err == nil && readable && got != after {
						t.Fatalf("operation %d: compaction says it is done; the log is %s", n, got)
					}
					closed := b.dir.Close()
					if failed := b.dir.Failed(); failed != nil && !errors.Is(closed, failed) {
						t.Fatalf("close: %v after %v", closed, failed)
					}
					b = open(t, disk, compactConfig())
					if got := contents(t, b.log); got != before && got != after {
						t.Fatalf("operation %d: after a restart the log is %s", n, got)
					}
					checkNothingLeft(t, b)
					b.close()
					if err == nil && readable && got == after {
						break // that was behind the last operation
					}
				}
			})
		}
	}
}

func checkNothingLeft(t *testing.T, b *testBench) {
	t.Helper()
	if left := names(t, b.fsys, b.log.path); slices.ContainsFunc(left, func(n string) bool {
		return strings.HasSuffix(n, cleanedSuffix) || strings.HasSuffix(n, swapSuffix)
	}) {
		t.Fatalf("files %v", left)
	}
}
