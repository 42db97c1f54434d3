package main

import (
	"math/bits"
	"time"
)

// A Histogram counts durations in buckets that are at most 1/32 wide relative to their value. The zero value is empty.
type Histogram struct {
	counts [64 * perOctave]int64
	total  int64
}

const (
	octaveBits = 5
	perOctave  = 1 << octaveBits
)

// Add counts one duration.
func (h *Histogram) Add(d time.Duration) {
	h.counts[bucket(uint64(max(d, 0)))]++
	h.total++
}

// Merge adds what other has counted.
func (h *Histogram) Merge(other *Histogram) {
	for i, n := range other.counts {
		h.counts[i] += n
	}
	h.total += other.total
}

// Quantile returns the value below which the fraction q (0 to 1) of the durations lies; 0 if there are none.
func (h *Histogram) Quantile(q float64) time.Duration {
	rank := int64(q * float64(h.total))
	for i, n := range h.counts {
		if rank -= n; rank < 0 {
			return time.Duration(middle(i))
		}
	}
	return 0
}

func bucket(v uint64) int {
	if v < perOctave {
		return int(v)
	}
	shift := bits.Len64(v) - octaveBits - 1
	return (shift+1)<<octaveBits | int(v>>shift)&(perOctave-1)
}

func middle(bucket int) uint64 {
	if bucket < perOctave {
		return uint64(bucket)
	}
	shift := bucket>>octaveBits - 1
	low := uint64(perOctave|bucket&(perOctave-1)) << shift
	return low + 1<<shift/2
}
