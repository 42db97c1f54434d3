package history

import (
	"sync"
	"time"
)

// Reads is what consumers have read, while things went wrong and in the end.
type Reads struct {
	mu struct {
		sync.Mutex
		seen   map[Partition]map[int64]sight
		faults faults
	}
}

type sight struct {
	value string
	when  time.Time
	final bool // was there in the end
}

// NewReads returns an empty history.
func NewReads() *Reads {
	r := new(Reads)
	r.mu.seen = map[Partition]map[int64]sight{}
	return r
}

// Saw notes a record that a consumer has got.
func (r *Reads) Saw(p Partition, offset int64, value string, now time.Time) {
	r.note(p, offset, value, now, false)
}

// Final notes a record that is there in the end.
func (r *Reads) Final(p Partition, offset int64, value string, now time.Time) {
	r.note(p, offset, value, now, true)
}

func (r *Reads) note(p Partition, offset int64, value string, now time.Time, final bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	at := r.mu.seen[p]
	if at == nil {
		at = map[int64]sight{}
		r.mu.seen[p] = at
	}
	before, known := at[offset]
	switch {
	case !known:
		at[offset] = sight{value, now, final}
	case before.value != value:
		r.mu.faults.add("%v: offset %d was read as %q at %s and is %q at %s", p, offset, before.value, clock(before.when), value, clock(now))
	case final:
		before.final = true
		at[offset] = before
	}
}

// Count is how many different places were read.
func (r *Reads) Count() (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, at := range r.mu.seen {
		n += len(at)
	}
	return n
}

// Faults is what is wrong, after all that is there in the end was told by Final: a record that was read and is gone.
func (r *Reads) Faults() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	for p, at := range r.mu.seen {
		for offset, s := range at {
			if !s.final {
				r.mu.faults.add("%v: offset %d was read as %q at %s and is gone", p, offset, s.value, clock(s.when))
			}
		}
	}
	return r.mu.faults
}

// clock prints a simulated time: bubbles begin at midnight of 2000-01-01.
func clock(t time.Time) string { return t.UTC().Format("04:05.000000") }
