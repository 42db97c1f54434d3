package vfs

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// everyFS runs a test on the real disk and in memory: the two must behave alike.
func everyFS(t *testing.T, test func(t *testing.T, fsys FS, dir string)) {
	t.Run("disk", func(t *testing.T) { test(t, Disk(), t.TempDir()) })
	t.Run("memory", func(t *testing.T) {
		m := NewMemory()
		if err := m.MkdirAll("/a/b", 0o755); err != nil {
			t.Fatal(err)
		}
		test(t, m, "/a/b")
	})
	t.Run("faulty without rules", func(t *testing.T) { test(t, Faulty(Disk()), t.TempDir()) })
}

func create(t *testing.T, fsys FS, name, content string) File {
	t.Helper()
	f, err := fsys.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt([]byte(content), 0); err != nil {
		t.Fatal(err)
	}
	return f
}

func contentOf(t *testing.T, fsys FS, name string) string {
	t.Helper()
	f, err := fsys.OpenFile(name, os.O_RDONLY, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return "-"
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	size, err := f.Size()
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, size)
	if _, err := f.ReadAt(b, 0); err != nil && size > 0 {
		t.Fatal(err)
	}
	return string(b)
}

func TestFiles(t *testing.T) {
	everyFS(t, func(t *testing.T, fsys FS, dir string) {
		name := filepath.Join(dir, "file")
		f := create(t, fsys, name, "hello")
		if err := errors.Join(f.Preallocate(5, 1000), f.SyncData(), f.Sync(), fsys.SyncDir(dir)); err != nil {
			t.Fatal(err)
		}
		if size, _ := f.Size(); size != 5 {
			t.Errorf("preallocation changed the size to %d", size)
		}
		b := make([]byte, 10)
		if n, err := f.ReadAt(b, 3); n != 2 || err != io.EOF {
			t.Errorf("read over the end: %d, %v", n, err)
		}
		if _, err := f.WriteAt([]byte("x"), 8); err != nil {
			t.Fatal(err)
		}
		if got := contentOf(t, fsys, name); got != "hello\x00\x00\x00x" {
			t.Errorf("after a write beyond the end: %q", got)
		}
		if err := f.Truncate(2); err != nil {
			t.Fatal(err)
		}
		moved := filepath.Join(dir, "moved")
		create(t, fsys, moved, "to be replaced").Close()
		if err := fsys.Rename(name, moved); err != nil {
			t.Fatal(err)
		}
		if got := contentOf(t, fsys, moved); got != "he" || contentOf(t, fsys, name) != "-" {
			t.Errorf("after the rename: %q", got)
		}
		if err := fsys.Remove(moved); err != nil {
			t.Fatal(err)
		}
		if n, err := f.ReadAt(b[:2], 0); n != 2 || err != nil {
			t.Errorf("a removed file that is open: %d, %v", n, err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := f.ReadAt(b, 0); !errors.Is(err, fs.ErrClosed) {
			t.Errorf("read after close: %v", err)
		}
	})
}

func TestDirectories(t *testing.T) {
	everyFS(t, func(t *testing.T, fsys FS, dir string) {
		deep := filepath.Join(dir, "x", "y")
		if err := fsys.MkdirAll(deep, 0o755); err != nil {
			t.Fatal(err)
		}
		create(t, fsys, filepath.Join(deep, "2"), "22").Close()
		create(t, fsys, filepath.Join(deep, "1"), "1").Close()
		entries, err := fsys.ReadDir(deep)
		if err != nil || len(entries) != 2 || entries[0].Name() != "1" || entries[1].IsDir() {
			t.Fatalf("read dir: %v, %v", entries, err)
		}
		if info, err := entries[1].Info(); err != nil || info.Size() != 2 {
			t.Errorf("info: %v, %v", info, err)
		}
		if err := fsys.Rename(filepath.Join(dir, "x"), filepath.Join(dir, "z")); err != nil {
			t.Fatal(err)
		}
		if err := fsys.Remove(filepath.Join(dir, "z")); err == nil {
			t.Error("removed a directory that is not empty")
		}
		if err := errors.Join(fsys.RemoveAll(filepath.Join(dir, "z")), fsys.RemoveAll(filepath.Join(dir, "z"))); err != nil {
			t.Fatal(err)
		}
		if _, err := fsys.Stat(filepath.Join(dir, "z")); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("stat: %v", err)
		}
		if _, err := fsys.OpenFile(filepath.Join(dir, "no", "file"), os.O_RDWR|os.O_CREATE, 0o644); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("create without a directory: %v", err)
		}
		if free, total, err := fsys.Space(dir); err != nil || free <= 0 || total < free {
			t.Errorf("space: %d of %d, %v", free, total, err)
		}
	})
}

