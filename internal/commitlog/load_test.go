package commitlog

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ottla/ottla/internal/vfs"
)

// TestOrphanedIndexesGo: what a crash left of a new segment does not become part of the next one that begins there.
func TestOrphanedIndexesGo(t *testing.T) {
	disk := vfs.NewMemory()
	b := open(t, disk, smallConfig())
	b.append(testTime.UnixMilli(), "a", "b")
	b.close()
	aborted := appendTxnEntry(nil, Aborted{ProducerID: 7, FirstOffset: 2, LastOffset: 3, LastStableOffset: 4})
	orphan := filepath.Join(b.log.Path(), offsetName(2)+txnIndexSuffix)
	if err := writeFile(disk, orphan, aborted, true); err != nil {
		t.Fatal(err)
	}
	b = open(t, disk, smallConfig())
	if slices.Contains(names(t, disk, b.log.Path()), filepath.Base(orphan)) {
		t.Error("an index without a log is still there")
	}
	for range 30 { // which begins new segments
		b.append(testTime.UnixMilli(), strings.Repeat("x", 100))
	}
	b = b.reopen()
	checkLog(t, b.log)
	b.close()
}

// TestProgressOfManyLogs: logs that are far behind together are saved too, the farthest first, though none is so alone.
func TestProgressOfManyLogs(t *testing.T) {
	disk := vfs.NewMemory()
	c := DefaultConfig()
	o := testOptions(c)
	o.CheckpointInterval = time.Hour
	dir, err := Open(disk, testDir, o)
	if err != nil {
		t.Fatal(err)
	}
	b := &testBench{dir: dir}
	logs := manyLogs(t, b, 60, c)
	for i, l := range logs {
		for range 1 + i/30*2 { // 1 KB each in the first half, 3 KB, which alone is not enough, in the second
			appendTo(t, l, strings.Repeat("x", 800))
		}
	}
	awaitStable(t, logs)
	if err := b.dir.writeCheckpoints(); err != nil {
		t.Fatal(err)
	}
	awaitStable(t, logs)
	var behind int64
	for i, l := range logs {
		behind += l.sinceSaved()
		if i >= 30 && l.sinceSaved() > 0 {
			t.Errorf("%s was not saved before those with less", l.TopicPartition())
		}
	}
	if limit := b.dir.options.progressBytes * allProgress; behind > limit || behind == 0 {
		t.Errorf("%d bytes are to be read by a recovery, at most %d are allowed", behind, limit)
	}
	killed := open(t, disk.Crash(vfs.KeepUnsynced()), c)
	var again int64
	for _, l := range killed.dir.Logs() {
		again += l.sinceSaved()
	}
	if again < behind {
		t.Errorf("a recovery knows %d bytes to be unsaved, before it were %d", again, behind)
	}
	killed.close()
	if err := dir.Close(); err != nil {
		t.Fatal(err)
	}
}
