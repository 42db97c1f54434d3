package commitlog

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/vfs"
)

func benchLog(b *testing.B, config func(*Config)) (*Dir, *Log) {
	c := DefaultConfig()
	config(&c)
	dir, err := Open(vfs.Disk(), b.TempDir(), Options{Config: func(string) Config { return c }})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { dir.Close() })
	l, err := dir.Create(testPartition, testTopicID(), c)
	if err != nil {
		b.Fatal(err)
	}
	return dir, l
}

func testTopicID() [16]byte { return [16]byte{7} }

// BenchmarkAppend is without waiting for safety. The working set is kept at 256 MiB by starting again.
func BenchmarkAppend(b *testing.B) {
	for _, size := range []int{1 << 10, 64 << 10} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			_, l := benchLog(b, func(*Config) {})
			batch := batchOf(b, record.BatchOptions{}, testTime.UnixMilli(), strings.Repeat("x", size))
			b.SetBytes(int64(len(batch)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := l.Append(batch, AppendOptions{Now: testTime}); err != nil {
					b.Fatal(err)
				}
				if l.Size() > 256<<20 {
					b.StopTimer()
					if err := l.TruncateFully(0); err != nil {
						b.Fatal(err)
					}
					l.dir.Sweep(testTime.AddDate(100, 0, 0))
					b.StartTimer()
				}
			}
		})
	}
}

// BenchmarkCommit has so many appenders wait for every record: what acks=all costs in the log.
func BenchmarkCommit(b *testing.B) {
	for _, waiting := range []int{1, 16} {
		b.Run(fmt.Sprint("appenders=", waiting), func(b *testing.B) {
			_, l := benchLog(b, func(*Config) {})
			var mu sync.Mutex
			changed := sync.NewCond(&mu)
			l.OnStable(func(int64, error) { mu.Lock(); changed.Broadcast(); mu.Unlock() })
			b.ReportAllocs()
			b.SetParallelism(max(1, waiting/2))
			b.RunParallel(func(pb *testing.PB) {
				batch := batchOf(b, record.BatchOptions{}, testTime.UnixMilli(), strings.Repeat("x", 1024))
				for pb.Next() {
					a, err := l.Append(batch, AppendOptions{Now: testTime})
					if err != nil {
						b.Error(err)
						return
					}
					l.Commit(a.NextOffset)
					mu.Lock()
					for l.StableOffset() < a.NextOffset {
						changed.Wait()
					}
					mu.Unlock()
				}
			})
		})
	}
}

func BenchmarkFindAndRead(b *testing.B) {
	for _, where := range []string{"tail", "anywhere"} {
		b.Run(where, func(b *testing.B) {
			_, l := benchLog(b, func(c *Config) { c.SegmentBytes = 16 << 20 })
			batch := batchOf(b, record.BatchOptions{}, testTime.UnixMilli(), strings.Repeat("x", 1024))
			const records = 60_000
			for range records {
				if _, err := l.Append(batch, AppendOptions{Now: testTime}); err != nil {
					b.Fatal(err)
				}
			}
			buffer := make([]byte, 64<<10)
			b.ReportAllocs()
			offset := int64(records - 1)
			for b.Loop() {
				if where == "anywhere" {
					offset = (offset*7919 + 13) % records
				}
				span, err := l.Find(offset, len(buffer), l.EndOffset(), true)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := span.ReadAt(buffer); err != nil {
					b.Fatal(err)
				}
				span.Release()
			}
		})
	}
}

// TestAppendDoesNotAllocate is about the steady state on the real disk: now and then an index or a list grows, which
// the average does not show.
func TestAppendDoesNotAllocate(t *testing.T) {
	c := DefaultConfig()
	dir, err := Open(vfs.Disk(), t.TempDir(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	l, err := dir.Create(testPartition, testTopicID(), c)
	if err != nil {
		t.Fatal(err)
	}
	o := record.BatchOptions{Producer: &record.Producer{ID: 1, Sequence: 0}}
	batch := batchOf(t, o, testTime.UnixMilli(), strings.Repeat("x", 1000))
	plain := batchOf(t, record.BatchOptions{}, testTime.UnixMilli(), strings.Repeat("x", 1000))
	appendOne := func(b record.Batch, origin record.Origin) {
		a, err := l.Append(b, AppendOptions{Origin: origin, Now: testTime})
		if err != nil {
			t.Fatal(err)
		}
		l.Commit(a.NextOffset)
	}
	for range 2000 {
		appendOne(plain, record.Client)
		appendOne(batch, record.Coordinator) // which may repeat a sequence
	}
	if n := testing.AllocsPerRun(1000, func() {
		appendOne(plain, record.Client)
		appendOne(batch, record.Coordinator)
	}); n >= 1 {
		t.Errorf("two appends allocate %v times", n)
	}
	buffer := make([]byte, 4096)
	if n := testing.AllocsPerRun(1000, func() {
		span, err := l.Find(1500, len(buffer), l.EndOffset(), true)
		if err != nil {
			t.Fatal(err)
		}
		span.ReadAt(buffer)
		span.Release()
	}); n >= 1 {
		t.Errorf("a read allocates %v times", n)
	}
}

// BenchmarkCompaction compacts 64 MiB of 100-byte records with 100,000 keys, in batches of 100, all of them dirty.
func BenchmarkCompaction(b *testing.B) {
	for _, codec := range []record.Codec{record.None, record.LZ4} {
		b.Run(codec.String(), func(b *testing.B) {
			for range b.N {
				b.StopTimer()
				dir, l := benchLog(b, func(c *Config) {
					c.CleanupDelete, c.CleanupCompact, c.MinCleanableRatio, c.SegmentBytes, c.FileDeleteDelay = false, true, 0, 16<<20, 0
				})
				bench := &testBench{tb: b, dir: dir, log: l}
				value := make([]byte, 80)
				for i := 0; i < 64<<20/100; i += 100 {
					builder := record.NewBuilder(record.BatchOptions{Compression: record.NewCompression(codec)})
					for j := range 100 {
						builder.Add(testTime.UnixMilli(), fmt.Appendf(nil, "key%012d", (i+j)*7919%100_000), value)
					}
					batch, err := builder.Build()
					if err != nil {
						b.Fatal(err)
					}
					bench.appendBatch(batch, AppendOptions{LeaderEpoch: 1, Now: testTime})
				}
				bench.roll()
				for l.Commit(l.EndOffset()); l.StableOffset() < l.EndOffset(); {
					time.Sleep(time.Millisecond)
				}
				l.SetHighWatermark(l.EndOffset())
				limits := testLimits()
				limits.keyBytes, limits.bufferBytes = 128<<20, 256<<10
				b.StartTimer()
				result, _, err := bench.compact(testTime, limits)
				b.StopTimer()
				if err != nil {
					b.Fatal(err)
				}
				b.SetBytes(result.before)
				b.ReportMetric(float64(result.after)/float64(result.before), "left")
			}
		})
	}
}
