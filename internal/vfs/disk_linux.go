package vfs

import (
	"errors"
	"io"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

func syncData(f *os.File) error {
	return control(f, "fdatasync", func(fd int) error { return unix.Fdatasync(fd) })
}

func preallocate(f *os.File, off, size int64) error {
	err := control(f, "fallocate", func(fd int) error {
		return unix.Fallocate(fd, unix.FALLOC_FL_KEEP_SIZE, off, size)
	})
	if errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.ENOSYS) {
		return nil
	}
	return err
}

// control runs a system call on the file's descriptor, which cannot be closed meanwhile.
func control(f *os.File, op string, call func(fd int) error) error {
	raw, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	if err := raw.Control(func(fd uintptr) {
		failed = retryInterrupted(func() error { return call(int(fd)) })
	}); err != nil {
		return err
	}
	if failed != nil {
		return &fs.PathError{Op: op, Path: f.Name(), Err: failed}
	}
	return nil
}

// lockRecord takes the lock of fcntl besides that of flock, which knows nothing of it: Java's FileLock, by which Kafka keeps others out
// of a log directory, is one of fcntl. It belongs to the open file, not to the process, and goes when that is closed. A file system
// that has none is used with flock alone.
func lockRecord(f *os.File) error {
	whole := unix.Flock_t{Type: unix.F_WRLCK, Whence: io.SeekStart}
	err := retryInterrupted(func() error { return unix.FcntlFlock(f.Fd(), unix.F_OFD_SETLK, &whole) })
	switch {
	case errors.Is(err, unix.EAGAIN), errors.Is(err, unix.EACCES):
		return ErrLocked
	case errors.Is(err, unix.EINVAL), errors.Is(err, unix.ENOLCK), errors.Is(err, unix.EOPNOTSUPP), errors.Is(err, unix.ENOSYS):
		return nil
	}
	return err
}

// SyncAll implements [AllSyncer] (syncfs) on file systems that are known to write names, contents and sizes and then flush
// the device. Others, such as those of FUSE, may return before that.
func (disk) SyncAll(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	defer d.Close()
	return control(d, "syncfs", func(fd int) error {
		var s unix.Statfs_t
		if err := unix.Fstatfs(fd, &s); err != nil {
			return err
		}
		switch s.Type {
		case unix.EXT4_SUPER_MAGIC, unix.XFS_SUPER_MAGIC, unix.BTRFS_SUPER_MAGIC:
			return unix.Syncfs(fd)
		}
		return errors.ErrUnsupported
	})
}

// Written implements [WrittenFile]: waiting for writes that are under way, of which there are none, returns what went wrong
// with those that are done.
func (f diskFile) Written() error {
	return control(f.File, "sync_file_range", func(fd int) error {
		return unix.SyncFileRange(fd, 0, 0, unix.SYNC_FILE_RANGE_WAIT_BEFORE)
	})
}
