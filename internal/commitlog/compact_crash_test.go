package commitlog

import (
	"bytes"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/vfs"
)

var compactSeeds = flag.Int("compact.seeds", 5, "how many seeds TestCompactionCrashes runs, from crash.seed on")

// TestCompactionCrashes compacts a log with keys, tombstones, idempotent producers and transactions while more is
// appended, truncated and rolled, and cuts the power before every operation of every compaction. Whatever the disk kept,
// a consumer must find the newest record of each key, nothing that was aborted, no deleted key, and no record changed.
func TestCompactionCrashes(t *testing.T) {
	for i := range *compactSeeds {
		t.Run(fmt.Sprint("seed=", *crashSeed+uint64(i)), func(t *testing.T) {
			t.Parallel()
			runCompactionCrashes(t, *crashSeed+uint64(i))
		})
	}
}

const compactRetention = 3000 // delete.retention.ms, in which a history has some compactions

// compactRun is one history. mu guards the model, which the hook reads.
type compactRun struct {
	t      *testing.T
	disk   *vfs.Memory
	bench  *testBench
	random *rand.Rand
	chance *rand.Rand
	now    time.Time
	next   map[int64]int32
	open   map[int64]bool

	mu     sync.Mutex
	armed  bool // the hook cuts the power
	points int
	model  []record.Batch // all that was ever appended and not truncated
	commit map[int64]bool // by offset of a marker
}

func runCompactionCrashes(t *testing.T, seed uint64) {
	r := &compactRun{t: t, disk: vfs.NewMemory(), random: rand.New(rand.NewPCG(seed, 1)), chance: rand.New(rand.NewPCG(seed, 2)),
		now: testTime, next: map[int64]int32{}, open: map[int64]bool{}, commit: map[int64]bool{}}
	c := compactConfig()
	c.DeleteRetentionMs = compactRetention
	c.SegmentBytes = 600 + int64(seed%5)*700
	r.bench = open(t, hookFS{r.disk, r.crash}, c)
	for range 12 {
		for range r.random.IntN(25) {
			r.append()
		}
		switch r.random.IntN(8) {
		case 0:
			r.truncate()
		case 1:
			r.reopen()
		}
		r.compact()
		if t.Failed() {
			return
		}
	}
	t.Logf("%d crash points, %d batches appended, %d left", r.points, len(r.model), len(readAll(t, r.bench.log, 0, math.MaxInt32)))
	r.bench.close()
}

func (r *compactRun) append() {
	id := r.random.Int64N(4)
	if id > 1 && r.open[id] && r.random.IntN(3) == 0 {
		r.mark(id)
		return
	}
	o := record.BatchOptions{Compression: record.NewCompression(record.Codec(r.random.IntN(5)))}
	n := 1 + r.random.IntN(4)
	if id > 0 {
		o.Producer = &record.Producer{ID: id, Sequence: r.next[id]}
		o.Transactional = id > 1
		r.open[id] = o.Transactional
		r.next[id] += int32(n)
	}
	b := record.NewBuilder(o)
	for range n {
		var value []byte
		if r.random.IntN(4) > 0 {
			value = fmt.Appendf(nil, "%0*d", 1+r.random.IntN(60), r.random.IntN(1000))
		}
		b.Add(r.now.UnixMilli()+r.random.Int64N(50), fmt.Append(nil, "key", r.random.IntN(12)), value, record.Header{Key: "h", Value: []byte("v")})
	}
	batch, err := b.Build()
	if err != nil {
		r.t.Fatal(err)
	}
	r.put(batch, record.Client)
}

func (r *compactRun) mark(id int64) {
	commit := r.random.IntN(2) == 0
	r.mu.Lock()
	r.commit[r.bench.log.EndOffset()] = commit
	r.mu.Unlock()
	r.put(record.EndTxnMarker{Commit: commit, CoordinatorEpoch: 1, Timestamp: r.now.UnixMilli()}.Batch(id, 0), record.Coordinator)
	r.open[id] = false
}

func (r *compactRun) put(b record.Batch, origin record.Origin) {
	epoch := max(r.bench.log.LatestEpoch(), int32(r.bench.log.EndOffset()/40))
	copied := record.Batch(bytes.Clone(b))
	copied.SetBaseOffset(r.bench.log.EndOffset())
	copied.SetLeaderEpoch(epoch)
	r.mu.Lock()
	r.model = append(r.model, copied)
	r.mu.Unlock()
	r.bench.appendBatch(b, AppendOptions{LeaderEpoch: epoch, Origin: origin, Now: r.now})
}

// truncate cuts the end, as a follower does: never below the high watermark.
func (r *compactRun) truncate() {
	l := r.bench.log
	to := max(l.HighWatermark(), l.EndOffset()-r.random.Int64N(40))
	if err := l.TruncateTo(to); err != nil {
		r.t.Fatal(err)
	}
	end := l.EndOffset()
	r.mu.Lock()
	for n := len(r.model); n > 0 && r.model[n-1].LastOffset() >= end; n-- {
		r.model = r.model[:n-1]
	}
	r.mu.Unlock()
	clear(r.next)
	clear(r.open)
	for _, p := range l.Producers() {
		r.next[p.ProducerID] = p.LastSequence + 1
		r.open[p.ProducerID] = p.CurrentTxnStartOffset >= 0
	}
}

