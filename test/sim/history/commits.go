package history

import (
	"sync"
	"time"
)

// Commits are the offsets of one group that commits them in ascending order.
type Commits struct {
	mu struct {
		sync.Mutex
		least  map[Partition]int64
		count  int
		faults faults
	}
}

// NewCommits returns an empty history.
func NewCommits() *Commits {
	c := new(Commits)
	c.mu.least = map[Partition]int64{}
	return c
}

// Acknowledged notes an offset whose commit was acknowledged.
func (c *Commits) Acknowledged(p Partition, offset int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.mu.least[p] = max(offset, c.mu.least[p])
	c.mu.count++
}

// Least is below what a fetch that begins now must not answer.
func (c *Commits) Least() map[Partition]int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	least := map[Partition]int64{}
	for p, offset := range c.mu.least {
		least[p] = offset
	}
	return least
}

// Fetched notes an answer to a fetch that began when Least was taken. Nothing committed is -1.
func (c *Commits) Fetched(least map[Partition]int64, p Partition, offset int64, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if known, committed := least[p]; committed && offset < known {
		c.mu.faults.add("%v: committed is %d at %s, %d was acknowledged before", p, offset, clock(now), known)
	}
}

// Count is how many commits were acknowledged.
func (c *Commits) Count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.mu.count
}

// Faults is what is wrong.
func (c *Commits) Faults() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.mu.faults
}
