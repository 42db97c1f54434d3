package partition

import (
	"sync"
	"time"
)

// sampled is how much there was per second in a window that moves by samples (Kafka's SimpleRate).
type sampled struct {
	samples int
	length  time.Duration // of one sample
	mu      struct {
		sync.Mutex
		all []sample // oldest first
	}
}

// sample is what was counted from a time on, for the length of a sample.
type sample struct {
	from  time.Time
	count int
}

func (s *sampled) window() time.Duration { return time.Duration(s.samples) * s.length }

func (s *sampled) add(now time.Time, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forget(now)
	if last := len(s.mu.all) - 1; last >= 0 && now.Sub(s.mu.all[last].from) < s.length {
		s.mu.all[last].count += n
		return
	}
	s.mu.all = append(s.mu.all, sample{now, n})
}

// rate is what the window holds, by the time since its oldest sample, which counts as a whole sample at least.
func (s *sampled) rate(now time.Time) float64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forget(now)
	total, over := 0, s.length
	for _, one := range s.mu.all {
		total += one.count
		over = max(over, now.Sub(one.from))
	}
	return float64(total) / over.Seconds()
}

// forget drops what is older than the window.
func (s *sampled) forget(now time.Time) {
	gone := 0
	for gone < len(s.mu.all) && now.Sub(s.mu.all[gone].from) >= s.window() {
		gone++
	}
	s.mu.all = s.mu.all[:copy(s.mu.all, s.mu.all[gone:])]
}
