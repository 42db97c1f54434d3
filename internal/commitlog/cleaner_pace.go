package commitlog

import (
	"math"
	"sync"
	"time"
)

// pace keeps what several do below a rate together. It counts bytes as they come; what is above the rate must be waited
// off. The zero value has no limit.
type pace struct {
	mu struct {
		sync.Mutex
		rate  float64 // bytes a second; 0: no limit
		above float64 // bytes
		since time.Time
	}
}

const (
	// minPause keeps those from sleeping all the time who do many small things.
	minPause = 10 * time.Millisecond
	// maxPause is when a pause looks again, as the rate may have been raised.
	maxPause = 300 * time.Millisecond
)

// setRate changes the rate; what came before counts at the new one.
func (p *pace) setRate(bytesPerSecond float64, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.drain(now)
	p.mu.rate = bytesPerSecond
	if bytesPerSecond <= 0 || bytesPerSecond >= math.MaxInt64 || math.IsNaN(bytesPerSecond) {
		p.mu.rate, p.mu.above = 0, 0
	}
}

// add counts bytes, and returns how long to wait before it is asked again, with 0 bytes, or before more is done.
func (p *pace) add(bytes int, now time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.mu.rate == 0 {
		return 0
	}
	p.drain(now)
	p.mu.above += float64(bytes)
	wait := p.mu.above / p.mu.rate * float64(time.Second)
	if wait < float64(minPause) {
		return 0
	}
	return time.Duration(min(wait, float64(maxPause)))
}

// drain forgets what the time since the last call had room for. The caller holds p.mu.
func (p *pace) drain(now time.Time) {
	if passed := now.Sub(p.mu.since); passed > 0 {
		p.mu.above = max(0, p.mu.above-passed.Seconds()*p.mu.rate)
		p.mu.since = now
	}
}
