package vfs

import (
	"errors"
	"os"
	"strings"
	"testing"
)

func TestCrashKeepsWhatWasSynced(t *testing.T) {
	m := NewMemory()
	f := create(t, m, "/f", "synced")
	if err := errors.Join(f.SyncData(), m.SyncDir("/")); err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt([]byte("UN"), 4); err != nil {
		t.Fatal(err)
	}
	if err := f.Truncate(5); err != nil {
		t.Fatal(err)
	}
	create(t, m, "/new", "new").Sync() // its name is not durable
	lock, err := m.Lock("/lock")
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()

	after := m.Crash(LoseUnsynced())
	if got := contentOf(t, after, "/f") + contentOf(t, after, "/new"); got != "synced-" {
		t.Errorf("lost all that was unsynced: %q", got)
	}
	after = m.Crash(KeepUnsynced())
	if got := contentOf(t, after, "/f") + contentOf(t, after, "/new"); got != "synUNnew" && got != "syncUnew" {
		t.Errorf("kept all: %q", got)
	}
	if _, err := after.Lock("/lock"); err != nil {
		t.Errorf("the clone is locked: %v", err)
	}
	// The clone is independent, and durable from the start.
	g, err := after.OpenFile("/f", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := g.WriteAt([]byte("clone"), 0); err != nil {
		t.Fatal(err)
	}
	if got := contentOf(t, m, "/f"); got == "clone" {
		t.Error("the clone writes into the original")
	}
	if got := contentOf(t, after.Crash(LoseUnsynced()), "/new"); got != "new" {
		t.Errorf("a second crash: %q", got)
	}
}

func TestCrashDirectories(t *testing.T) {
	m := NewMemory()
	if err := m.MkdirAll("/d", 0o755); err != nil {
		t.Fatal(err)
	}
	create(t, m, "/d/old", "old").Sync()
	create(t, m, "/d/tmp", "fresh").Sync()
	if err := errors.Join(m.SyncDir("/d"), m.SyncDir("/")); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(m.Rename("/d/tmp", "/d/old")); err != nil {
		t.Fatal(err)
	}
	after := m.Crash(LoseUnsynced())
	if got := contentOf(t, after, "/d/old") + contentOf(t, after, "/d/tmp"); got != "oldfresh" {
		t.Errorf("the rename was not durable: %q", got)
	}
	if err := m.SyncDir("/d"); err != nil {
		t.Fatal(err)
	}
	if err := m.RemoveAll("/d"); err != nil {
		t.Fatal(err)
	}
	after = m.Crash(LoseUnsynced())
	if got := contentOf(t, after, "/d/old") + contentOf(t, after, "/d/tmp"); got != "fresh-" {
		t.Errorf("the removal was not durable: %q", got)
	}
}

// TestCrashTears sees every kind of outcome of one write of two sectors, and the same one for the same seed.
func TestCrashTears(t *testing.T) {
	m := NewMemory()
	create(t, m, "/f", strings.Repeat("-", 1024)).Sync()
	if err := m.SyncDir("/"); err != nil {
		t.Fatal(err)
	}
	create(t, m, "/f", strings.Repeat("x", 1024))
	seen := map[string]bool{}
	for seed := range uint64(64) {
		got := contentOf(t, m.Crash(KeepSome(seed, 512)), "/f")
		if again := contentOf(t, m.Crash(KeepSome(seed, 512)), "/f"); again != got {
			t.Fatal("the same seed gives another disk")
		}
		for _, sector := range []string{got[:512], got[512:]} {
			if strings.Trim(sector, sector[:1]) != "" {
				t.Fatal("torn inside a sector")
			}
		}
		seen[got[:1]+got[1023:]] = true
	}
	if len(seen) != 4 {
		t.Errorf("saw %v, want all four", seen)
	}
}
