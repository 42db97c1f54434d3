package vfs

import (
	"io"
	"io/fs"
	"sync/atomic"
)

type memoryFile struct {
	disk     *Memory
	node     *node
	name     string
	writable bool
	closed   atomic.Bool
}

func (f *memoryFile) Name() string { return f.name }

func (f *memoryFile) Close() error {
	if f.closed.Swap(true) {
		return pathError("close", f.name, fs.ErrClosed)
	}
	return nil
}

// begin takes the disk's mutex for an operation on an open file.
func (f *memoryFile) begin(op string, write bool) error {
	if f.closed.Load() {
		return pathError(op, f.name, fs.ErrClosed)
	}
	if write && !f.writable {
		return pathError(op, f.name, fs.ErrPermission)
	}
	f.disk.mu.Lock()
	return nil
}

func (f *memoryFile) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, pathError("read", f.name, fs.ErrInvalid)
	}
	if err := f.begin("read", false); err != nil {
		return 0, err
	}
	defer f.disk.mu.Unlock()
	if off >= int64(len(f.node.data)) {
		return 0, io.EOF
	}
	n := copy(p, f.node.data[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (f *memoryFile) WriteAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, pathError("write", f.name, fs.ErrInvalid)
	}
	if err := f.begin("write", true); err != nil {
		return 0, err
	}
	defer f.disk.mu.Unlock()
	if len(p) == 0 {
		return 0, nil
	}
	room := max(0, f.disk.mu.size-f.disk.mu.used) + f.node.space() // where the file could end
	fits := p[:max(0, min(int64(len(p)), room-off))]
	if len(fits) > 0 {
		before := f.node.space()
		f.node.write(fits, off)
		f.disk.mu.used += f.node.space() - before
	}
	if len(fits) < len(p) {
		return len(fits), pathError("write", f.name, ErrNoSpace)
	}
	return len(p), nil
}

func (f *memoryFile) Truncate(size int64) error {
	if size < 0 {
		return pathError("truncate", f.name, fs.ErrInvalid)
	}
	if err := f.begin("truncate", true); err != nil {
		return err
	}
	defer f.disk.mu.Unlock()
	f.disk.resize(f.node, size)
	return nil
}

// resize truncates a file and keeps the count of used bytes. The caller holds m.mu.
func (m *Memory) resize(n *node, size int64) {
	before := n.space()
	n.truncate(size)
	n.reserved = 0
	m.mu.used += n.space() - before
}

func (f *memoryFile) Size() (int64, error) {
	if err := f.begin("stat", false); err != nil {
		return 0, err
	}
	defer f.disk.mu.Unlock()
	return int64(len(f.node.data)), nil
}

func (f *memoryFile) Sync() error {
	if err := f.begin("sync", false); err != nil {
		return err
	}
	defer f.disk.mu.Unlock()
	f.node.sync()
	return nil
}

func (f *memoryFile) SyncData() error { return f.Sync() }

func (f *memoryFile) Preallocate(off, size int64) error {
	if off < 0 || size <= 0 {
		return pathError("fallocate", f.name, fs.ErrInvalid)
	}
	if err := f.begin("fallocate", true); err != nil {
		return err
	}
	defer f.disk.mu.Unlock()
	grown := max(0, off+size-f.node.space())
	if f.disk.mu.used+grown > f.disk.mu.size {
		return pathError("fallocate", f.name, ErrNoSpace)
	}
	f.node.reserved = max(f.node.reserved, off+size)
	f.disk.mu.used += grown
	return nil
}

// Written implements [WrittenFile].
func (f *memoryFile) Written() error { return nil }
