package commitlog

import (
	"fmt"
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/vfs"
)

func testCleanerSettings() CleanerSettings {
	return CleanerSettings{Threads: 1, DedupeBytes: 1 << 20, LoadFactor: 0.9, BufferBytes: 4096, BytesPerSecond: math.MaxFloat64, Backoff: 15 * time.Second}
}

// The goroutines look every log.cleaner.backoff.ms, take the dirtiest log first, follow changed settings, and end.
func TestCleaner(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := open(t, vfs.NewMemory(), compactConfig())
		dirty := func(name string, n int) *testBench {
			l, err := b.dir.Create(kafka.TopicPartition{Topic: name}, kafka.UUID{9}, compactConfig())
			if err != nil {
				t.Fatal(err)
			}
			x := &testBench{tb: t, fsys: b.fsys, dir: b.dir, log: l}
			for range n {
				x.put("a", "1")
			}
			x.roll()
			x.put("a", "2")
			return x
		}
		logger, lines := logLines()
		cleaner := StartCleaner([]*Dir{b.dir}, testCleanerSettings(), logger)
		synctest.Wait()
		clean, filthy := dirty("clean", 2), dirty("filthy", 2)
		for _, x := range []*testBench{clean, filthy} {
			x.log.Commit(x.log.EndOffset())
		}
		synctest.Wait()
		for _, x := range []*testBench{clean, filthy} {
			x.log.SetHighWatermark(x.log.EndOffset())
		}
		clean.log.cleaned.Store(1) // a half of it
		time.Sleep(14 * time.Second)
		if lines.Len() > 0 {
			t.Errorf("it did not wait: %s", lines)
		}
		if cleaner.MaxDirtyPercent() != 0 {
			t.Errorf("%d percent are dirty, it did not look yet", cleaner.MaxDirtyPercent())
		}
		s := testCleanerSettings()
		s.Backoff = time.Second
		cleaner.Configure(s)
		synctest.Wait()
		text := lines.String()
		if first, second := strings.Index(text, "filthy-0"), strings.Index(text, "clean-0"); first < 0 || second < first {
			t.Errorf("order of compactions:\n%s", text)
		}
		filthy.wantContents("1 a=1, 2 a=2")
		if inUse := cleaner.mu.inUse; inUse != 0 {
			t.Errorf("an idle cleaner holds %d bytes", inUse)
		}
		s.Threads = 3
		cleaner.Configure(s)
		s.Threads = 1
		cleaner.Configure(s)
		synctest.Wait()
		if r := cleaner.mu.running; len(r) != 3 || !r[0] || r[1] || r[2] {
			t.Errorf("goroutines %v, want the first", r)
		}
		cleaner.Stop()
		b.close()
	})
}

// Two compactions share the memory, and neither gets more than its part.
func TestCleanerBoundsItsMemory(t *testing.T) {
	c := &Cleaner{}
	s := CleanerSettings{Threads: 2, DedupeBytes: 1000}
	a, b := c.takeMemory(s), c.takeMemory(s)
	s.Threads = 4
	if third := c.takeMemory(s); a != 500 || b != 500 || third != 0 {
		t.Errorf("%d, %d and %d bytes", a, b, third)
	}
	c.giveMemory(a)
	if again := c.takeMemory(s); again != 250 {
		t.Errorf("a quarter is %d bytes", again)
	}
}

// log.cleaner.io.max.bytes.per.second counts what is read and written by all, and may change meanwhile.
func TestCleanerIsPaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &Cleaner{stop: make(chan struct{})}
		c.pace.setRate(1000, time.Now())
		began := time.Now()
		var both sync.WaitGroup
		for range 2 {
			both.Go(func() {
				for range 50 {
					if err := c.paced(100); err != nil {
						t.Error(err)
					}
				}
			})
		}
		both.Wait()
		if took := time.Since(began); took < 9900*time.Millisecond || took > 10500*time.Millisecond {
			t.Errorf("10,000 bytes at 1,000 a second took %v", took)
		}
		began = time.Now()
		both.Go(func() { c.paced(1_000_000) })
		time.Sleep(time.Second)
		c.pace.setRate(math.MaxFloat64, time.Now())
		both.Wait()
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("without the limit the wait ended after %v", took)
		}
		c.pace.setRate(1, time.Now())
		both.Go(func() {
			if err := c.paced(1_000_000); err == nil {
				t.Error("the stop did not end the wait")
			}
		})
		time.Sleep(time.Second)
		close(c.stop)
		both.Wait()
	})
}

