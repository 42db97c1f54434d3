package commitlog

import (
	"testing"

	"github.com/ottla/ottla/internal/vfs"
)

// TestEpochsAreSavedWhenTheyCount: an epoch without records below the recovery point is no reason to write a file; one that
// the file has and that is gone is.
func TestEpochsAreSavedWhenTheyCount(t *testing.T) {
	disk := vfs.NewMemory()
	if err := disk.MkdirAll(testDir, 0o755); err != nil {
		t.Fatal(err)
	}
	var c epochCache
	saved := func(point int64) *epochCache {
		t.Helper()
		onDisk := new(epochCache)
		if err := c.save(disk, testDir, point); err != nil {
			t.Fatal(err)
		}
		if err := onDisk.load(disk, testDir); err != nil {
			t.Fatal(err)
		}
		return onDisk
	}
	c.assign(1, 0)
	if got := saved(0); got.latest() != noEpoch || len(names(t, disk, testDir)) != 0 {
		t.Errorf("an epoch without records was saved: %d", got.latest())
	}
	c.assign(3, 10)
	if got := saved(5); got.at(4) != 1 {
		t.Errorf("the epoch at 4 is saved as %d", got.at(4))
	}
	c.assign(4, 20)
	if got := saved(20); got.latest() == 4 {
		t.Error("an epoch without records was saved")
	}
	if got := saved(21); got.latest() != 4 {
		t.Errorf("the last epoch is saved as %d", got.latest())
	}
	c.cutEnd(15)
	if got := saved(0); got.latest() != 3 {
		t.Errorf("after a truncation the last epoch is saved as %d", got.latest())
	}
	c.assign(5, 8) // contradicts the entry at 10
	if got := saved(0); got.latest() != 5 || got.at(7) != 1 {
		t.Errorf("the last epoch is saved as %d", got.latest())
	}
	c.cutStart(4)
	if got := saved(0); got.at(3) != noEpoch || got.at(4) != 1 {
		t.Errorf("after a cut of the start the epochs are %d, %d", got.at(3), got.at(4))
	}
	c.clear()
	if got := saved(0); got.latest() != noEpoch {
		t.Errorf("cleared, the last epoch is saved as %d", got.latest())
	}
}

// TestEpochsAreSavedWhenTheyAre: who asks while they are being written must not let the recovery point pass them.
func TestEpochsAreSavedWhenTheyAre(t *testing.T) {
	var c epochCache
	disk := vfs.NewMemory()
	if err := disk.MkdirAll(testDir, 0o755); err != nil {
		t.Fatal(err)
	}
	c.assign(1, 0)
	during := 0
	fsys := hookFS{disk, func() {
		if during++; !c.unsaved(10) {
			t.Error("epochs count as saved while they are being written")
		}
		if during == 1 {
			c.assign(2, 5) // may be in the file or not
		}
	}}
	if err := c.save(fsys, testDir, 10); err != nil || during == 0 {
		t.Fatal(err, during)
	}
	if !c.unsaved(10) {
		t.Error("an epoch that came while the others were written counts as saved")
	}
	if err := c.save(disk, testDir, 10); err != nil || c.unsaved(10) {
		t.Error("not saved", err)
	}
}
