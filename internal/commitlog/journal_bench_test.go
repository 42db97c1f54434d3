package commitlog

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/vfs"
)

// BenchmarkRound appends 1.1 KB to each of so many logs and waits until all of it is stable: what a commit costs, with the
// redo journal and without.
func BenchmarkRound(b *testing.B) {
	for _, n := range []int{1, 16, 100, 1000} {
		for name, journal := range map[string]int64{"journal": 0, "in-place": -1} {
			b.Run(fmt.Sprintf("logs=%d/%s", n, name), func(b *testing.B) { benchRounds(b, n, 1024, journal) })
		}
	}
}

// BenchmarkRangeSize is one log whose rounds have more and more bytes: where writing them twice costs more than syncing in place.
func BenchmarkRangeSize(b *testing.B) {
	for _, size := range []int{1 << 10, 4 << 10, 16 << 10, 32 << 10, 60 << 10} {
		for name, journal := range map[string]int64{"journal": 0, "in-place": -1} {
			b.Run(fmt.Sprintf("bytes=%d/%s", size, name), func(b *testing.B) { benchRounds(b, 1, size, journal) })
		}
	}
}

func benchRounds(b *testing.B, n, size int, journal int64) {
	dir, err := Open(vfs.Disk(), b.TempDir(), Options{JournalBytes: journal})
	if err != nil {
		b.Fatal(err)
	}
	defer dir.Close()
	var waiting atomic.Int64
	var mu sync.Mutex
	done := sync.NewCond(&mu)
	logs := make([]*Log, n)
	for i := range logs {
		if logs[i], err = dir.Create(kafka.TopicPartition{Topic: "bench", Partition: int32(i)}, testTopicID(), DefaultConfig()); err != nil {
			b.Fatal(err)
		}
		logs[i].OnStable(func(_ int64, err error) {
			if err != nil {
				b.Error(err)
			}
			if waiting.Add(-1) == 0 {
				mu.Lock()
				done.Broadcast()
				mu.Unlock()
			}
		})
	}
	batch := batchOf(b, record.BatchOptions{}, testTime.UnixMilli(), strings.Repeat("x", size))
	round := func() {
		waiting.Store(int64(n))
		for _, l := range logs {
			if _, err := l.Append(batch, AppendOptions{Now: testTime}); err != nil {
				b.Fatal(err)
			}
		}
		for _, l := range logs {
			l.Commit(l.EndOffset())
		}
		mu.Lock()
		for waiting.Load() > 0 {
			done.Wait()
		}
		mu.Unlock()
	}
	for range 50 {
		round()
	}
	var times []time.Duration
	b.ReportAllocs()
	cpu := processCPU()
	b.ResetTimer()
	for b.Loop() {
		begin := time.Now()
		round()
		times = append(times, time.Since(begin))
	}
	b.StopTimer()
	slices.Sort(times)
	b.ReportMetric(float64(times[len(times)/2].Microseconds()), "p50-µs")
	b.ReportMetric(float64(times[len(times)*99/100].Microseconds()), "p99-µs")
	b.ReportMetric(float64((processCPU()-cpu).Microseconds())/float64(len(times)), "cpu-µs/round")
}
