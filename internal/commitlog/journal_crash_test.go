package commitlog

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/vfs"
)

// TestJournalCrashes does random work on several logs whose small appends go through a journal that is always full, and cuts
// the power before disk operations, also during the recovery from such a cut. Every record that was stable must be there
// then; no record that was cut durably, and no log that was deleted durably, may come back.
func TestJournalCrashes(t *testing.T) {
	var mu sync.Mutex
	var sum journalCounts
	t.Run("seeds", func(t *testing.T) {
		for i := range *crashSeeds {
			t.Run(fmt.Sprint("seed=", *crashSeed+uint64(i)), func(t *testing.T) {
				t.Parallel()
				c := runJournalCrashes(t, *crashSeed+uint64(i))
				mu.Lock()
				sum.add(c)
				mu.Unlock()
			})
		}
	})
	t.Logf("%+v", sum)
	if sum.frames == 0 || sum.entries == 0 || sum.forgets == 0 || sum.closings == 0 || sum.retired == 0 || sum.refused == 0 {
		t.Errorf("something never happened: %+v", sum)
	}
}

func (c *journalCounts) add(o journalCounts) {
	c.frames += o.frames
	c.entries += o.entries
	c.forgets += o.forgets
	c.closings += o.closings
	c.retired += o.retired
	c.refused += o.refused
}

// journalRun is one history. mu guards what the hook looks at.
type journalRun struct {
	t      *testing.T
	random *rand.Rand
	config Config
	option Options
	disk   *vfs.Memory
	dir    *Dir
	serial int
	counts journalCounts

	mu     sync.Mutex
	stable *sync.Cond
	failed error
	logs   [4]*modelLog // by partition; nil: deleted, or never there
	chance *rand.Rand
	off    bool
	points int
}

// modelLog is what one log should hold.
type modelLog struct {
	log      *Log
	model    []record.Batch
	limbo    []record.Batch // is being cut
	deleting bool
}

// promise is what a crash must leave of a log.
type promise struct {
	stable, start int64
	model, limbo  []record.Batch
	deleting      bool
	there         bool
}

func runJournalCrashes(t *testing.T, seed uint64) journalCounts {
	r := &journalRun{t: t, random: rand.New(rand.NewPCG(seed, 1)), chance: rand.New(rand.NewPCG(seed, 2)), config: smallConfig(), disk: vfs.NewMemory()}
	r.config.SegmentBytes = []int64{1500, 6000, 30000}[seed%3]
	r.option = testOptions(r.config)
	r.option.JournalBytes, r.option.journalFirst = 8*journalBlock, 4*journalBlock
	if seed%2 == 0 {
		r.option.JournalBytes = 32 * journalBlock
	}
	r.option.syncAllFrom = 1 + int(seed/2%2)*1000
	r.stable = sync.NewCond(&r.mu)
	r.open(r.disk)
	for range 300 {
		if r.step(); t.Failed() {
			break
		}
	}
	r.stop()
	r.t.Logf("%d crash points, %+v", r.points, r.counts)
	return r.counts
}

