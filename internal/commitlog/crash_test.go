package commitlog

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/storagecheck"
	"github.com/ottla/ottla/internal/vfs"
)

var (
	crashSeed  = flag.Uint64("crash.seed", 1, "first seed of TestCrashes")
	crashSeeds = flag.Int("crash.seeds", 10, "how many histories TestCrashes has")
)

// TestCrashes does random work on a disk in memory and cuts the power before each disk operation. Whatever the disk
// kept of the unsynced writes, the recovered log must hold everything that was stable, in order, and nothing
// that was not appended; and package storagecheck, which shares no code with this one, must find nothing wrong.
// `make test` runs it with more seeds.
func TestCrashes(t *testing.T) {
	var points atomic.Int64
	t.Run("histories", func(t *testing.T) {
		for i := range *crashSeeds {
			t.Run(fmt.Sprint("seed=", *crashSeed+uint64(i)), func(t *testing.T) {
				t.Parallel()
				points.Add(int64(runCrashes(t, *crashSeed+uint64(i))))
			})
		}
	})
	t.Logf("%d crash points in %d histories", points.Load(), *crashSeeds)
}

// Most histories are short, as a look at a small log costs little; some grow long, and some have batches and segments of
// more than the 4 KiB at which writes are torn.
const (
	shortHistory = 40
	longHistory  = 150
)

func historyOf(seed uint64) (steps int, c Config, valueBytes int) {
	steps, c, valueBytes = shortHistory, smallConfig(), 150
	if seed%16 == 1 {
		steps = longHistory
	}
	if seed%4 == 2 {
		c.SegmentBytes, valueBytes = 20_000, 3000
	}
	return steps, c, valueBytes
}

// crashRun is one history. mu guards the model, which the hook reads from the flusher's goroutine.
type crashRun struct {
	t      *testing.T
	disk   *vfs.Memory
	bench  *testBench
	random *rand.Rand
	mu     sync.Mutex
	model  []record.Batch           // what the log should hold
	ever   map[int64][]record.Batch // all that was ever appended at an offset
	chance *rand.Rand
	points int
	off    bool
	next   map[int64]int32 // sequence by producer
	open   map[int64]bool  // transactions

	valueBytes int // of the largest records
}

// runCrashes returns how often it crashed.
func runCrashes(t *testing.T, seed uint64) int {
	steps, config, valueBytes := historyOf(seed)
	r := &crashRun{t: t, disk: vfs.NewMemory(), random: rand.New(rand.NewPCG(seed, 1)), chance: rand.New(rand.NewPCG(seed, 2)),
		ever: map[int64][]record.Batch{}, next: map[int64]int32{}, open: map[int64]bool{}, valueBytes: valueBytes}
	b := open(t, hookFS{r.disk, r.crash}, config)
	r.mu.Lock()
	r.bench = b
	r.mu.Unlock()
	for range steps {
		r.step()
	}
	r.mu.Lock()
	r.off = true
	r.mu.Unlock()
	r.bench.close()
	return r.points
}

func (r *crashRun) step() {
	switch n := r.random.IntN(100); {
	case n < 60:
		r.append()
	case n < 75:
		if err := r.bench.commit(); err != nil {
			r.t.Fatal(err)
		}
	case n < 80:
		r.truncate()
	case n < 85:
		r.bench.log.SetHighWatermark(r.bench.log.StableOffset())
		if err := r.bench.dir.Sweep(testTime); err != nil {
			r.t.Fatal(err)
		}
	case n < 88:
		b := r.bench.reopen()
		checkLog(r.t, b.log)
		r.mu.Lock()
		r.bench = b
		r.mu.Unlock()
	case n < 90:
		r.deleteRecords()
	default:
		r.endTransaction()
	}
}

func (r *crashRun) deleteRecords() {
	l := r.bench.log
	if l.EndOffset() < 120 { // most histories should keep their beginning, against which more can be checked
		return
	}
	l.SetHighWatermark(l.StableOffset())
	if err := l.AdvanceStart(min(l.HighWatermark(), l.StartOffset()+1+r.random.Int64N(20))); err != nil {
		r.t.Fatal(err)
	}
}

