package broker

import (
	"io/fs"
	"os"
	"sync"

	"github.com/ottla/ottla/internal/vfs"
)

// watchedFS is a disk that calls before each operation that changes something, with its number. It cannot sync everything at
// once: each file is synced for itself.
type watchedFS struct {
	vfs.FS
	mu struct {
		sync.Mutex
		operations int
	}
	before func(operation int)
}

// step is called before the next operation.
func (w *watchedFS) step() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.mu.operations++
	w.before(w.mu.operations)
}

func (w *watchedFS) OpenFile(name string, flag int, perm fs.FileMode) (vfs.File, error) {
	if flag&(os.O_CREATE|os.O_TRUNC) != 0 {
		w.step()
	}
	file, err := w.FS.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	return &watchedFile{file, w}, nil
}

func (w *watchedFS) Remove(name string) error {
	w.step()
	return w.FS.Remove(name)
}

func (w *watchedFS) Rename(from, to string) error {
	w.step()
	return w.FS.Rename(from, to)
}

func (w *watchedFS) SyncDir(path string) error {
	w.step()
	return w.FS.SyncDir(path)
}

type watchedFile struct {
	vfs.File
	disk *watchedFS
}

func (f *watchedFile) WriteAt(p []byte, at int64) (int, error) {
	f.disk.step()
	return f.File.WriteAt(p, at)
}

func (f *watchedFile) Truncate(size int64) error {
	f.disk.step()
	return f.File.Truncate(size)
}

func (f *watchedFile) Sync() error {
	f.disk.step()
	return f.File.Sync()
}

func (f *watchedFile) SyncData() error {
	f.disk.step()
	return f.File.SyncData()
}