// open begins to work on a disk.
func (r *journalRun) open(disk *vfs.Memory) {
	dir, err := Open(hookFS{disk, r.crash}, testDir, r.option)
	if err != nil {
		r.t.Fatal("open:", err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.disk, r.dir, r.off = disk, dir, r.t.Failed()
	for p := range r.logs {
		r.logs[p] = nil
		if l := dir.Log(partitionOf(p)); l != nil {
			r.logs[p] = &modelLog{log: l, model: readAll(r.t, l, l.StartOffset(), 1000)}
			r.watch(l)
		}
	}
}

func (r *journalRun) watch(l *Log) {
	l.OnStable(func(_ int64, err error) {
		r.mu.Lock()
		defer r.mu.Unlock()
		if err != nil && !isCode(err, kafka.NotLeaderOrFollower) {
			r.failed = err
		}
		r.stable.Broadcast()
	})
}

// stop closes the directory without crashing it any more.
func (r *journalRun) stop() {
	r.mu.Lock()
	r.off = true
	r.mu.Unlock()
	if err := r.dir.Close(); err != nil {
		r.t.Fatal("close:", err)
	}
	r.dir.journal.mu.Lock()
	r.counts.add(r.dir.journal.mu.counts)
	r.dir.journal.mu.Unlock()
}

func partitionOf(p int) kafka.TopicPartition {
	return kafka.TopicPartition{Topic: "t", Partition: int32(p)}
}

func (r *journalRun) step() {
	p := r.random.IntN(len(r.logs))
	m := r.logs[p]
	switch n := r.random.IntN(100); {
	case m == nil:
		r.create(p)
	case n < 47:
		r.append(m, 1+r.random.IntN(60))
	case n < 49:
		r.append(m, 1+r.random.IntN(1200))
	case n < 87:
		r.commit()
	case n < 91:
		r.truncate(m)
	case n < 92:
		r.truncateFully(m)
	case n < 94:
		r.delete(p)
	case n < 97:
		r.deleteRecords(m)
	case n < 98:
		r.stop()
		r.open(r.disk)
	default:
		r.restart()
	}
}

func (r *journalRun) create(p int) {
	r.mu.Lock()
	r.logs[p] = new(modelLog)
	r.mu.Unlock()
	// The same partition comes again with the same topic id as often as not.
	l, err := r.dir.Create(partitionOf(p), kafka.UUID{1 + byte(r.random.IntN(2))}, r.config)
	if err != nil {
		r.t.Fatal(err)
	}
	r.watch(l)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.logs[p] = &modelLog{log: l}
}

func (r *journalRun) append(m *modelLog, size int) {
	r.serial++
	b := batchOf(r.t, record.BatchOptions{}, testTime.UnixMilli(), fmt.Sprintf("%d:%0*d", r.serial, size, 0))
	copied := record.Batch(bytes.Clone(b))
	copied.SetBaseOffset(m.log.EndOffset())
	copied.SetLeaderEpoch(1)
	r.mu.Lock()
	m.model = append(m.model, copied)
	r.mu.Unlock()
	if _, err := m.log.Append(b, AppendOptions{LeaderEpoch: 1, Now: testTime}); err != nil {
		r.t.Fatal(err)
	}
}

// commit waits for one log or for all.
func (r *journalRun) commit() {
	if r.random.IntN(4) > 0 {
		r.dir.journal.waitReady()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	one := r.random.IntN(2 * len(r.logs))
	for p, m := range r.logs {
		if m == nil || one < len(r.logs) && one != p {
			continue
		}
		end := m.log.EndOffset()
		m.log.Commit(end)
		for m.log.StableOffset() < end && r.failed == nil {
			r.stable.Wait()
		}
	}
	if r.failed != nil {
		r.t.Fatal(r.failed)
	}
}

func (r *journalRun) truncate(m *modelLog) {
	l := m.log
	if l.EndOffset() == l.StartOffset() {
		return
	}
	to := max(l.StartOffset(), l.EndOffset()-1-r.random.Int64N(6))
	r.cut(m, func(b record.Batch) bool { return b.LastOffset() >= to })
	if err := l.TruncateTo(to); err != nil {
		r.t.Fatal(err)
	}
	r.wasCut(m)
}

func (r *journalRun) truncateFully(m *modelLog) {
	r.cut(m, func(record.Batch) bool { return true })
	if err := m.log.TruncateFully(m.log.StartOffset() + r.random.Int64N(40)); err != nil {
		r.t.Fatal(err)
	}
	r.wasCut(m)
}

func (r *journalRun) cut(m *modelLog, cut func(record.Batch) bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var kept []record.Batch
	for _, b := range m.model {
		if cut(b) {
			m.limbo = append(m.limbo, b)
		} else {
			kept = append(kept, b)
		}
	}
	m.model = kept
}

func (r *journalRun) wasCut(m *modelLog) {
	r.mu.Lock()
	defer r.mu.Unlock()
	m.limbo = nil
}

func (r *journalRun) delete(p int) {
	r.mu.Lock()
	r.logs[p].deleting = true
	r.mu.Unlock()
	if err := r.dir.Delete(partitionOf(p)); err != nil {
		r.t.Fatal(err)
	}
	r.mu.Lock()
	r.logs[p] = nil
	r.mu.Unlock()
	if r.random.IntN(2) == 0 {
		r.create(p)
	}
}

func (r *journalRun) deleteRecords(m *modelLog) {
	l := m.log
	l.SetHighWatermark(l.StableOffset())
	if err := l.AdvanceStart(min(l.HighWatermark(), l.StartOffset()+r.random.Int64N(20))); err != nil {
		r.t.Fatal(err)
	}
	if err := r.dir.Sweep(testTime); err != nil {
		r.t.Fatal(err)
	}
}

// restart cuts the power and goes on with what is left.
func (r *journalRun) restart() {
	r.mu.Lock()
	r.off = true
	promises := r.promises()
	disk := r.disk.Crash(r.loss(r.chance))
	r.mu.Unlock()
	verifyPromises(r.t, disk.Crash(vfs.KeepUnsynced()), promises, r.option, nil)
	r.stop()
	r.open(disk)
}

// promises: the caller holds r.mu.
func (r *journalRun) promises() (all [4]promise) {
	for p, m := range r.logs {
		if m != nil && m.log == nil {
			all[p] = promise{there: true}
		} else if m != nil {
			all[p] = promise{m.log.StableOffset(), m.log.StartOffset(), m.model, m.limbo, m.deleting, true}
		}
	}
	return all
}

func (r *journalRun) loss(chance *rand.Rand) vfs.Loss {
	return []vfs.Loss{vfs.LoseUnsynced(), vfs.KeepUnsynced(), vfs.KeepSome(chance.Uint64(), 0),
		vfs.KeepSome(chance.Uint64(), 512), vfs.KeepSome(chance.Uint64(), 4096), vfs.KeepSome(chance.Uint64(), 64)}[chance.IntN(6)]
}

// crash is called before each disk operation.
func (r *journalRun) crash() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.off || r.dir == nil || r.chance.IntN(20) > 0 {
		return
	}
	r.points++
	promises := r.promises()
	after := r.disk.Crash(r.loss(r.chance))
	for p, m := range r.logs {
		if m != nil && m.log != nil { // a truncation may have lowered what is promised
			promises[p].stable = min(promises[p].stable, m.log.StableOffset())
			promises[p].start = max(promises[p].start, m.log.StartOffset())
		}
	}
	again := rand.New(rand.NewPCG(r.chance.Uint64(), 3))
	done := make(chan struct{}) // a failed check must not end the flusher's goroutine
	go func() {
		defer close(done)
		verifyPromises(r.t, after, promises, r.option, func(disk *vfs.Memory) *vfs.Memory {
			if again.IntN(12) > 0 {
				return nil
			}
			return disk.Crash(r.loss(again))
		})
	}()
	<-done
	r.off = r.t.Failed()
}

// verifyPromises recovers a disk and looks. The recovery is interrupted where again returns a disk, from which another one
// has to keep the same promises.
func verifyPromises(t *testing.T, disk *vfs.Memory, promises [4]promise, o Options, again func(*vfs.Memory) *vfs.Memory) {
	t.Helper()
	before := names(t, disk, testDir)
	var fsys vfs.FS = disk
	var mu sync.Mutex
	opened := false
	if again != nil {
		fsys = hookFS{disk, func() {
			mu.Lock()
			defer mu.Unlock()
			if opened {
				return
			}
			if next := again(disk); next != nil {
				done := make(chan struct{})
				go func() { defer close(done); verifyPromises(t, next, promises, o, nil) }()
				<-done
			}
		}}
	}
	lines, text := logLines()
	o.Logger = lines
	dir, err := Open(fsys, testDir, o)
	if err != nil {
		t.Fatal("recovery:", err)
	}
	mu.Lock()
	opened = true
	mu.Unlock()
	for p, want := range promises {
		if problem := want.broken(t, dir.Log(partitionOf(p))); problem != "" {
			t.Fatalf("partition %d: %s\npromise: %d to %d; before: %v\n%s", p, problem, want.start, want.stable, before, text)
		}
	}
	appendAfter(t, dir)
	if err := dir.Close(); err != nil {
		t.Fatal("close:", err)
	}
}

// broken says how a log breaks the promise.
func (want *promise) broken(t *testing.T, l *Log) string {
	if l == nil {
		if want.there && !want.deleting && want.stable > want.start {
			return "the log is gone"
		}
		return ""
	}
	if !want.there {
		return fmt.Sprintf("a deleted log is back, with offsets %d to %d", l.StartOffset(), l.EndOffset())
	}
	if l.damagedBelow.Load() > 0 {
		return fmt.Sprintf("the log is taken for damaged below %d", l.damagedBelow.Load())
	}
	if want.stable > want.start && (l.EndOffset() < want.stable || l.StartOffset() > want.start) {
		return fmt.Sprintf("the log has offsets %d to %d", l.StartOffset(), l.EndOffset())
	}
	at := map[int64]record.Batch{}
	for _, b := range checkLog(t, l) {
		at[b.BaseOffset()] = b
	}
	for _, b := range want.model {
		if got, ok := at[b.BaseOffset()]; ok && bytes.Equal(got, b) {
			delete(at, b.BaseOffset())
		} else if b.LastOffset() < want.stable && b.BaseOffset() >= want.start {
			return fmt.Sprintf("the stable batch at %d is missing or changed", b.BaseOffset())
		}
	}
	for _, b := range want.limbo {
		if bytes.Equal(at[b.BaseOffset()], b) {
			delete(at, b.BaseOffset())
		}
	}
	for offset, b := range at {
		return fmt.Sprintf("the batch at %d was cut, or never appended: %q; appended %s; being cut %s", offset, b[70:], listed(want.model), listed(want.limbo))
	}
	return ""
}

// appendAfter sees to it that work goes on.
func appendAfter(t *testing.T, dir *Dir) {
	for _, l := range dir.Logs() {
		told := make(chan error, 10)
		l.OnStable(func(_ int64, err error) { told <- err })
		a, err := l.Append(batchOf(t, record.BatchOptions{}, testTime.UnixMilli(), "after"), AppendOptions{LeaderEpoch: 1, Now: testTime})
		if err != nil {
			t.Fatal(err)
		}
		l.Commit(a.NextOffset)
		for l.StableOffset() < a.NextOffset {
			select {
			case err := <-told:
				if err != nil {
					t.Fatal(err)
				}
			case <-time.After(time.Minute):
				t.Fatal("nothing becomes stable after a recovery")
			}
		}
	}
}

func listed(batches []record.Batch) string {
	var text []byte
	for _, b := range batches {
		text = fmt.Appendf(text, " %d: %.20q", b.BaseOffset(), b[70:])
	}
	return string(text)
}

// waitReady waits until nothing goes on in the background.
func (j *journal) waitReady() {
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(10 * time.Microsecond) {
		j.mu.Lock()
		busy := j.mu.files[0].busy || j.mu.files[1].busy
		j.mu.Unlock()
		if !busy {
			return
		}
	}
}
