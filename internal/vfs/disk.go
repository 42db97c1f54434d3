package vfs

import (
	"io"
	"io/fs"
	"os"
)

// Disk returns the machine's file system.
func Disk() FS { return disk{} }

type disk struct{}

func (disk) OpenFile(name string, flag int, perm fs.FileMode) (File, error) {
	f, err := openFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	return diskFile{f}, nil
}

func (disk) MkdirAll(path string, perm fs.FileMode) error { return os.MkdirAll(path, perm) }
func (disk) Remove(name string) error                     { return os.Remove(name) }
func (disk) RemoveAll(path string) error                  { return os.RemoveAll(path) }
func (disk) Rename(from, to string) error                 { return os.Rename(from, to) }
func (disk) ReadDir(path string) ([]fs.DirEntry, error)   { return os.ReadDir(path) }
func (disk) Stat(name string) (fs.FileInfo, error)        { return os.Stat(name) }
func (disk) SyncDir(path string) error                    { return syncDir(path) }
func (disk) Space(path string) (free, total int64, err error) {
	return space(path)
}

func (disk) Lock(name string) (io.Closer, error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	if err := lockFile(f); err != nil {
		f.Close()
		return nil, &fs.PathError{Op: "lock", Path: name, Err: err}
	}
	return f, nil
}

type diskFile struct{ *os.File }

func (f diskFile) Size() (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

func (f diskFile) SyncData() error { return syncData(f.File) }

func (f diskFile) Preallocate(off, size int64) error { return preallocate(f.File, off, size) }

// OS returns the operating system's file, for callers that hand it to sendfile.
func (f diskFile) OS() *os.File { return f.File }
