package vfs

import (
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// Memory is a disk in memory that tells what was written from what was made durable. See [Memory.Crash].
type Memory struct {
	mu struct {
		sync.Mutex
		root  *node
		locks map[string]bool
		used  int64
		size  int64
	}
}

// memorySize is the volume's size until SetSize is called.
const memorySize = 1 << 40

// NewMemory returns an empty disk of 1 TiB.
func NewMemory() *Memory {
	m := new(Memory)
	m.mu.root = newDirectory()
	m.mu.locks = make(map[string]bool)
	m.mu.size = memorySize
	return m
}

// SetSize sets the volume's size in bytes, at first 1 TiB. A write that would pass it writes what fits and fails with
// [ErrNoSpace], as on real disks. Names take no space.
func (m *Memory) SetSize(size int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.mu.size = size
}

func pathError(op, name string, err error) error {
	return &fs.PathError{Op: op, Path: name, Err: err}
}

// elements splits a path into names; "" and "." have none.
func elements(path string) []string {
	path = filepath.ToSlash(filepath.Clean(path))
	path = strings.TrimPrefix(path[len(filepath.VolumeName(path)):], "/")
	if path == "" || path == "." {
		return nil
	}
	return strings.Split(path, "/")
}

// find returns the node at path. The caller holds m.mu.
func (m *Memory) find(path string) (*node, error) {
	n := m.mu.root
	for _, name := range elements(path) {
		if !n.isDir() {
			return nil, fs.ErrNotExist
		}
		if n = n.entries[name]; n == nil {
			return nil, fs.ErrNotExist
		}
	}
	return n, nil
}

// parent returns the directory that holds path, and the last name. The caller holds m.mu.
func (m *Memory) parent(path string) (*node, string, error) {
	names := elements(path)
	if len(names) == 0 {
		return nil, "", fs.ErrInvalid
	}
	last := len(names) - 1
	dir, err := m.find(strings.Join(names[:last], "/"))
	if err == nil && !dir.isDir() {
		err = fs.ErrNotExist
	}
	return dir, names[last], err
}

// OpenFile implements [FS].
func (m *Memory) OpenFile(name string, flag int, perm fs.FileMode) (File, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	dir, base, err := m.parent(name)
	if err != nil {
		return nil, pathError("open", name, err)
	}
	n := dir.entries[base]
	switch {
	case n == nil && flag&os.O_CREATE == 0:
		return nil, pathError("open", name, fs.ErrNotExist)
	case n == nil:
		n = &node{mode: perm, modified: time.Now()}
		dir.link(base, n)
	case n.isDir():
		return nil, pathError("open", name, fs.ErrInvalid)
	case flag&(os.O_CREATE|os.O_EXCL) == os.O_CREATE|os.O_EXCL:
		return nil, pathError("open", name, fs.ErrExist)
	case flag&os.O_TRUNC != 0:
		m.resize(n, 0)
	}
	return &memoryFile{disk: m, node: n, name: name, writable: flag&(os.O_RDWR|os.O_WRONLY) != 0}, nil
}

// MkdirAll implements [FS].
func (m *Memory) MkdirAll(path string, _ fs.FileMode) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	dir := m.mu.root
	for _, name := range elements(path) {
		next := dir.entries[name]
		if next == nil {
			next = newDirectory()
			dir.link(name, next)
		}
		if !next.isDir() {
			return pathError("mkdir", path, fs.ErrExist)
		}
		dir = next
	}
	return nil
}

// Remove implements [FS].
func (m *Memory) Remove(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	dir, base, err := m.parent(name)
	if err == nil && dir.entries[base] == nil {
		err = fs.ErrNotExist
	}
	if err == nil && len(dir.entries[base].entries) > 0 {
		err = fs.ErrExist
	}
	if err != nil {
		return pathError("remove", name, err)
	}
	m.forget(dir.entries[base])
	dir.unlink(base)
	return nil
}

// RemoveAll implements [FS].
func (m *Memory) RemoveAll(path string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	dir, base, err := m.parent(path)
	if err != nil || dir.entries[base] == nil {
		return nil
	}
	m.forget(dir.entries[base])
	dir.entries[base].clear()
	dir.unlink(base)
	return nil
}

// forget gives back the space of a node and what is below it.
func (m *Memory) forget(n *node) {
	m.mu.used -= n.space()
	for _, child := range n.entries {
		m.forget(child)
	}
}

// Rename implements [FS].
func (m *Memory) Rename(from, to string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	source, oldName, err := m.parent(from)
	if err == nil && source.entries[oldName] == nil {
		err = fs.ErrNotExist
	}
	if err != nil {
		return pathError("rename", from, err)
	}
	target, newName, err := m.parent(to)
	if err == nil && target.entries[newName] != nil && target.entries[newName].isDir() {
		err = fs.ErrExist
	}
	if err != nil {
		return pathError("rename", to, err)
	}
	if old := target.entries[newName]; old != nil && old != source.entries[oldName] {
		m.forget(old)
	}
	moved := source.entries[oldName]
	if source == target {
		source.apply(naming{remove: oldName, set: newName, node: moved})
		return nil
	}
	target.link(newName, moved)
	source.unlink(oldName)
	return nil
}

// ReadDir implements [FS].
func (m *Memory) ReadDir(path string) ([]fs.DirEntry, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	n, err := m.find(path)
	if err != nil {
		return nil, pathError("open", path, err)
	}
	if !n.isDir() {
		return nil, pathError("readdir", path, fs.ErrInvalid)
	}
	entries := make([]fs.DirEntry, 0, len(n.entries))
	for name, child := range n.entries {
		entries = append(entries, fs.FileInfoToDirEntry(child.info(name)))
	}
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return entries, nil
}

// Stat implements [FS].
func (m *Memory) Stat(name string) (fs.FileInfo, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	n, err := m.find(name)
	if err != nil {
		return nil, pathError("stat", name, err)
	}
	return n.info(filepath.Base(name)), nil
}

// SyncDir implements [FS].
func (m *Memory) SyncDir(path string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	n, err := m.find(path)
	if err == nil && !n.isDir() {
		err = fs.ErrInvalid
	}
	if err != nil {
		return pathError("sync", path, err)
	}
	n.syncNames()
	return nil
}

// SyncAll implements [AllSyncer].
func (m *Memory) SyncAll(string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.mu.root.syncAll()
	return nil
}

// Space implements [FS].
func (m *Memory) Space(string) (free, total int64, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return max(0, m.mu.size-m.mu.used), m.mu.size, nil
}

// Lock implements [FS].
func (m *Memory) Lock(name string) (io.Closer, error) {
	f, err := m.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	f.Close()
	m.mu.Lock()
	defer m.mu.Unlock()
	key := strings.Join(elements(name), "/")
	if m.mu.locks[key] {
		return nil, pathError("lock", name, ErrLocked)
	}
	m.mu.locks[key] = true
	return &memoryLock{disk: m, key: key}, nil
}

type memoryLock struct {
	disk *Memory
	key  string
	once sync.Once
}

func (l *memoryLock) Close() error {
	l.once.Do(func() {
		l.disk.mu.Lock()
		defer l.disk.mu.Unlock()
		delete(l.disk.mu.locks, l.key)
	})
	return nil
}
