package ledger

import (
	"fmt"
	"sync"
)

// Carried are offsets of groups that were committed within transactions: transaction number n of a producer carries n+1 for a group of
// that producer alone, or nothing.
type Carried struct {
	mu struct {
		sync.Mutex
		stored map[int][]Transaction // by producer, in order
	}
}

// NewCarried returns empty books.
func NewCarried() *Carried {
	c := new(Carried)
	c.mu.stored = map[int][]Transaction{}
	return c
}

// Stored notes that an offset of a transaction was acknowledged. That is no promise before the commit.
func (c *Carried) Stored(t Transaction) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.mu.stored[t.Producer] = append(c.mu.stored[t.Producer], t)
}

// Faults says what is wrong with a group's offset, of when all transactions had ended and all records were read; 0 stands for none. It
// must be of the last transaction that carried one and whose records are there.
func (c *Carried) Faults(book *Ledger, all *Reading, producer int, offset int64) (faults []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if offset > 0 && !all.has(book, Transaction{all.topic, producer, int(offset) - 1}) {
		faults = append(faults, fmt.Sprintf("torn: offset %d of producer %d is committed, the records of transaction %d, which carried it, are not", offset, producer, offset-1))
	}
	for _, t := range c.mu.stored[producer] {
		if int64(t.Number) >= offset && all.has(book, t) {
			faults = append(faults, fmt.Sprintf("torn: the records of transaction %d of producer %d are committed, but not its offset: that is %d", t.Number, producer, offset))
		}
	}
	return faults
}

// has reports whether a record of a transaction was read.
func (r *Reading) has(book *Ledger, t Transaction) (has bool) {
	book.in(r.topic, func(x *transactions) {
		if w := x.works[t]; w != nil {
			for _, e := range w.sent {
				has = has || r.offset(e) >= 0
			}
		}
	})
	return has
}
