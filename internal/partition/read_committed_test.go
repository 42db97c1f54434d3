package partition

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ottla/ottla/internal/commitlog"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/vfs"
)

// seen is a record as a consumer sees it.
type seen struct {
	offset int64
	value  string
}

// truth is what consumers with isolation.level=read_committed must have seen in the end.
type truth struct {
	sync.Mutex
	records []seen
}

func (x *truth) add(records []seen) {
	x.Lock()
	defer x.Unlock()
	x.records = append(x.records, records...)
}

// transact writes batches and ends transactions as a producer and its coordinator do; id 0 is one without transactions.
func transact(t *testing.T, p *Partition, id int64, expected *truth) {
	random := rand.New(rand.NewPCG(uint64(id), 3))
	sequence, epoch := int32(0), int16(0)
	var open []seen
	for n := range 200 {
		b := record.NewBuilder(record.BatchOptions{Producer: &record.Producer{ID: id, Epoch: epoch, Sequence: sequence}, Transactional: id > 0})
		var values []string
		for range 1 + random.IntN(4) {
			value := fmt.Sprintf("%d %d %d", id, n, len(values))
			values = append(values, value)
			b.Add(time.Now().UnixMilli(), nil, []byte(value))
		}
		batch, err := b.Build()
		if err != nil {
			t.Error(err)
			return
		}
		done, err := p.Append(Append{Records: batch, Acks: -1, ProduceVersion: 12, Now: time.Now()})
		if err != nil {
			t.Error(err)
			return
		}
		sequence += int32(len(values))
		for i, value := range values {
			open = append(open, seen{done.BaseOffset + int64(i), value})
		}
		if id > 0 && random.IntN(4) == 0 {
			checkUndecided(t, p, open[0].offset)
		}
		switch {
		case id == 0:
			expected.add(open)
			open = nil
		case random.IntN(3) == 0 || n == 199:
			commit := random.IntN(2) == 0
			version := int16(id % 2 * 2) // of one of two producers each end has an epoch of its own
			if version == 2 {
				epoch, sequence = epoch+1, 0
			}
			marker, err := p.AppendMarker(record.EndTxnMarker{Commit: commit, Timestamp: time.Now().UnixMilli()}, id, epoch, version)
			if err != nil {
				t.Error(err)
				return
			}
			marked := make(chan error, 1)
			p.AwaitFunc(marker.LeaderEpoch, marker.NextOffset, func(err error) { marked <- err })
			if err := <-marked; err != nil {
				t.Error(err)
				return
			}
			if commit {
				expected.add(open)
			}
			open = nil
		}
	}
}

// checkUndecided reads around the beginning of an open transaction: nothing from there on may be seen.
func checkUndecided(t *testing.T, p *Partition, first int64) {
	t.Helper()
	for _, from := range []int64{max(0, first-10), first, first + 1} {
		found, err := p.Read(Read{Offset: from, MaxBytes: 10_000, AtLeastOne: true, LeaderEpoch: AnyEpoch, LastFetchedEpoch: AnyEpoch, Committed: true})
		if err != nil {
			t.Error(err)
			return
		}
		if view, next := consumeCommitted(t, &found, from); len(view) > 0 && next > first || found.LastStable > first {
			t.Errorf("read from %d to %d, last stable offset %d; a transaction is open from %d on", from, next, found.LastStable, first)
		}
	}
	stable, err := p.OffsetFor(LatestTimestamp, true, AnyEpoch)
	if err != nil || stable.Offset > first {
		t.Errorf("ListOffsets tells %d, %v; a transaction is open from %d on", stable.Offset, err, first)
	}
}

// consumeCommitted is Kafka's consumer: it takes an answer's aborted transactions by their first offsets, and drops a producer's
// records from there to its abort marker.
func consumeCommitted(t *testing.T, found *Records, from int64) (view []seen, next int64) {
	t.Helper()
	if found.Span.Size == 0 {
		return nil, from
	}
	defer found.Span.Release()
	records := make([]byte, found.Span.Size)
	if _, err := found.Span.ReadAt(records); err != nil {
		t.Error(err)
		return nil, from
	}
	aborted := slices.Clone(found.Aborted)
	slices.SortFunc(aborted, func(a, b commitlog.Aborted) int { return int(a.FirstOffset - b.FirstOffset) })
	dropped := map[int64]bool{}
	next = from
	for b, err := range record.Batches(records) {
		if err != nil {
			break // the last one may be cut off
		}
		for len(aborted) > 0 && aborted[0].FirstOffset <= b.LastOffset() {
			dropped[aborted[0].ProducerID] = true
			aborted = aborted[1:]
		}
		next = b.LastOffset() + 1
		if b.Attributes().Control() {
			if m, _, err := b.EndTxnMarker(); err == nil && !m.Commit {
				delete(dropped, b.ProducerID())
			}
			continue
		}
		if b.Attributes().Transactional() && dropped[b.ProducerID()] {
			continue
		}
		for r, err := range b.Records(0) {
			if err != nil {
				t.Error(err)
				return view, next
			}
			if r.Offset >= from {
				view = append(view, seen{r.Offset, string(r.Value)})
			}
		}
	}
	return view, next
}

// While producers commit and abort transactions that are interleaved, consumers that read along see what was committed: all of
// it, in order, nothing else, whatever the size of their answers; and ListOffsets never tells of a stable offset that they
// cannot read to.
func TestReadCommitted(t *testing.T) {
	w := newWorld(t, vfs.NewMemory(), nil)
	defer w.close()
	w.replay(append(topic("t", 1, 1, self), setting("t", "internal.segment.bytes", "8192"))...)
	p := w.get("t", 0)
	var expected truth
	var writers, readers sync.WaitGroup
	var written atomic.Bool
	for id := range int64(4) {
		writers.Go(func() { transact(t, p, id, &expected) })
	}
	views := make([][]seen, 3)
	for i := range views {
		readers.Go(func() {
			random := rand.New(rand.NewPCG(uint64(i), 4))
			for next := int64(0); !t.Failed(); {
				ended := written.Load()
				stable, err := p.OffsetFor(LatestTimestamp, true, AnyEpoch)
				if err != nil {
					t.Error(err)
					return
				}
				found, err := p.Read(Read{Offset: next, MaxBytes: random.IntN(4000), AtLeastOne: true, LeaderEpoch: AnyEpoch, LastFetchedEpoch: AnyEpoch, Committed: true})
				if err != nil {
					t.Error(err)
					return
				}
				if found.LastStable < stable.Offset || found.LastStable > found.HighWatermark {
					t.Errorf("the last stable offset is %d, it was %d before; the high watermark is %d", found.LastStable, stable.Offset, found.HighWatermark)
				}
				view, after := consumeCommitted(t, &found, next)
				if after > found.LastStable {
					t.Errorf("records to %d, the last stable offset is %d", after, found.LastStable)
				}
				views[i] = append(views[i], view...)
				if next = after; ended && next == p.Log().EndOffset() {
					return
				}
			}
		})
	}
	writers.Wait()
	written.Store(true)
	readers.Wait()
	slices.SortFunc(expected.records, func(a, b seen) int { return int(a.offset - b.offset) })
	for i, view := range views {
		if !slices.Equal(view, expected.records) {
			t.Errorf("reader %d saw %d records, %d were committed", i, len(view), len(expected.records))
		}
	}
}
