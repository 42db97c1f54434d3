package partition

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/vfs"
	"github.com/ottla/ottla/internal/wire"
)

// hookFS calls a function before each operation that changes something.
type hookFS struct {
	vfs.FS
	hook func()
}

func (f hookFS) OpenFile(name string, flag int, perm fs.FileMode) (vfs.File, error) {
	file, err := f.FS.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	return hookFile{file, f.hook}, nil
}

func (f hookFS) MkdirAll(path string, perm fs.FileMode) error {
	f.hook()
	return f.FS.MkdirAll(path, perm)
}
func (f hookFS) Remove(name string) error     { f.hook(); return f.FS.Remove(name) }
func (f hookFS) RemoveAll(name string) error  { f.hook(); return f.FS.RemoveAll(name) }
func (f hookFS) Rename(from, to string) error { f.hook(); return f.FS.Rename(from, to) }
func (f hookFS) SyncDir(path string) error    { f.hook(); return f.FS.SyncDir(path) }

type hookFile struct {
	vfs.File
	hook func()
}

func (f hookFile) WriteAt(p []byte, off int64) (int, error) { f.hook(); return f.File.WriteAt(p, off) }
func (f hookFile) Truncate(size int64) error                { f.hook(); return f.File.Truncate(size) }
func (f hookFile) Sync() error                              { f.hook(); return f.File.Sync() }
func (f hookFile) SyncData() error                          { f.hook(); return f.File.SyncData() }

// moveCrash is what a power failure during a move leaves.
type moveCrash struct {
	disk     *vfs.Memory
	loss     string
	acked    int64      // records that were acknowledged before
	assigned kafka.UUID // where the controller takes the replica to be
}

// The power fails before operations of the disk while a replica moves between directories and records are written: what
// was acknowledged is there afterwards, in order, once, and the move goes on or has left nothing behind.
func TestCrashesDuringMoves(t *testing.T) {
	for seed := range uint64(4) {
		t.Run(fmt.Sprint("seed=", seed), func(t *testing.T) {
			t.Parallel()
			runMoveCrashes(t, seed)
		})
	}
}

func runMoveCrashes(t *testing.T, seed uint64) {
	disk := vfs.NewMemory()
	random := rand.New(rand.NewPCG(seed, 3))
	var mu sync.Mutex
	var crashes []*moveCrash
	var acked, appended atomic.Int64
	var w *world
	armed := false
	hook := func() {
		mu.Lock()
		defer mu.Unlock()
		if !armed || random.IntN(4) > 0 {
			return
		}
		c := &moveCrash{acked: acked.Load(), assigned: w.lastAssigned()}
		c.loss = []string{"all that was not synced", "nothing", "some", "some sectors"}[random.IntN(4)]
		c.disk = disk.Crash(map[string]vfs.Loss{
			"all that was not synced": vfs.LoseUnsynced(), "nothing": vfs.KeepUnsynced(),
			"some": vfs.KeepSome(random.Uint64(), 0), "some sectors": vfs.KeepSome(random.Uint64(), 512),
		}[c.loss])
		// What the controller has heard meanwhile may be in its log or not.
		if now := w.lastAssigned(); random.IntN(2) == 0 {
			c.assigned = now
		}
		crashes = append(crashes, c)
	}
	w = newWorld(t, hookFS{disk, hook}, nil, "/one", "/two")
	w.replay(append(topic("t", 1, 1, self), setting("t", "segment.bytes", "700"), setting("t", "file.delete.delay.ms", "0"))...)
	p := w.get("t", 0)
	w.assign(Assignment{Dir: p.Dir().ID()})
	put := func(n int) {
		for range n {
			done := w.append(p, -1, strconv.FormatInt(appended.Load(), 10))
			appended.Store(done.NextOffset)
			p.AwaitFunc(done.LeaderEpoch, done.NextOffset, func(err error) {
				if err == nil {
					acked.Store(max(acked.Load(), done.NextOffset))
				}
			})
		}
	}
	put(30)
	mu.Lock()
	armed = true
	mu.Unlock()
	for range 3 {
		to := w.elsewhere(p)
		w.move(p, to)
		put(10)
		eventually(t, "the replica has moved", func() bool { put(1); return w.set.mover.of(p) == nil })
	}
	mu.Lock()
	armed = false
	mu.Unlock()
	w.close()
	t.Logf("%d crashes", len(crashes))
	for i, c := range crashes {
		if t.Failed() {
			return
		}
		c.check(t, fmt.Sprintf("crash %d (lost: %s, %d acknowledged)", i, c.loss, c.acked))
	}
}

func (c *moveCrash) check(t *testing.T, what string) {
	again := newWorld(t, c.disk, nil, "/one", "/two")
	records := append(topic("t", 1, 1, self), setting("t", "segment.bytes", "700"), setting("t", "file.delete.delay.ms", "0"))
	for _, r := range records {
		if r, is := r.(*wire.PartitionRecord); is {
			r.Directories, r.LeaderEpoch = []kafka.UUID{c.assigned}, 5
		}
	}
	again.replay(records...)
	p := again.get("t", 0)
	look := func() {
		t.Helper()
		got := again.values(p)
		if int64(len(got)) < c.acked || !slices.Equal(got, numbers(len(got))) {
			t.Fatalf("%s: %d records: %q", what, len(got), got)
		}
	}
	look()
	before := p.Log().EndOffset()
	if err := again.receive(again.await(p, again.append(p, -1, fmt.Sprint(before)).NextOffset)); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	// A move that was under way goes on.
	eventually(t, what+": the move ends", func() bool { return again.set.mover.of(p) == nil })
	look()
	for _, dir := range again.dirs {
		if n := dir.Count(); n > 1 || n == 1 && dir != p.Dir() {
			t.Fatalf("%s: %d logs in %s, the replica is in %s", what, n, dir.Path(), p.Dir().Path())
		}
	}
	if again.set.Offline() > 0 {
		t.Fatalf("%s: the replica is offline", what)
	}
	if last := again.lastAssigned(); p.Dir().ID() != c.assigned && last != p.Dir().ID() {
		t.Fatalf("%s: the controller takes the replica to be elsewhere", what)
	}
	again.close()
}
