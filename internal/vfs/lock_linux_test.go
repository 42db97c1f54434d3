package vfs

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// TestLockIsJavasToo: Kafka locks its log directories by fcntl.
func TestLockIsJavasToo(t *testing.T) {
	name := filepath.Join(t.TempDir(), ".lock")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	set := func(kind int16) error {
		return unix.FcntlFlock(f.Fd(), unix.F_SETLK, &unix.Flock_t{Type: kind, Whence: io.SeekStart})
	}
	if err := set(unix.F_WRLCK); err != nil {
		t.Fatal(err)
	}
	if lock, err := Disk().Lock(name); !errors.Is(err, ErrLocked) {
		t.Errorf("locked a file that Kafka has locked: %v, %v", lock, err)
	}
	if err := set(unix.F_UNLCK); err != nil {
		t.Fatal(err)
	}
	lock, err := Disk().Lock(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := set(unix.F_WRLCK); !errors.Is(err, unix.EAGAIN) && !errors.Is(err, unix.EACCES) {
		t.Errorf("Kafka could lock a file that is locked: %v", err)
	}
	if err := lock.Close(); err != nil {
		t.Fatal(err)
	}
	if err := set(unix.F_WRLCK); err != nil {
		t.Errorf("after the lock was given up: %v", err)
	}
}
