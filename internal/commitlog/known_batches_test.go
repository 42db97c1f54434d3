package commitlog

import (
	"io/fs"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/vfs"
)

// wantSpan is what Find promises, by looking at all batches.
func wantSpan(marks []batchMark, offset int64, maxBytes int, below int64, atLeastOne bool) (base int64, size int64) {
	for i, m := range marks {
		if m.last < offset {
			continue
		}
		for _, next := range marks[i:] {
			if next.last >= below || next.end()-m.position > int64(maxBytes) && (size > 0 || !atLeastOne) {
				break
			}
			size = next.end() - m.position
			if size > int64(maxBytes) {
				break
			}
		}
		return m.base, size
	}
	return 0, 0
}

// TestKnownBatchesGiveTheSameAnswers has consumers read on where they were, and at the tail, while the log grows and is cut.
func TestKnownBatchesGiveTheSameAnswers(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	c := DefaultConfig()
	c.IndexIntervalBytes = 500
	b := open(t, vfs.NewMemory(), c)
	defer func() { b.close() }()
	var marks []batchMark
	consumers := make([]int64, 12)
	known := 0
	for step := range 6000 {
		end := b.log.EndOffset()
		switch n := rnd.IntN(100); {
		case n < 25 || end == 0:
			values := make([]string, 1+rnd.IntN(4))
			for i := range values {
				values[i] = strings.Repeat("v", rnd.IntN(300))
			}
			batch := batchOf(t, record.BatchOptions{}, 0, values...)
			position := int64(0)
			if len(marks) > 0 {
				position = marks[len(marks)-1].end()
			}
			b.appendBatch(batch, AppendOptions{Now: testTime})
			marks = append(marks, markOf(batch, position))
		case n == 99:
			cut := max(0, end-rnd.Int64N(60))
			if err := b.log.TruncateTo(cut); err != nil {
				t.Fatal(err)
			}
			for len(marks) > 0 && marks[len(marks)-1].last >= cut {
				marks = marks[:len(marks)-1]
			}
			if len(marks) > 0 && b.log.EndOffset() != marks[len(marks)-1].last+1 {
				t.Fatalf("cut at %d, the log ends at %d", cut, b.log.EndOffset())
			}
		case n == 98 && step%7 == 0:
			b = b.reopen()
		default:
			who := rnd.IntN(len(consumers))
			if consumers[who] >= end || rnd.IntN(20) == 0 {
				consumers[who] = rnd.Int64N(end)
			}
			offset, maxBytes, below, atLeastOne := consumers[who], rnd.IntN(2000), end-rnd.Int64N(2)*rnd.Int64N(10), rnd.IntN(2) == 0
			if s := b.log.active(); s.lookUp(offset).first.length > 0 {
				known++
			}
			span, err := b.log.Find(offset, maxBytes, below, atLeastOne)
			base, size := wantSpan(marks, offset, maxBytes, below, atLeastOne)
			if err != nil || int64(span.Size) != size || size > 0 && span.BaseOffset != base {
				t.Fatalf("step %d: find %d, at most %d bytes below %d (%v): %d bytes at %d, want %d at %d; %v",
					step, offset, maxBytes, below, atLeastOne, span.Size, span.BaseOffset, size, base, err)
			}
			if span.Size > 0 {
				raw := make([]byte, span.Size)
				if _, err := span.ReadAt(raw); err != nil {
					t.Fatal(err)
				}
				for batch := range record.Batches(raw) {
					consumers[who] = batch.LastOffset() + 1
				}
			}
			span.Release()
		}
	}
	if known < 500 {
		t.Errorf("only %d reads began at a known place", known)
	}
}

// countingFS counts the reads of its files.
type countingFS struct {
	vfs.FS
	reads *int
}

type countingFile struct {
	vfs.File
	reads *int
}

func (c countingFS) OpenFile(name string, flag int, perm fs.FileMode) (vfs.File, error) {
	f, err := c.FS.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	return countingFile{f, c.reads}, nil
}

func (c countingFile) ReadAt(p []byte, at int64) (int, error) {
	*c.reads++
	return c.File.ReadAt(p, at)
}

// TestFindingReadsLittle: a consumer that keeps up costs no read but that of its records; one that catches up costs
// one.
func TestFindingReadsLittle(t *testing.T) {
	var reads int
	b := open(t, countingFS{vfs.NewMemory(), &reads}, DefaultConfig())
	defer b.close()
	for range 100 {
		b.append(0, strings.Repeat("x", 3000), "y")
	}
	if err := b.commit(); err != nil {
		t.Fatal(err)
	}
	find := func(offset int64, maxBytes int) (next int64) {
		span, err := b.log.Find(offset, maxBytes, b.log.EndOffset(), true)
		if err != nil {
			t.Fatal(err)
		}
		defer span.Release()
		return span.BaseOffset + 2*int64(span.Size/3000)
	}
	reads = 0
	for offset := int64(150); offset < 200; {
		offset = find(offset, 10_000)
	}
	if reads != 0 {
		t.Errorf("%d reads at the tail", reads)
	}
	offset := find(0, 10_000)
	reads = 0
	for range 10 {
		offset = find(offset, 10_000)
	}
	if reads > 10 {
		t.Errorf("%d reads for 10 lookups of a consumer that reads on", reads)
	}
}
