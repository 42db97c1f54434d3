package commitlog

import (
	"errors"
	"io/fs"

	"github.com/ottla/ottla/internal/vfs"
)

// crowdedFS is a Dir's file system in a process that may run out of file descriptors, of which clients' connections take as
// many as they like: instead of failing, which would take the directory offline, it closes files that are open for speed.
type crowdedFS struct {
	vfs.FS
	files *openFiles
}

// maxMakeRoom bounds how often room is made for one call: others may take it at once.
const maxMakeRoom = 16

func (c crowdedFS) OpenFile(name string, flag int, perm fs.FileMode) (f vfs.File, err error) {
	err = c.retry(func() error {
		f, err = c.FS.OpenFile(name, flag, perm)
		return err
	})
	return f, err
}

func (c crowdedFS) ReadDir(path string) (entries []fs.DirEntry, err error) {
	err = c.retry(func() error {
		entries, err = c.FS.ReadDir(path)
		return err
	})
	return entries, err
}

func (c crowdedFS) SyncDir(path string) error {
	return c.retry(func() error { return c.FS.SyncDir(path) })
}

// SyncAll implements vfs.AllSyncer if the inner file system does.
func (c crowdedFS) SyncAll(path string) error {
	if all, ok := c.FS.(vfs.AllSyncer); ok {
		return c.retry(func() error { return all.SyncAll(path) })
	}
	return errors.ErrUnsupported
}

func (c crowdedFS) retry(try func() error) error {
	for range maxMakeRoom {
		if err := try(); !vfs.IsTooManyFiles(err) || !c.files.closeSome() {
			return err
		}
	}
	return try()
}
