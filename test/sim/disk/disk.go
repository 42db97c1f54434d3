package disk

import (
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/ottla/ottla/internal/vfs"
)

// ErrGone is what the operations of a mount that was cut return.
var ErrGone = errors.New("the process of this disk has ended")

// Disk is a node's disk. It is mounted by one process at a time.
type Disk struct {
	latency time.Duration
	random  *rand.Rand // guarded by mu
	mu      struct {
		sync.Mutex
		memory *vfs.Memory
		mount  *Mount
		slow   string        // a path; syncs below it take longer
		by     time.Duration // how much
	}
}

// New returns an empty disk whose syncs take about the given time: half as long to twice as long, and now and then ten times.
func New(seed uint64, latency time.Duration) *Disk {
	d := &Disk{latency: latency, random: rand.New(rand.NewPCG(seed, 17))}
	d.mu.memory = vfs.NewMemory()
	return d
}

// Memory is what is on the disk now.
func (d *Disk) Memory() *vfs.Memory {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.mu.memory
}

// Mount gives the disk to a new process.
func (d *Disk) Mount() *Mount {
	d.mu.Lock()
	defer d.mu.Unlock()
	m := &Mount{disk: d, faults: vfs.Faulty(d.mu.memory), gate: make(chan struct{})}
	close(m.gate)
	d.mu.mount = m
	return m
}

// Cut ends the mount: the disk is as the loss leaves it.
func (d *Disk) Cut(loss vfs.Loss) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if m := d.mu.mount; m != nil {
		m.end()
		d.mu.mount = nil
	}
	d.mu.memory = d.mu.memory.Crash(loss)
}

// Slow has syncs below a path take longer by the given time, from the next on; 0 ends it.
func (d *Disk) Slow(path string, by time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.mu.slow, d.mu.by = path, by
}

// Replace gives the node an empty disk. It is called while no process runs.
func (d *Disk) Replace() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.mu.memory = vfs.NewMemory()
}

func (d *Disk) syncTime(path string) time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	took := d.latency/2 + time.Duration(d.random.Int64N(int64(d.latency)*3/2))
	if d.random.IntN(100) == 0 {
		took *= 10
	}
	if d.mu.by > 0 && strings.HasPrefix(path, d.mu.slow+"/") {
		took += d.mu.by
	}
	return took
}

// Mount is a disk as a process sees it.
type Mount struct {
	disk   *Disk
	faults *vfs.FaultyFS
	gone   bool          // guarded by mu
	mu     sync.RWMutex  // read while an operation is done, so that none goes on after the cut
	gate   chan struct{} // closed unless the mount is paused; guarded by mu
}

// Faults are rules for what goes wrong on this mount.
func (m *Mount) Faults() *vfs.FaultyFS { return m.faults }

func (m *Mount) end() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.gone = true
	m.open()
}

// Pause has all syncs wait until Resume.
func (m *Mount) Pause() {
	m.mu.Lock()
	defer m.mu.Unlock()
	select {
	case <-m.gate:
		m.gate = make(chan struct{})
	default:
	}
}

// Resume ends a pause.
func (m *Mount) Resume() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.open()
}

func (m *Mount) open() {
	select {
	case <-m.gate:
	default:
		close(m.gate)
	}
}

// do runs an operation unless the process has ended.
func (m *Mount) do(f func() error) error {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if m.gone {
		return ErrGone
	}
	return f()
}

// await is the time that a sync takes.
func (m *Mount) await(path string) {
	time.Sleep(m.disk.syncTime(path))
	m.mu.RLock()
	gate := m.gate
	m.mu.RUnlock()
	<-gate
}

// OpenFile implements vfs.FS, as do the other methods.
func (m *Mount) OpenFile(name string, flag int, perm fs.FileMode) (vfs.File, error) {
	var f vfs.File
	err := m.do(func() (err error) { f, err = m.faults.OpenFile(name, flag, perm); return err })
	if err != nil {
		return nil, err
	}
	return &file{File: f, mount: m, name: name, slow: slow(name)}, nil
}

func (m *Mount) MkdirAll(path string, perm fs.FileMode) error {
	return m.do(func() error { return m.faults.MkdirAll(path, perm) })
}

func (m *Mount) Remove(name string) error { return m.do(func() error { return m.faults.Remove(name) }) }

func (m *Mount) RemoveAll(path string) error {
	return m.do(func() error { return m.faults.RemoveAll(path) })
}

func (m *Mount) Rename(from, to string) error {
	return m.do(func() error { return m.faults.Rename(from, to) })
}

func (m *Mount) ReadDir(path string) (all []fs.DirEntry, err error) {
	err = m.do(func() (err error) { all, err = m.faults.ReadDir(path); return err })
	return all, err
}

func (m *Mount) Stat(name string) (info fs.FileInfo, err error) {
	err = m.do(func() (err error) { info, err = m.faults.Stat(name); return err })
	return info, err
}

func (m *Mount) SyncDir(path string) error {
	return m.do(func() error { return m.faults.SyncDir(path) })
}

func (m *Mount) Lock(name string) (lock io.Closer, err error) {
	err = m.do(func() (err error) { lock, err = m.faults.Lock(name); return err })
	return lock, err
}

func (m *Mount) Space(path string) (free, total int64, err error) {
	err = m.do(func() (err error) { free, total, err = m.faults.Space(path); return err })
	return free, total, err
}

// SyncAll implements vfs.AllSyncer.
func (m *Mount) SyncAll(path string) error {
	m.await(path + "/")
	return m.do(func() error { return m.faults.SyncAll(path) })
}

// file is an open file of a mount.
type file struct {
	vfs.File
	mount *Mount
	name  string
	slow  bool
}

func (f *file) ReadAt(p []byte, off int64) (n int, err error) {
	err = f.mount.do(func() (err error) { n, err = f.File.ReadAt(p, off); return err })
	return n, err
}

func (f *file) WriteAt(p []byte, off int64) (n int, err error) {
	err = f.mount.do(func() (err error) { n, err = f.File.WriteAt(p, off); return err })
	return n, err
}

func (f *file) Size() (n int64, err error) {
	err = f.mount.do(func() (err error) { n, err = f.File.Size(); return err })
	return n, err
}

func (f *file) Truncate(size int64) error {
	return f.mount.do(func() error { return f.File.Truncate(size) })
}

func (f *file) Preallocate(off, size int64) error {
	return f.mount.do(func() error { return f.File.Preallocate(off, size) })
}

func (f *file) Sync() error { return f.sync(f.File.Sync) }

func (f *file) SyncData() error { return f.sync(f.File.SyncData) }

func (f *file) sync(do func() error) error {
	if f.slow {
		f.mount.await(f.name)
	}
	return f.mount.do(do)
}

func (f *file) Written() error {
	if w, ok := f.File.(vfs.WrittenFile); ok {
		return f.mount.do(w.Written)
	}
	return errors.ErrUnsupported
}