func (r *crashRun) append() {
	id := r.random.Int64N(4)
	o := record.BatchOptions{}
	values := make([]string, 1+r.random.IntN(4))
	for i := range values {
		values[i] = fmt.Sprintf("%0*d", 1+r.random.IntN(r.valueBytes), r.random.IntN(1000))
	}
	if id > 0 {
		o.Producer = &record.Producer{ID: id, Epoch: 0, Sequence: r.next[id]}
		o.Transactional = id > 1
		r.open[id] = o.Transactional
		r.next[id] += int32(len(values))
	}
	r.put(batchOf(r.t, o, testTime.UnixMilli()+r.random.Int64N(1000), values...), record.Client)
}

func (r *crashRun) endTransaction() {
	for id := range int64(4) {
		if r.open[id] {
			marker := record.EndTxnMarker{Commit: r.random.IntN(2) == 0, CoordinatorEpoch: 1, Timestamp: testTime.UnixMilli()}
			r.put(marker.Batch(id, 0), record.Coordinator)
			r.open[id] = false
			return
		}
	}
}

// put enters a batch into the model first: the hook may look while it is being appended.
func (r *crashRun) put(b record.Batch, origin record.Origin) {
	epoch := int32(r.bench.log.EndOffset() / 50)
	epoch = max(epoch, r.bench.log.LatestEpoch())
	copied := record.Batch(bytes.Clone(b))
	copied.SetBaseOffset(r.bench.log.EndOffset())
	copied.SetLeaderEpoch(epoch)
	r.mu.Lock()
	r.model = append(r.model, copied)
	r.ever[copied.BaseOffset()] = append(r.ever[copied.BaseOffset()], copied)
	r.mu.Unlock()
	a := r.bench.appendBatch(b, AppendOptions{LeaderEpoch: epoch, Origin: origin, Now: testTime})
	if a.Duplicate || a.BaseOffset != copied.BaseOffset() {
		r.t.Fatalf("append: %+v, want offset %d", a, copied.BaseOffset())
	}
}

func (r *crashRun) truncate() {
	l := r.bench.log
	if l.EndOffset() == l.StartOffset() {
		return
	}
	to := max(l.StartOffset(), l.EndOffset()-r.random.Int64N(15))
	r.mu.Lock()
	for n := len(r.model); n > 0 && r.model[n-1].LastOffset() >= to; n-- {
		r.model = r.model[:n-1]
	}
	r.mu.Unlock()
	if err := l.TruncateTo(to); err != nil {
		r.t.Fatal(err)
	}
	clear(r.next)
	clear(r.open)
	for _, p := range l.Producers() {
		r.next[p.ProducerID] = p.LastSequence + 1
		r.open[p.ProducerID] = p.CurrentTxnStartOffset >= 0
	}
}

// crash is called before each disk operation and looks at what would be left.
func (r *crashRun) crash() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.off || r.bench == nil {
		return
	}
	r.points++
	log := r.bench.log
	stable, start := log.StableOffset(), log.StartOffset()
	loss := []vfs.Loss{vfs.LoseUnsynced(), vfs.KeepUnsynced(), vfs.KeepSome(r.chance.Uint64(), 0),
		vfs.KeepSome(r.chance.Uint64(), 512), vfs.KeepSome(r.chance.Uint64(), 4096), vfs.KeepSome(r.chance.Uint64(), 64)}[r.chance.IntN(6)]
	// A truncation may have lowered the offset since; then less is promised.
	after := r.disk.Crash(loss)
	stable = min(stable, log.StableOffset())
	// In a goroutine of its own, as a failed check must not end the flusher's.
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.verify(after, stable, start)
	}()
	<-done
	if r.off = r.t.Failed(); r.off {
		r.t.Log("what the crash lost:", loss)
	}
}