func (r *compactRun) reopen() {
	b := r.bench.reopen()
	r.bench = b
	r.checkModel(b.log)
}

// compact makes everything stable and compacts, with the power cut at every operation, or while more is appended.
func (r *compactRun) compact() {
	r.bench.settle()
	r.now = r.now.Add(time.Duration(r.random.IntN(1500)) * time.Millisecond)
	limits := testLimits()
	if r.random.IntN(3) == 0 {
		limits.keyBytes = 24 * 5 // only some of the keys fit
	}
	appends := r.random.IntN(3) == 0
	if appends {
		limits.pace = func(int) error {
			if r.random.IntN(10) == 0 {
				r.append()
			}
			return nil
		}
	}
	r.arm(!appends)
	_, _, err := r.bench.compact(r.now, limits)
	r.arm(false)
	if err != nil {
		r.t.Fatal(err)
	}
	r.checkModel(r.bench.log)
}

func (r *compactRun) arm(on bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.armed = on
}

// crash is called before each disk operation.
func (r *compactRun) crash() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.armed {
		return
	}
	if r.points > 100 && r.chance.IntN(8) > 0 {
		return
	}
	r.points++
	loss := []vfs.Loss{vfs.LoseUnsynced(), vfs.KeepUnsynced(), vfs.KeepSome(r.chance.Uint64(), 0), vfs.KeepSome(r.chance.Uint64(), 512), vfs.KeepSome(r.chance.Uint64(), 64)}[r.chance.IntN(5)]
	after := r.disk.Crash(loss)
	end := r.bench.log.EndOffset()
	done := make(chan struct{})
	go func() { // a failed check must not end this goroutine with a mutex held
		defer close(done)
		r.verify(after, end)
	}()
	<-done
	r.armed = !r.t.Failed()
}

// verify recovers what a crash left, now and then with another crash within.
func (r *compactRun) verify(disk *vfs.Memory, end int64) {
	if r.chance.IntN(4) == 0 {
		disk = r.crashAgain(disk)
	}
	before := names(r.t, disk, r.bench.log.path)
	b := open(r.t, disk, r.bench.config)
	if b.log.EndOffset() != end {
		r.t.Fatalf("recovered log ends at %d, stable was %d; folder %v", b.log.EndOffset(), end, before)
	}
	b.log.SetHighWatermark(end)
	r.checkModel(b.log)
	after := names(r.t, disk, r.bench.log.path)
	if slices.ContainsFunc(after, func(n string) bool { return strings.HasSuffix(n, cleanedSuffix) || strings.HasSuffix(n, swapSuffix) }) {
		r.t.Fatalf("recovery left %v; it began with %v", after, before)
	}
	if r.chance.IntN(3) == 0 {
		b.settle()
		if _, _, err := b.compact(r.now.Add(time.Duration(r.chance.IntN(1000))*time.Millisecond), testLimits()); err != nil {
			r.t.Fatal(err)
		}
		r.checkModel(b.log)
		b = b.reopen()
		r.checkModel(b.log)
	}
	b.close()
}

// crashAgain begins a recovery and cuts the power in it.
func (r *compactRun) crashAgain(disk *vfs.Memory) *vfs.Memory {
	after, left := disk, r.chance.IntN(12)
	var mu sync.Mutex
	hook := func() {
		mu.Lock()
		defer mu.Unlock()
		if left--; left == 0 {
			after = disk.Crash(vfs.KeepSome(r.chance.Uint64(), 512))
		}
	}
	open(r.t, hookFS{disk, hook}, r.bench.config).close()
	mu.Lock()
	defer mu.Unlock()
	return after
}

// checkModel compares a log with the model: what records are in it, and what consumers make of them.
func (r *compactRun) checkModel(l *Log) {
	r.t.Helper()
	batches := readAll(r.t, l, 0, 700)
	r.checkBatches(l, batches)
	if empty := func(b record.Batch) bool { return b.Count() == 0 }; l == r.bench.log {
		checkOffsets(r.t, l, batches)
		if !slices.ContainsFunc(batches, empty) { // which keep their largest timestamp
			checkTimes(r.t, l, batches)
		}
	}
	aborted, err := l.AbortedTransactions(0, l.EndOffset())
	if err != nil {
		r.t.Fatal(err)
	}
	stable := l.LastStableOffset()
	if diff := cmp.Diff(r.modelView(stable), consumerView(r.t, batches, aborted, stable), cmp.AllowUnexported(newest{})); diff != "" {
		r.t.Fatalf("what a read_committed consumer makes of the log (-model +log):\n%s\n%s", diff, contents(r.t, l))
	}
	r.checkProducers(l)
	for i, s := range l.list()[1:] {
		if _, next := l.list()[i].end(); next != s.base {
			r.t.Fatalf("segment %d ends at %d, the next begins at %d", l.list()[i].base, next, s.base)
		}
	}
}

