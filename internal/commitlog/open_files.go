package commitlog

import (
	"errors"
	"sync"
	"sync/atomic"

	"github.com/ottla/ottla/internal/vfs"
)

// openFiles bounds the files of segments that a Dir has open at once. A file is opened when it is used and stays open until
// others need its place: those that were used lately stay (the clock algorithm). Using an open file takes no lock, only a
// pin on the file itself.
//
// A file with bytes that were not synced is never closed to make room: a failure to write them back must reach the
// fdatasync that acknowledges them, and a file that was closed and opened again might not be told. So while more files than
// limit have such bytes there are more than limit open, until a flush; at most are allowed at all, and the next one is opened
// after another was synced.
type openFiles struct {
	limit int
	most  int
	fail  func(error) // told of a sync that failed
	count atomic.Int32

	mu struct {
		sync.Mutex
		ring []*openFile
		hand int
	}
}

// Bounds of Options.OpenFiles: those of Dirs that did not say, and what is needed to work at all.
const (
	defaultOpenFiles = 1024
	minOpenFiles     = 4
	// overdraft is how many times limit may be open while files wait for a flush.
	overdraft = 4
	// maxClockSteps bounds the search for a file to close.
	maxClockSteps = 64
)

func newOpenFiles(limit int, fail func(error)) *openFiles {
	limit = max(limit, minOpenFiles)
	return &openFiles{limit: limit, most: overdraft * limit, fail: fail}
}

// openFile is an open file. Whoever uses it has pinned it, and calls done.
type openFile struct {
	vfs.File
	in    *openFiles
	slot  *fileSlot
	place int // in the ring; the cache's mutex guards it
	count int // of the entries, if it is an index

	pins atomic.Int32 // users, and one while it is in its slot; 0: closed
	used atomic.Bool  // since the clock's hand passed

	changes atomic.Int64 // writes and truncations that are done
	synced  atomic.Int64 // changes when the last good sync began
}

// fileSlot is where a segment finds one of its files, if that is open.
type fileSlot struct{ atomic.Pointer[openFile] }

// use pins the file if it is open.
func (s *fileSlot) use() *openFile {
	f := s.Load()
	if f == nil || !f.pin() {
		return nil
	}
	if !f.used.Load() {
		f.used.Store(true)
	}
	return f
}

