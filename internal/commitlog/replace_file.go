package commitlog

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/ottla/ottla/internal/vfs"
)

// ReplaceFile puts content at path so that after a crash either the old or the new content is there:
// written to a temporary name, synced, renamed, directory synced.
func ReplaceFile(fsys vfs.FS, path string, content []byte) error {
	if err := writeFile(fsys, path+temporarySuffix, content, true); err != nil {
		return err
	}
	if err := fsys.Rename(path+temporarySuffix, path); err != nil {
		return err
	}
	return fsys.SyncDir(filepath.Dir(path))
}

// writeFile creates or overwrites a file, and syncs it if asked.
func writeFile(fsys vfs.FS, path string, content []byte, sync bool) error {
	f, err := fsys.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(content, 0)
	if err == nil && sync {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// extendFile writes a file whose present content, if any, is a prefix of content: whatever happens, what was durable
// stays so.
func extendFile(fsys vfs.FS, path string, content []byte) error {
	f, err := fsys.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(content, 0)
	if err == nil {
		err = f.Truncate(int64(len(content)))
	}
	return errors.Join(err, f.Close())
}

// ReadFile returns the content of a file of at most limit bytes.
func ReadFile(fsys vfs.FS, path string, limit int64) ([]byte, error) {
	f, err := fsys.OpenFile(path, os.O_RDONLY, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	size, err := f.Size()
	if err != nil {
		return nil, err
	}
	if size > limit {
		return nil, &fs.PathError{Op: "read", Path: path, Err: errors.New("file is larger than anything that belongs there")}
	}
	content := make([]byte, size)
	n, err := f.ReadAt(content, 0)
	if err != nil && !(errors.Is(err, io.EOF) && int64(n) == size) {
		return nil, err
	}
	return content, nil
}

// syncFile makes a closed file's content durable.
func syncFile(fsys vfs.FS, path string) error {
	f, err := fsys.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.SyncData(), f.Close())
}

func removeIfThere(fsys vfs.FS, path string) error {
	if err := fsys.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
