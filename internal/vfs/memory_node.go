package vfs

import (
	"io/fs"
	"time"
)

// node is a file or a directory. For each it keeps the state that running programs see, the state that is
// durable, and the changes between the two in order. Memory's mutex guards it.
type node struct {
	mode     fs.FileMode
	modified time.Time

	data     []byte
	durable  []byte
	changes  []change
	reserved int64 // space is reserved up to here, beyond the end of data

	entries        map[string]*node // nil for a file
	durableEntries map[string]*node
	namings        []naming
}

// change is one write (data at off), or a truncation to off if data is nil.
type change struct {
	off  int64
	data []byte
}

// naming is one change of a directory: name remove goes (if set), name set comes (if node is set).
type naming struct {
	remove, set string
	node        *node
}

func newDirectory() *node {
	return &node{mode: fs.ModeDir | 0o755, modified: time.Now(), entries: map[string]*node{}, durableEntries: map[string]*node{}}
}

// space is what a file takes of the disk.
func (n *node) space() int64 { return max(int64(len(n.data)), n.reserved) }

func (n *node) isDir() bool { return n.entries != nil }

func (n *node) link(name string, child *node) { n.apply(naming{set: name, node: child}) }
func (n *node) unlink(name string)            { n.apply(naming{remove: name}) }

func (n *node) apply(c naming) {
	c.applyTo(n.entries)
	n.namings = append(n.namings, c)
}

func (c naming) applyTo(entries map[string]*node) {
	if c.remove != "" {
		delete(entries, c.remove)
	}
	if c.node != nil {
		entries[c.set] = c.node
	}
}

// clear removes all names below a directory, each as a change of its own.
func (n *node) clear() {
	for name, child := range n.entries {
		child.clear()
		n.unlink(name)
	}
}

func (n *node) syncNames() {
	for _, c := range n.namings {
		c.applyTo(n.durableEntries)
	}
	n.namings = nil
}

func (n *node) write(p []byte, off int64) {
	c := change{off: off, data: append([]byte{}, p...)}
	n.data = c.applyTo(n.data)
	n.changes = append(n.changes, c)
	n.modified = time.Now()
}

func (n *node) truncate(size int64) {
	c := change{off: size}
	n.data = c.applyTo(n.data)
	n.changes = append(n.changes, c)
	n.modified = time.Now()
}

func (n *node) sync() {
	for _, c := range n.changes {
		n.durable = c.applyTo(n.durable)
	}
	n.changes = nil
}

// syncAll makes a node and all below it durable.
func (n *node) syncAll() {
	n.sync()
	n.syncNames()
	for _, child := range n.entries {
		child.syncAll()
	}
}

func (c change) applyTo(b []byte) []byte {
	if c.data == nil {
		return resized(b, c.off)
	}
	if end := c.off + int64(len(c.data)); end > int64(len(b)) {
		b = resized(b, end)
	}
	copy(b[c.off:], c.data)
	return b
}

// resized cuts b or extends it with zeros.
func resized(b []byte, size int64) []byte {
	if size <= int64(len(b)) {
		return b[:size:size]
	}
	return append(b, make([]byte, size-int64(len(b)))...)
}

func (n *node) info(name string) fs.FileInfo {
	return nodeInfo{name: name, size: int64(len(n.data)), mode: n.mode, modified: n.modified}
}

type nodeInfo struct {
	name     string
	size     int64
	mode     fs.FileMode
	modified time.Time
}

func (i nodeInfo) Name() string       { return i.name }
func (i nodeInfo) Size() int64        { return i.size }
func (i nodeInfo) Mode() fs.FileMode  { return i.mode }
func (i nodeInfo) ModTime() time.Time { return i.modified }
func (i nodeInfo) IsDir() bool        { return i.mode.IsDir() }
func (i nodeInfo) Sys() any           { return nil }
