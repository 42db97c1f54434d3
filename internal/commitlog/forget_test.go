package commitlog

import (
	"strings"
	"testing"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/vfs"
)

// A log that is created under the name of one that was deleted, or has moved away and comes back, begins afresh: what the
// checkpoints say of the old one is not taken for its own after a power failure.
func TestCheckpointsForgetDeletedLogs(t *testing.T) {
	disk := vfs.NewMemory()
	b := open(t, disk, smallConfig())
	for range 40 {
		b.append(testTime.UnixMilli(), strings.Repeat("x", 100))
	}
	if err := b.commit(); err != nil {
		t.Fatal(err)
	}
	b.log.SetHighWatermark(40)
	if err := b.log.AdvanceStart(33); err != nil {
		t.Fatal(err)
	}
	b.close()
	rarely := testOptions(smallConfig())
	rarely.CheckpointInterval = time.Hour
	check := func(d *Dir, disk *vfs.Memory) {
		t.Helper()
		l, err := d.Create(testPartition, kafka.UUID{8}, smallConfig())
		if err != nil {
			t.Fatal(err)
		}
		b := &testBench{tb: t, dir: d, log: l}
		b.append(testTime.UnixMilli(), "a", "b", "c")
		if err := l.Sync(); err != nil {
			t.Fatal(err)
		}
		again, err := Open(disk.Crash(vfs.LoseUnsynced()), testDir, rarely)
		if err != nil {
			t.Fatal(err)
		}
		if l := again.Log(testPartition); l.StartOffset() != 0 || l.EndOffset() != 3 {
			t.Errorf("the new log has offsets %d to %d", l.StartOffset(), l.EndOffset())
		}
	}
	d, err := Open(disk, testDir, rarely)
	if err != nil {
		t.Fatal(err)
	}
	halfway := disk.Crash(vfs.KeepUnsynced())
	if err := halfway.Rename(testDir+"/orders-3", testDir+"/orders-3.00000000000000000000000000000000-delete"); err != nil {
		t.Fatal(err)
	}
	if err := d.Delete(testPartition); err != nil {
		t.Fatal(err)
	}
	check(d, disk)
	// The power failed before the checkpoints were written.
	if d, err = Open(halfway, testDir, rarely); err != nil {
		t.Fatal(err)
	}
	check(d, halfway)
}
