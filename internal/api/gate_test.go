package api

import (
	"io/fs"
	"sync"

	"github.com/ottla/ottla/internal/vfs"
)

// gate is a disk whose syncs wait while it is shut.
type gate struct {
	vfs.FS
	mu struct {
		sync.Mutex
		open chan struct{}
	}
}

func newGate(inner vfs.FS) *gate {
	g := &gate{FS: inner}
	g.mu.open = make(chan struct{})
	close(g.mu.open)
	return g
}

func (g *gate) shut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.mu.open = make(chan struct{})
}

func (g *gate) reopen() {
	g.mu.Lock()
	defer g.mu.Unlock()
	close(g.mu.open)
}

func (g *gate) pass() {
	g.mu.Lock()
	open := g.mu.open
	g.mu.Unlock()
	<-open
}

func (g *gate) OpenFile(name string, flag int, perm fs.FileMode) (vfs.File, error) {
	f, err := g.FS.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	return gatedFile{f, g}, nil
}

type gatedFile struct {
	vfs.File
	gate *gate
}

func (f gatedFile) SyncData() error { f.gate.pass(); return f.File.SyncData() }
func (f gatedFile) Sync() error     { f.gate.pass(); return f.File.Sync() }
