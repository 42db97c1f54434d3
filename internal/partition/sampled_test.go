package partition

import (
	"testing"
	"time"
)

// The rate is over the time since the oldest sample of the window, at least one sample; what is older counts no more.
func TestSampledRate(t *testing.T) {
	s := sampled{samples: 3, length: 2 * time.Second}
	began := time.Unix(1000, 0)
	after := func(seconds, bytes int, want float64) {
		t.Helper()
		now := began.Add(time.Duration(seconds) * time.Second)
		if bytes > 0 {
			s.add(now, bytes)
		}
		if got := s.rate(now); got != want {
			t.Errorf("after %d s: %v per second, want %v", seconds, got, want)
		}
	}
	after(0, 0, 0)
	after(0, 100, 50)
	after(1, 100, 100)
	after(4, 0, 50)
	after(5, 300, 100)
	after(6, 0, 150)
	after(10, 0, 60)
	after(11, 0, 0)
	if len(s.mu.all) != 0 {
		t.Errorf("%d samples are kept for nothing", len(s.mu.all))
	}
}