func TestLock(t *testing.T) {
	everyFS(t, func(t *testing.T, fsys FS, dir string) {
		name := filepath.Join(dir, ".lock")
		lock, err := fsys.Lock(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := fsys.Lock(name); !errors.Is(err, ErrLocked) {
			t.Fatalf("second lock: %v", err)
		}
		if err := lock.Close(); err != nil {
			t.Fatal(err)
		}
		lock, err = fsys.Lock(name)
		if err != nil {
			t.Fatalf("after the release: %v", err)
		}
		lock.Close()
	})
}

func TestFaults(t *testing.T) {
	broken := errors.New("broken")
	f := Faulty(NewMemory(), Rule{Op: OpWrite, Path: "*.log", From: 2, Times: 1, Err: ErrNoSpace, Short: 3}, Rule{Op: OpSync, Path: "b*", Err: broken})
	a := create(t, f, "/a.log", "first")
	if n, err := a.WriteAt([]byte("second"), 5); n != 3 || !IsNoSpace(err) {
		t.Errorf("second write: %d, %v", n, err)
	}
	if n, err := a.WriteAt([]byte("third"), 8); n != 5 || err != nil {
		t.Errorf("third write: %d, %v", n, err)
	}
	if err := a.Sync(); err != nil {
		t.Errorf("sync of another file: %v", err)
	}
	b := create(t, f, "/b.log", "x")
	if err := b.SyncData(); !errors.Is(err, broken) {
		t.Errorf("sync: %v", err)
	}
	f.Heal()
	f.Add(Rule{Op: OpRead, Flip: 3})
	if got := contentOf(t, f, "/a.log"); got == "firstsecthird" || len(got) != 13 || got[:2] != "fi" {
		t.Errorf("read with a flipped bit: %q", got)
	}
}

func TestMemoryFillsUp(t *testing.T) {
	m := NewMemory()
	m.SetSize(10)
	f := create(t, m, "/f", "12345678")
	if n, err := f.WriteAt([]byte("abc"), 8); n != 2 || !IsNoSpace(err) {
		t.Fatalf("beyond the end of the disk: %d, %v", n, err)
	}
	if n, err := f.WriteAt([]byte("overwrites"), 0); n != 10 || err != nil {
		t.Fatalf("what is there: %d, %v", n, err)
	}
	if err := f.Truncate(4); err != nil {
		t.Fatal(err)
	}
	if err := f.Preallocate(4, 7); !IsNoSpace(err) {
		t.Fatalf("more than there is: %v", err)
	}
	if err := f.Preallocate(4, 6); err != nil {
		t.Fatal(err)
	}
	g := create(t, m, "/g", "")
	if n, err := g.WriteAt([]byte("x"), 0); n != 0 || !IsNoSpace(err) {
		t.Fatalf("another file has reserved all: %d, %v", n, err)
	}
	if n, err := f.WriteAt([]byte("567890"), 4); n != 6 || err != nil {
		t.Fatalf("into the reserved space: %d, %v", n, err)
	}
	if err := f.Truncate(4); err != nil {
		t.Fatal(err)
	}
	if err := m.Remove("/f"); err != nil {
		t.Fatal(err)
	}
	create(t, m, "/h", "1234567890")
}

func TestNoSpaceAndWorse(t *testing.T) {
	full := pathError("write", "/f", ErrNoSpace)
	if !IsNoSpace(errors.Join(full, full)) || IsNoSpace(errors.Join(full, errors.New("broken"))) || IsNoSpace(nil) {
		t.Error("of joined errors all must be a full disk")
	}
}
