package vfs

import (
	"io"
	"io/fs"
)

// FS is a file system. Errors are those of package os: errors.Is(err, fs.ErrNotExist) and fs.ErrExist hold
// where they apply.
type FS interface {
	// OpenFile opens a file with the flags of package os. os.O_APPEND is not supported: writes have positions.
	OpenFile(name string, flag int, perm fs.FileMode) (File, error)
	MkdirAll(path string, perm fs.FileMode) error
	// Remove deletes a file or an empty directory. A file that is open stays readable through its handles.
	Remove(name string) error
	// RemoveAll deletes path and what is below it. A path that does not exist is not an error.
	RemoveAll(path string) error
	// Rename moves a file or directory; a file at the target is replaced at once.
	Rename(from, to string) error
	// ReadDir lists a directory, sorted by name.
	ReadDir(path string) ([]fs.DirEntry, error)
	Stat(name string) (fs.FileInfo, error)
	// SyncDir makes the names in a directory durable. Where the platform has no such call (Windows) it does nothing.
	SyncDir(path string) error
	// Lock takes an exclusive lock by means of the named file, which it creates, without waiting; the error
	// is [ErrLocked] if somebody holds it, on Linux by fcntl too, as Java programs do. Closing the result releases the lock. It dies with the process.
	Lock(name string) (io.Closer, error)
	// Space returns the bytes free for this user, and the size, of the volume that holds path.
	Space(path string) (free, total int64, err error)
}

// File is an open file.
type File interface {
	io.ReaderAt
	// WriteAt writes all of p at off, or returns how much it wrote and why it stopped.
	io.WriterAt
	io.Closer
	// Name returns the path it was opened by.
	Name() string
	// Size returns the file's length in bytes.
	Size() (int64, error)
	// Truncate sets the length and gives back space reserved beyond it.
	Truncate(size int64) error
	// Sync makes content and all attributes durable.
	Sync() error
	// SyncData makes content and length durable (fdatasync); where the platform has no such call it is Sync.
	SyncData() error
	// Preallocate reserves space for [off, off+size) without changing the file's length. It is a hint: a
	// file system that cannot do it does nothing and returns nil; only a full disk is an error.
	Preallocate(off, size int64) error
}

// AllSyncer is an FS that can make all that was written to a volume durable at once, which costs far less than syncing a
// thousand files one by one; but it waits for what others wrote, too.
type AllSyncer interface {
	// SyncAll makes everything durable that was written to the volume that holds path, but for files of which
	// [WrittenFile.Written] then returns an error. It is errors.ErrUnsupported where the platform or the file system has no such call that can be relied on.
	SyncAll(path string) error
}

// WrittenFile is a File that can tell, after SyncAll, whether writing it back has failed.
type WrittenFile interface {
	File
	Written() error
}