func (r *crashRun) verify(disk *vfs.Memory, stable, start int64) {
	before := names(r.t, disk, filepath.Join(testDir, testPartition.String()))
	b := open(r.t, disk, r.bench.config)
	if b.log.EndOffset() < stable {
		r.t.Fatalf("recovered log ends at %d, stable was %d; folder %v", b.log.EndOffset(), stable, before)
	}
	batches := checkLog(r.t, b.log)
	at := map[int64]record.Batch{}
	for _, batch := range batches {
		at[batch.BaseOffset()] = batch
		known := false
		for _, old := range r.ever[batch.BaseOffset()] {
			known = known || bytes.Equal(old, batch)
		}
		if !known {
			r.t.Fatalf("batch at %d was never appended", batch.BaseOffset())
		}
	}
	for _, want := range r.model {
		if want.LastOffset() < stable && want.BaseOffset() >= start && want.BaseOffset() >= b.log.StartOffset() && !bytes.Equal(at[want.BaseOffset()], want) {
			r.t.Fatalf("stable batch at %d is missing or changed", want.BaseOffset())
		}
	}
	if b.log.StartOffset() > start {
		r.t.Fatalf("log starts at %d, it started at %d", b.log.StartOffset(), start)
	}
	last := batchOf(r.t, record.BatchOptions{}, testTime.UnixMilli(), "after the crash")
	b.appendBatch(last, AppendOptions{LeaderEpoch: max(0, b.log.LatestEpoch()), Now: testTime})
	if err := b.commit(); err != nil {
		r.t.Fatal(err)
	}
	r.inspect(disk.Crash(vfs.KeepUnsynced()), storagecheck.Damaged)
	if r.chance.IntN(4) == 0 {
		b = b.reopen()
		checkLog(r.t, b.log)
	}
	b.close()
	r.inspect(disk, storagecheck.Rebuilt)
}

// inspect has the independent reader look at a disk: nothing it finds may be as bad as worst, or worse.
func (r *crashRun) inspect(disk *vfs.Memory, worst storagecheck.Severity) {
	report, err := storagecheck.Check(r.t.Context(), disk, testDir, storagecheck.Options{Workers: 1})
	if err != nil {
		r.t.Fatal(err)
	}
	for _, f := range report.Findings {
		if f.Severity >= worst && filepath.Base(f.File) != partitionFile { // which the broker writes when it knows the topic
			r.t.Fatalf("clean stop %v: %v; folder %v", report.Clean, f.String(), names(r.t, disk, filepath.Join(testDir, testPartition.String())))
		}
	}
}

// hookFS calls hook before every operation that changes the disk.
type hookFS struct {
	*vfs.Memory
	hook func()
}

func (h hookFS) OpenFile(name string, flag int, perm fs.FileMode) (vfs.File, error) {
	if flag&(os.O_CREATE|os.O_TRUNC) != 0 {
		h.hook()
	}
	f, err := h.Memory.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	return hookFile{f, h.hook}, nil
}

func (h hookFS) MkdirAll(path string, perm fs.FileMode) error {
	h.hook()
	return h.Memory.MkdirAll(path, perm)
}

func (h hookFS) Remove(name string) error     { h.hook(); return h.Memory.Remove(name) }
func (h hookFS) RemoveAll(name string) error  { h.hook(); return h.Memory.RemoveAll(name) }
func (h hookFS) Rename(from, to string) error { h.hook(); return h.Memory.Rename(from, to) }
func (h hookFS) SyncAll(name string) error    { h.hook(); return h.Memory.SyncAll(name) }
func (h hookFS) SyncDir(name string) error    { h.hook(); return h.Memory.SyncDir(name) }
func (h hookFS) Lock(name string) (io.Closer, error) {
	return h.Memory.Lock(name)
}

type hookFile struct {
	vfs.File
	hook func()
}

func (f hookFile) WriteAt(p []byte, off int64) (int, error) { f.hook(); return f.File.WriteAt(p, off) }
func (f hookFile) Truncate(size int64) error                { f.hook(); return f.File.Truncate(size) }
func (f hookFile) Written() error                           { return nil }
func (f hookFile) Sync() error                              { f.hook(); return f.File.Sync() }
func (f hookFile) SyncData() error                          { f.hook(); return f.File.SyncData() }