// TestCompactionAmongOthers compacts without pause while records are appended and truncated, read from the start, and
// retention moves the start. Run it with -race.
func TestCompactionAmongOthers(t *testing.T) {
	c := compactConfig()
	c.CleanupDelete, c.RetentionBytes, c.DeleteRetentionMs = true, 20_000, 0
	b := open(t, vfs.NewMemory(), c)
	s := testCleanerSettings()
	s.Threads, s.Backoff = 2, time.Millisecond
	cleaner := StartCleaner([]*Dir{b.dir}, s, nil)
	b.log.OnStable(func(stable int64, err error) { b.log.SetHighWatermark(stable) })
	var others sync.WaitGroup
	var done atomic.Bool
	others.Go(func() { followCompacted(t, b.log, &done) })
	others.Go(func() {
		for !done.Load() {
			if err := b.dir.Sweep(testTime); err != nil {
				t.Error(err)
			}
			time.Sleep(time.Millisecond)
		}
	})
	newest := map[string]int64{}
	for i := range 3000 {
		key := fmt.Sprint("key", i*7%50)
		newest[key] = b.put(key, fmt.Sprint("value", b.log.EndOffset()))
		if i%5 == 0 {
			b.log.Commit(b.log.EndOffset())
		}
		if end := b.log.EndOffset(); i%100 == 0 && b.log.HighWatermark() < end {
			before := b.log.EndOffset()
			if err := b.log.TruncateTo(max(b.log.HighWatermark(), end-3)); err != nil {
				t.Fatal(err)
			}
			for offset := b.log.EndOffset(); offset < before; offset++ {
				for k, at := range newest {
					if at == offset {
						newest[k] = noOffset // whatever it was before
					}
				}
			}
		}
	}
	// However busy the machine is, the cleaner gets its turn.
	for end := time.Now().Add(time.Minute); b.log.cleaned.Load() <= 0 && time.Now().Before(end); time.Sleep(time.Millisecond) {
		newest["again"] = b.put("again", fmt.Sprint("value", b.log.EndOffset()))
		b.log.Commit(b.log.EndOffset())
	}
	b.log.Commit(b.log.EndOffset())
	for b.log.HighWatermark() < b.log.EndOffset() {
		time.Sleep(time.Millisecond)
	}
	done.Store(true)
	others.Wait()
	cleaner.Stop()
	if b.dir.Failed() != nil || b.log.uncleanable.Load() != nil {
		t.Fatal(b.dir.Failed(), b.log.uncleanable.Load())
	}
	if b.log.cleaned.Load() <= 0 {
		t.Error("nothing was compacted")
	}
	found := map[string]int64{}
	for _, batch := range readAll(t, b.log, b.log.StartOffset(), 1000) {
		for r := range batch.Records(0) {
			found[string(r.Key)] = r.Offset
		}
	}
	for key, at := range newest {
		if at >= b.log.StartOffset() && found[key] != at {
			t.Errorf("the newest record of %s is at %d, there is %d", key, at, found[key])
		}
	}
	if b.log.Size() != totalSize(b.log) {
		t.Errorf("size %d, segments have %d", b.log.Size(), totalSize(b.log))
	}
	b.close()
}

// followCompacted reads again and again from the start. Each record's value says its offset.
func followCompacted(t *testing.T, l *Log, done *atomic.Bool) {
	buffer := make([]byte, 2000)
	for next := int64(0); ; {
		last := done.Load()
		span, err := l.Find(next, len(buffer), l.HighWatermark(), true)
		if isCode(err, kafka.OffsetOutOfRange) {
			next = l.StartOffset()
			continue
		}
		if err != nil {
			t.Error(err)
			return
		}
		if span.Size == 0 {
			if last {
				return
			}
			next = l.StartOffset()
			continue
		}
		n, err := span.ReadAt(buffer)
		span.Release()
		if err != nil {
			t.Error(err)
			return
		}
		for b, err := range record.Batches(buffer[:n]) {
			if err != nil || b.CheckCRC() != nil || b.LastOffset() < next {
				t.Errorf("read at %d: batch %d, %v", next, b.BaseOffset(), err)
				return
			}
			for r := range b.Records(0) {
				if want := fmt.Sprint("value", r.Offset); string(r.Value) != want {
					t.Errorf("record at %d has %q", r.Offset, r.Value)
				}
			}
			next = b.LastOffset() + 1
		}
	}
}
