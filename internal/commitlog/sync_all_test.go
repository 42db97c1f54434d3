package commitlog

import (
	"errors"
	"testing"
	"testing/synctest"

	"github.com/ottla/ottla/internal/vfs"
)

// TestRoundSyncsAllAtOnce: what many logs commit in a round is durable when they hear of it, with one call for all of them; a file
// whose writing failed takes the directory offline, and nothing of it is told to be safe.
func TestRoundSyncsAllAtOnce(t *testing.T) { synctest.Test(t, testRoundSyncsAllAtOnce) }

func testRoundSyncsAllAtOnce(t *testing.T) {
	memory := vfs.NewMemory()
	disk := vfs.Faulty(memory)
	c := DefaultConfig()
	b := openWith(t, disk, c, func(o *Options) { o.JournalBytes, o.syncAllFrom, o.OpenFiles = -1, 8, 100 })
	logs := manyLogs(t, b, 20, c)
	round := func() error {
		for _, l := range logs {
			appendTo(t, l, "x")
		}
		synctest.Wait() // until the flusher, whose round this is going to be, sleeps again
		for _, l := range logs {
			l.beginFlush()
		}
		b.dir.flusher.flushRest(append([]*Log(nil), logs...))
		return b.dir.Failed()
	}
	before := b.dir.volume.count.Load()
	if err := errors.Join(round(), round()); err != nil {
		t.Fatal(err)
	}
	if got := b.dir.volume.count.Load() - before; got != 2 {
		t.Errorf("all was synced %d times in 2 rounds", got)
	}
	after := open(t, memory.Crash(vfs.LoseUnsynced()), c)
	for _, l := range logs {
		if got := after.dir.Log(l.TopicPartition()); got == nil || l.StableOffset() != 2 || got.EndOffset() != 2 {
			t.Errorf("%s: stable offset %d, after a crash: %v", l.TopicPartition(), l.StableOffset(), got)
		}
	}
	after.close()

	disk.Add(vfs.Rule{Op: vfs.OpSync, Path: "*.log", From: 5, Times: 1, Err: errBroken})
	if err := round(); !errors.Is(err, errBroken) {
		t.Errorf("a file could not be written: %v", err)
	}
	for _, l := range logs {
		if l.StableOffset() != 2 {
			t.Errorf("%s: stable offset %d after a failed round", l.TopicPartition(), l.StableOffset())
		}
	}
	_ = b.dir.Close()
}