// checkBatches looks whether everything in the log was appended so, but for records that are gone.
func (r *compactRun) checkBatches(l *Log, batches []record.Batch) {
	r.t.Helper()
	i, last := 0, int64(-1)
	for _, b := range batches {
		for i < len(r.model) && r.model[i].BaseOffset() < b.BaseOffset() {
			i++
		}
		if i == len(r.model) {
			r.t.Fatalf("batch at %d was never appended", b.BaseOffset())
		}
		m := r.model[i]
		facts := func(b record.Batch) []any {
			return []any{b.BaseOffset(), b.LastOffset(), b.LeaderEpoch(), b.ProducerID(), b.ProducerEpoch(), b.BaseSequence(), b.Attributes().Control(), b.Attributes().Transactional()}
		}
		if diff := cmp.Diff(facts(m), facts(b)); diff != "" {
			r.t.Fatalf("batch at %d: %s", b.BaseOffset(), diff)
		}
		if err := b.CheckCRC(); err != nil || b.BaseOffset() <= last {
			r.t.Fatalf("batch at %d after %d: %v", b.BaseOffset(), last, err)
		}
		if b.Count() > 0 && b.Attributes().Codec() != m.Attributes().Codec() {
			r.t.Fatalf("batch at %d: codec %s became %s", b.BaseOffset(), m.Attributes().Codec(), b.Attributes().Codec())
		}
		last = b.LastOffset()
		appended := map[int64]string{}
		for rec := range m.Records(0) {
			appended[rec.Offset] = whole(rec)
		}
		for rec, err := range b.Records(0) {
			if got := whole(rec); err != nil || appended[rec.Offset] != got {
				r.t.Fatalf("record at %d: %s was appended, %s is there; %v", rec.Offset, appended[rec.Offset], got, err)
			}
		}
	}
	if last+1 != l.EndOffset() && l.EndOffset() > 0 {
		r.t.Fatalf("the last batch ends at %d, the log at %d", last, l.EndOffset())
	}
}

func whole(r record.Record) string {
	text := fmt.Sprintf("%d %q %q %v", r.Timestamp, r.Key, r.Value, r.Value == nil)
	for h := range r.Headers() {
		text += fmt.Sprintf(" %s=%s", h.Key, h.Value)
	}
	return text
}

// newest is the newest record of a key.
type newest struct {
	offset int64
	value  string
}

// modelView is the table that a read_committed consumer should have below stable: tombstones delete.
func (r *compactRun) modelView(stable int64) map[string]newest {
	outcome := map[int]bool{} // of the batch at an index in the model
	open := map[int64][]int{}
	for i, b := range r.model {
		switch {
		case b.Attributes().Control():
			for _, j := range open[b.ProducerID()] {
				outcome[j] = r.commit[b.BaseOffset()]
			}
			delete(open, b.ProducerID())
		case b.Attributes().Transactional():
			open[b.ProducerID()] = append(open[b.ProducerID()], i)
		default:
			outcome[i] = true
		}
	}
	view := map[string]newest{}
	for i, b := range r.model {
		if outcome[i] && b.LastOffset() < stable {
			apply(view, b)
		}
	}
	return view
}

func apply(view map[string]newest, b record.Batch) {
	for rec := range b.Records(0) {
		if rec.Value == nil {
			delete(view, string(rec.Key))
		} else {
			view[string(rec.Key)] = newest{rec.Offset, string(rec.Value)}
		}
	}
}

// consumerView is what Kafka's consumer makes of batches and of the aborted transactions that came with them.
func consumerView(tb testing.TB, batches []record.Batch, aborted []Aborted, stable int64) map[string]newest {
	tb.Helper()
	slices.SortFunc(aborted, func(a, b Aborted) int { return int(a.FirstOffset - b.FirstOffset) })
	view, inside := map[string]newest{}, map[int64]bool{}
	for _, b := range batches {
		if b.LastOffset() >= stable {
			break
		}
		for len(aborted) > 0 && aborted[0].FirstOffset <= b.LastOffset() {
			inside[aborted[0].ProducerID] = true
			aborted = aborted[1:]
		}
		switch {
		case b.Attributes().Control():
			if m, ok, _ := b.EndTxnMarker(); ok && !m.Commit {
				delete(inside, b.ProducerID())
			}
		case b.Attributes().Transactional() && inside[b.ProducerID()]:
		default:
			apply(view, b)
		}
	}
	return view
}

// checkProducers: every producer goes on where it was.
func (r *compactRun) checkProducers(l *Log) {
	r.t.Helper()
	last := map[int64]int32{}
	for _, b := range r.model {
		if b.LastOffset() < l.EndOffset() && !b.Attributes().Control() && b.HasProducerID() {
			last[b.ProducerID()] = b.LastSequence()
		}
	}
	got := map[int64]int32{}
	for _, p := range l.Producers() {
		got[p.ProducerID] = p.LastSequence
	}
	if diff := cmp.Diff(last, got); diff != "" {
		r.t.Fatalf("last sequences (-model +log):\n%s", diff)
	}
}
