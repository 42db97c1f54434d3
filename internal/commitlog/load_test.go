package commitlog

import (
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/record"
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

// TestUnloadableLogsAreAlone: a log that cannot be loaded keeps nobody from using the others, nobody gets an empty log in its
// place, and when it can be loaded again everything is there.
func TestUnloadableLogsAreAlone(t *testing.T) {
	memory := vfs.NewMemory()
	c := smallConfig()
	b := open(t, memory, c)
	logs := manyLogs(t, b, 3, c)
	for _, l := range logs {
		for range 20 {
			appendTo(t, l, strings.Repeat("x", 100))
		}
	}
	awaitStable(t, logs)
	broken := logs[1]
	broken.SetHighWatermark(12)
	if err := broken.AdvanceStart(10); err != nil {
		t.Fatal(err)
	}
	if err := b.dir.writeCheckpointFiles(); err != nil {
		t.Fatal(err)
	}
	memory = memory.Crash(vfs.KeepUnsynced())
	b.close()

	disk := vfs.Faulty(memory, vfs.Rule{Op: vfs.OpReadDir, Path: broken.TopicPartition().String(), Err: fs.ErrPermission})
	b = open(t, disk, c)
	set := b.dir.Log(broken.TopicPartition())
	if set == nil || !isCode(set.Unloadable(), kafka.KafkaStorageError) || !strings.Contains(set.Unloadable().Error(), fs.ErrPermission.Error()) {
		t.Fatalf("the log that cannot be loaded: %v", set)
	}
	if _, err := b.dir.Create(broken.TopicPartition(), kafka.UUID{1}, c); !isCode(err, kafka.KafkaStorageError) {
		t.Errorf("create in its place: %v", err)
	}
	if _, err := set.Append(batchOf(t, record.BatchOptions{}, 0, "x"), AppendOptions{Now: testTime}); !isCode(err, kafka.KafkaStorageError) {
		t.Errorf("append to it: %v", err)
	}
	if span, err := set.Find(11, 100, 100, true); err == nil {
		t.Errorf("find in it: %d bytes", span.Size)
	}
	checkLog(t, b.dir.Log(logs[0].TopicPartition()))
	if err := b.dir.Sweep(testTime); err != nil {
		t.Error(err)
	}
	b.close()

	b = open(t, memory, c)
	again := b.dir.Log(broken.TopicPartition())
	if clean, _ := b.dir.WasClean(); clean || again.Unloadable() != nil {
		t.Errorf("clean %v, %v", clean, again.Unloadable())
	}
	if again.StartOffset() != 10 || again.HighWatermark() != 12 || again.EndOffset() != 20 {
		t.Errorf("start %d, high watermark %d, end %d", again.StartOffset(), again.HighWatermark(), again.EndOffset())
	}
	checkLog(t, again)
	b.close()

	b = open(t, vfs.Faulty(memory, vfs.Rule{Op: vfs.OpReadDir, Path: broken.TopicPartition().String(), Err: fs.ErrPermission}), c)
	if err := b.dir.Delete(broken.TopicPartition()); err != nil {
		t.Errorf("delete: %v", err)
	}
	if _, err := b.dir.Create(broken.TopicPartition(), kafka.UUID{2}, c); err != nil {
		t.Errorf("create after that: %v", err)
	}
	b.close()
	if _, err := Open(vfs.Faulty(memory, vfs.Rule{Op: vfs.OpReadDir, Path: "*-[0-9]", Err: fs.ErrPermission}), testDir, testOptions(c)); err == nil || !strings.Contains(err.Error(), "no log can be loaded") {
		t.Errorf("a directory of which nothing can be read: %v", err)
	}
}

// TestRecoveryWritesNoIndexAnew: the index files of a log that lost nothing are the beginning of what the recovery finds, with
// the entries that progress has made; writing them anew, durably, took most of the time that a start with 1,000 logs took.
func TestRecoveryWritesNoIndexAnew(t *testing.T) {
	memory := vfs.NewMemory()
	c := DefaultConfig()
	c.IndexIntervalBytes = 400
	b := openWith(t, memory, c, func(o *Options) { o.CheckpointInterval = time.Hour })
	for i := range 60 {
		b.append(testTime.UnixMilli()+int64(i*10), strings.Repeat("x", 100))
		if i%20 == 13 { // between two entries
			if err := errors.Join(b.dir.writeCheckpoints(), b.commit()); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := b.commit(); err != nil {
		t.Fatal(err)
	}
	memory = memory.Crash(vfs.KeepUnsynced())
	b.close()
	disk := vfs.Faulty(memory, vfs.Rule{Op: vfs.OpRename, Path: "*index" + temporarySuffix, Err: errors.New("an index is written anew")})
	killed := open(t, disk, c)
	checkLog(t, killed.log)
	killed.close()
}
