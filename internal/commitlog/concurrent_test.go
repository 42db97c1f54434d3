package commitlog

import (
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/vfs"
)

// TestConcurrentUse appends to several logs while readers follow from the start, the high watermark moves, and
// retention deletes behind them. Run it with -race.
func TestConcurrentUse(t *testing.T) {
	const partitions, appends = 3, 400
	c := smallConfig()
	c.RetentionBytes = 6000
	b := open(t, vfs.NewMemory(), c)
	logs := []*Log{b.log}
	for p := range int32(partitions - 1) {
		l, err := b.dir.Create(kafka.TopicPartition{Topic: "more", Partition: p}, kafka.UUID{1}, c)
		if err != nil {
			t.Fatal(err)
		}
		l.OnStable(func(stable int64, err error) { l.SetHighWatermark(stable) })
		logs = append(logs, l)
	}
	b.log.OnStable(func(stable int64, err error) { b.log.SetHighWatermark(stable) })
	var writers, others sync.WaitGroup
	var done atomic.Bool
	for _, l := range logs {
		writers.Go(func() {
			for i := range appends {
				o := record.BatchOptions{Producer: &record.Producer{ID: 1, Sequence: int32(i)}}
				a, err := l.Append(batchOf(t, o, testTime.UnixMilli(), strings.Repeat("x", i%150)), AppendOptions{Now: testTime})
				if err != nil {
					t.Error(err)
					return
				}
				l.Commit(a.NextOffset)
			}
		})
		others.Go(func() { follow(t, l, &done) })
	}
	others.Go(func() {
		for !done.Load() {
			if err := b.dir.Sweep(testTime); err != nil {
				t.Error(err)
			}
		}
	})
	writers.Wait()
	done.Store(true)
	others.Wait()
	for _, l := range logs {
		if l.EndOffset() != appends {
			t.Errorf("%s ends at %d", l.TopicPartition(), l.EndOffset())
		}
		checkLog(t, l)
	}
	b.close()
}

// follow reads like a consumer: to the end, starting again at the log's start when it fell behind it.
func follow(t *testing.T, l *Log, done *atomic.Bool) {
	buffer := make([]byte, 4096)
	for next := int64(0); ; {
		last := done.Load()
		span, err := l.Find(next, len(buffer), l.EndOffset(), true)
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
			continue
		}
		n, err := span.ReadAt(buffer)
		span.Release()
		if err != nil {
			t.Error(err)
			return
		}
		for b, err := range record.Batches(buffer[:n]) {
			if err != nil || b.CheckCRC() != nil || b.BaseOffset() > next {
				t.Errorf("read at %d: batch %d, %v", next, b.BaseOffset(), err)
				return
			}
			next = b.LastOffset() + 1
		}
	}
}