func (f *openFile) pin() bool {
	for {
		n := f.pins.Load()
		if n == 0 {
			return false
		}
		if f.pins.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

// done ends a use. The error is that of closing a file that was taken out of its slot meanwhile; it has nothing unsynced that
// anybody waits for.
func (f *openFile) done() error {
	if f.pins.Add(-1) == 0 {
		return f.File.Close()
	}
	return nil
}

// WriteAt notes that there is something to sync. It is counted when it is done, as a sync that begins before says nothing
// about it.
func (f *openFile) WriteAt(p []byte, off int64) (int, error) {
	defer f.changes.Add(1)
	return f.File.WriteAt(p, off)
}

// Truncate notes that there is something to sync.
func (f *openFile) Truncate(size int64) error {
	defer f.changes.Add(1)
	return f.File.Truncate(size)
}

// SyncData notes what is synced then, and lets go of files that could not be closed before.
func (f *openFile) SyncData() error {
	changes := f.changes.Load()
	if err := f.File.SyncData(); err != nil {
		return err
	}
	f.wasSynced(changes)
	if int(f.in.count.Load()) > f.in.limit {
		f.in.shrink()
	}
	return nil
}

// wasSynced notes that a sync was good that began after so many changes.
func (f *openFile) wasSynced(changes int64) {
	for old := f.synced.Load(); old < changes && !f.synced.CompareAndSwap(old, changes); old = f.synced.Load() {
	}
}

// written reports whether writing the file has failed, after all was synced.
func (f *openFile) written() error {
	if file, ok := f.File.(vfs.WrittenFile); ok {
		return file.Written()
	}
	return errors.ErrUnsupported
}

func (f *openFile) unsynced() bool { return f.synced.Load() != f.changes.Load() }

// useAgain is fileSlot.use for who is about to open the file: it does not fail while a file is merely considered for closing.
func (c *openFiles) useAgain(slot *fileSlot) *openFile {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slot.use()
}

// keep puts a file that was just opened into its empty slot, and closes others for it if need be. The caller is the only one
// who fills the slot; it gets the file pinned.
func (c *openFiles) keep(slot *fileSlot, opened vfs.File, count int) *openFile {
	f := &openFile{File: opened, in: c, slot: slot, count: count}
	f.pins.Store(2)
	f.used.Store(true)
	c.mu.Lock()
	f.place = len(c.mu.ring)
	c.mu.ring = append(c.mu.ring, f)
	c.count.Add(1)
	slot.Store(f)
	c.mu.Unlock()
	if int(c.count.Load()) > c.limit {
		c.shrink()
		c.syncOne()
	}
	return f
}

// drop takes the file out of its slot. It is closed when its last user is done.
func (c *openFiles) drop(slot *fileSlot) error {
	c.mu.Lock()
	f := slot.Swap(nil)
	if f != nil {
		c.remove(f)
	}
	c.mu.Unlock()
	if f == nil {
		return nil
	}
	return f.done()
}

// remove: the caller holds c.mu.
func (c *openFiles) remove(f *openFile) {
	last := len(c.mu.ring) - 1
	moved := c.mu.ring[last]
	c.mu.ring[f.place], moved.place = moved, f.place
	c.mu.ring[last] = nil
	c.mu.ring = c.mu.ring[:last]
	c.count.Add(-1)
}

// shrink closes files that nobody uses and that have nothing unsynced, as many as there are too many, if it finds them soon.
func (c *openFiles) shrink() { c.closeDown(c.limit) }

// shrinkAll closes as many files as there are too many, if it can.
func (c *openFiles) shrinkAll() {
	for int(c.count.Load()) > c.limit && c.closeDown(c.limit) > 0 {
	}
}

// closeSome makes room for a file that the operating system has none for, and reports whether there is some.
func (c *openFiles) closeSome() bool {
	const some = 8
	return c.closeDown(max(0, int(c.count.Load())-some)) > 0
}

func (c *openFiles) closeDown(to int) (closed int) {
	var idle [maxClockSteps]*openFile
	c.mu.Lock()
	for range maxClockSteps {
		if len(c.mu.ring) <= to {
			break
		}
		if f := c.candidate(); f != nil {
			f.slot.CompareAndSwap(f, nil)
			c.remove(f)
			idle[closed] = f
			closed++
		}
	}
	c.mu.Unlock()
	for _, f := range idle[:closed] {
		_ = f.File.Close() // it has nothing that close could lose
	}
	return closed
}

// candidate looks at the next file and returns it, with its last pin taken away, if it may be closed. The caller holds c.mu:
// who finds the file without pins and wants to open it anew waits for that.
func (c *openFiles) candidate() *openFile {
	if c.mu.hand >= len(c.mu.ring) {
		c.mu.hand = 0
	}
	f := c.mu.ring[c.mu.hand]
	if f.used.Load() {
		f.used.Store(false)
	} else if f.pins.CompareAndSwap(1, 0) {
		if !f.unsynced() {
			return f // another one takes its place in the ring
		}
		f.pins.Store(1)
	}
	c.mu.hand++
	return nil
}

// syncOne syncs a file that could be closed then, if more are open than at most.
func (c *openFiles) syncOne() {
	var waits *openFile
	c.mu.Lock()
	for i := 0; i < min(maxClockSteps, len(c.mu.ring)) && len(c.mu.ring) > c.most; i++ {
		f := c.mu.ring[(c.mu.hand+i)%len(c.mu.ring)]
		if f.pins.Load() == 1 && f.unsynced() && f.pin() {
			waits = f
			break
		}
	}
	c.mu.Unlock()
	if waits == nil {
		return
	}
	if err := waits.SyncData(); err != nil {
		c.fail(err)
	}
	waits.used.Store(false)
	_ = waits.done()
	c.shrink()
}
