package vfs

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
)

// Op names what a [Rule] applies to.
type Op uint8

// The operations that can fail.
const (
	OpOpen Op = iota
	OpRead
	OpWrite
	OpSync // Sync and SyncData
	OpTruncate
	OpPreallocate
	OpMkdir
	OpRemove
	OpRename
	OpReadDir
	OpSyncDir
)

// Rule says which operation goes wrong, and how. A rule with no Err, no Short and no Flip has no effect.
type Rule struct {
	Op Op
	// Path is matched with filepath.Match against the last name of the path; "" matches all.
	Path string
	// From counts matching operations: the From-th, from 1, is the first that goes wrong. 0 means 1.
	From int
	// Times is how many go wrong; 0 means all from then on.
	Times int
	// Err is what the operation returns. A write, read or other change is not done then, but for Short.
	Err error
	// Short, with Err on OpWrite, is how many bytes get written before the failure.
	Short int
	// Flip, on OpRead, inverts one bit in each read that covers the byte at this position of the file, 1-based
	// so that the zero value means none.
	Flip int64
}

// FaultyFS is an [FS] on which things go wrong. Rules can be added and dropped while it is in use.
type FaultyFS struct {
	inner FS
	mu    struct {
		sync.Mutex
		rules []*activeRule
	}
}

type activeRule struct {
	Rule
	seen int
}

// Faulty wraps an FS with rules. The first rule that applies to an operation decides; each counts on its own.
func Faulty(inner FS, rules ...Rule) *FaultyFS {
	f := &FaultyFS{inner: inner}
	f.Add(rules...)
	return f
}

// Add appends rules.
func (f *FaultyFS) Add(rules ...Rule) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, r := range rules {
		f.mu.rules = append(f.mu.rules, &activeRule{Rule: r})
	}
}

// Heal drops all rules.
func (f *FaultyFS) Heal() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.mu.rules = nil
}

// hit returns the rule that strikes this operation, or an empty one.
func (f *FaultyFS) hit(op Op, path string) Rule {
	f.mu.Lock()
	defer f.mu.Unlock()
	var struck Rule
	for _, r := range f.mu.rules {
		if r.Op != op {
			continue
		}
		if ok, err := filepath.Match(r.Path, filepath.Base(path)); r.Path != "" && (err != nil || !ok) {
			continue
		}
		r.seen++
		first := max(1, r.From)
		if r.seen >= first && (r.Times == 0 || r.seen < first+r.Times) && struck == (Rule{}) {
			struck = r.Rule
		}
	}
	return struck
}

func (f *FaultyFS) fail(op Op, name, path string) error {
	if r := f.hit(op, path); r.Err != nil {
		return pathError(name, path, r.Err)
	}
	return nil
}

// OpenFile implements [FS].
func (f *FaultyFS) OpenFile(name string, flag int, perm fs.FileMode) (File, error) {
	if err := f.fail(OpOpen, "open", name); err != nil {
		return nil, err
	}
	if flag&os.O_TRUNC != 0 {
		if err := f.fail(OpTruncate, "truncate", name); err != nil {
			return nil, err
		}
	}
	file, err := f.inner.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	return &faultyFile{File: file, rules: f}, nil
}

// MkdirAll implements [FS].
func (f *FaultyFS) MkdirAll(path string, perm fs.FileMode) error {
	if err := f.fail(OpMkdir, "mkdir", path); err != nil {
		return err
	}
	return f.inner.MkdirAll(path, perm)
}

// Remove implements [FS].
func (f *FaultyFS) Remove(name string) error {
	if err := f.fail(OpRemove, "remove", name); err != nil {
		return err
	}
	return f.inner.Remove(name)
}

// RemoveAll implements [FS].
func (f *FaultyFS) RemoveAll(path string) error {
	if err := f.fail(OpRemove, "remove", path); err != nil {
		return err
	}
	return f.inner.RemoveAll(path)
}

// Rename implements [FS]. Rules match the old path.
func (f *FaultyFS) Rename(from, to string) error {
	if err := f.fail(OpRename, "rename", from); err != nil {
		return err
	}
	return f.inner.Rename(from, to)
}

// ReadDir implements [FS].
func (f *FaultyFS) ReadDir(path string) ([]fs.DirEntry, error) {
	if err := f.fail(OpReadDir, "readdir", path); err != nil {
		return nil, err
	}
	return f.inner.ReadDir(path)
}

// Stat implements [FS].
func (f *FaultyFS) Stat(name string) (fs.FileInfo, error) { return f.inner.Stat(name) }

// SyncDir implements [FS].
func (f *FaultyFS) SyncDir(path string) error {
	if err := f.fail(OpSyncDir, "sync", path); err != nil {
		return err
	}
	return f.inner.SyncDir(path)
}

// Lock implements [FS].
func (f *FaultyFS) Lock(name string) (io.Closer, error) { return f.inner.Lock(name) }

// Space implements [FS].
func (f *FaultyFS) Space(path string) (free, total int64, err error) { return f.inner.Space(path) }

// SyncAll implements [AllSyncer] if the inner FS does. Rules for OpSync strike the files, in Written.
func (f *FaultyFS) SyncAll(path string) error {
	if all, ok := f.inner.(AllSyncer); ok {
		return all.SyncAll(path)
	}
	return errors.ErrUnsupported
}
