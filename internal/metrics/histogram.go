package metrics

import (
	"math/bits"
	"sync"
	"sync/atomic"
	"time"
)

// The buckets: 8 to every power of two, so that a value is known to within 12.5 % (6 % from the middle
// of its bucket), from 0 up to 2^40 (12 days in microseconds, 1 TB in bytes); what is larger counts as
// the largest. Values below 8 have a bucket each.
const (
	subBits    = 3
	subBuckets = 1 << subBits
	maxExp     = 40
	numBuckets = (maxExp - subBits + 1) * subBuckets
)

// Histogram counts values (durations in microseconds, sizes in bytes) in logarithmic buckets. Observing
// takes two atomic additions and no allocation.
//
// Its quantiles speak of the recent past, as Kafka's decaying reservoirs do: of what was observed since
// about windowLength ago, or since the scrape before, if that is longer ago.
type Histogram struct {
	buckets [numBuckets]atomic.Uint64
	sum     atomic.Uint64

	window struct {
		sync.Mutex
		marks []mark // the older first
	}
}

// mark is the state of the buckets at one moment; nil counts are all zero, and marks between which
// nothing was observed share theirs.
type mark struct {
	at     time.Time
	counts *[numBuckets]uint64
}

const (
	windowLength = 5 * time.Minute
	markEvery    = time.Minute
)

// newHistogram returns a histogram whose window begins now.
func newHistogram(now time.Time) *Histogram {
	h := new(Histogram)
	h.window.marks = []mark{{at: now}}
	return h
}

// Observe counts one value. A negative one counts as 0.
func (h *Histogram) Observe(value int64) {
	v := uint64(max(value, 0))
	h.buckets[bucketOf(v)].Add(1)
	h.sum.Add(v)
}

// ObserveSince counts the microseconds from start to now.
func (h *Histogram) ObserveSince(start, now time.Time) { h.Observe(now.Sub(start).Microseconds()) }

func bucketOf(v uint64) int {
	if v < subBuckets {
		return int(v)
	}
	exp := bits.Len64(v) - 1
	if exp >= maxExp {
		return numBuckets - 1
	}
	return (exp-subBits+1)<<subBits + int(v>>(exp-subBits))&(subBuckets-1)
}

// middle returns the value that stands for a bucket: the middle of its range.
func middle(bucket int) float64 {
	if bucket < subBuckets {
		return float64(bucket)
	}
	shift := bucket>>subBits - 1
	low := uint64(subBuckets+bucket&(subBuckets-1)) << shift
	return float64(low) + float64(uint64(1)<<shift)/2
}

// Count returns the number of values and their sum since the start.
func (h *Histogram) Count() (count, sum uint64) {
	for i := range h.buckets {
		count += h.buckets[i].Load()
	}
	return count, h.sum.Load()
}

// Quantiles appends to dst the values below which the given shares (0..1, ascending) of the recent
// observations lie: 0 where there were none.
func (h *Histogram) Quantiles(dst []float64, now time.Time, shares []float64) []float64 {
	recent := h.recent(now)
	var total uint64
	for _, n := range recent {
		total += n
	}
	bucket, below := -1, uint64(0)
	for _, share := range shares {
		if total == 0 {
			dst = append(dst, 0)
			continue
		}
		rank := max(uint64(share*float64(total)+0.5), 1)
		for below < rank && bucket < numBuckets-1 {
			bucket++
			below += recent[bucket]
		}
		dst = append(dst, middle(bucket))
	}
	return dst
}

// recent returns what each bucket counted within the window, and moves the window on.
func (h *Histogram) recent(now time.Time) [numBuckets]uint64 {
	h.window.Lock()
	defer h.window.Unlock()
	var counts [numBuckets]uint64
	for i := range h.buckets {
		counts[i] = h.buckets[i].Load()
	}
	marks := h.window.marks
	for len(marks) > 1 && now.Sub(marks[1].at) >= windowLength {
		marks = append(marks[:0], marks[1:]...)
	}
	if last := len(marks) - 1; last < 0 || now.Sub(marks[last].at) >= markEvery {
		marks = append(marks, markOf(now, &counts, marks))
	}
	h.window.marks = marks
	if base := marks[0].counts; base != nil {
		for i := range counts {
			counts[i] -= base[i]
		}
	}
	return counts
}

func markOf(now time.Time, counts *[numBuckets]uint64, before []mark) mark {
	var last *[numBuckets]uint64
	if len(before) > 0 {
		last = before[len(before)-1].counts
	}
	if last == nil && *counts == [numBuckets]uint64{} || last != nil && *counts == *last {
		return mark{at: now, counts: last}
	}
	kept := *counts
	return mark{at: now, counts: &kept}
}
