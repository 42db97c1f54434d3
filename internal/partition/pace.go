package partition

import (
	"sync"
	"time"
)

// pace holds all moves together to a number of bytes per second (replica.alter.log.dirs.io.max.bytes.per.second), or what a
// Throttle throttles. Kafka measures a rate over samples and pauses while it is too high; here a pause follows each chunk.
type pace struct {
	mu struct {
		sync.Mutex
		debt float64 // bytes copied ahead of the rate
		at   time.Time
	}
}

// chunk is how much to copy at a time at a rate: no more than it lets through in a second.
func (c *pace) chunk(rate int64) int { return int(max(leastChunk, min(moveChunk, rate))) }

const (
	// pacePatience is how soon a pause notices that the rate was changed.
	pacePatience = 100 * time.Millisecond
	// unlimitedRate is more than any disk does.
	unlimitedRate = 1 << 50
)

// wait accounts for n copied bytes and waits until more may be copied; false if quit was closed meanwhile. A rate of 0 lets
// nothing through.
func (c *pace) wait(n int, rate func() int64, quit <-chan struct{}) bool {
	for {
		pause := c.pause(time.Now(), n, rate())
		n = 0
		if pause <= 0 {
			select {
			case <-quit:
				return false
			default:
				return true
			}
		}
		select {
		case <-quit:
			return false
		case <-time.After(min(pause, pacePatience)):
		}
	}
}

// pause adds n bytes to the debt, takes off what the rate has let through since the last time, and says how long the rest
// takes.
func (c *pace) pause(now time.Time, n int, rate int64) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	if rate >= unlimitedRate {
		c.mu.debt, c.mu.at = 0, now
		return 0
	}
	c.mu.debt = max(0, c.mu.debt-now.Sub(c.mu.at).Seconds()*float64(rate)) + float64(n)
	c.mu.at = now
	switch {
	case c.mu.debt < 1:
		return 0
	case rate <= 0:
		return pacePatience
	}
	return time.Duration(min(c.mu.debt/float64(rate)*float64(time.Second), float64(time.Hour)))
}

// add adds n bytes to the debt, but no more than make a pause of most.
func (c *pace) add(now time.Time, n int, rate int64, most time.Duration) {
	c.pause(now, 0, rate)
	c.mu.Lock()
	defer c.mu.Unlock()
	if rate < unlimitedRate {
		c.mu.debt = max(c.mu.debt, min(c.mu.debt+float64(n), most.Seconds()*float64(rate)))
	}
}
