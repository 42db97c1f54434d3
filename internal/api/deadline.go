package api

import (
	"sync"
	"time"
)

// expiring is a request that waits, with a timeout.
type expiring interface {
	// retain keeps the request from being answered until expired has returned; false if it is being answered.
	retain() bool
	// expired is called without locks after retain.
	expired()
}

// deadline is a request's place among the deadlines. Its zero value is not among them.
type deadline struct {
	at         time.Time
	request    expiring
	prev, next *deadline
}

// deadlines watches over the timeouts of waiting requests. Almost all are answered long before; so instead of a timer
// each, one timer looks at all of them now and then.
type deadlines struct {
	mu struct {
		sync.Mutex
		first   *deadline
		ticking bool
	}
}

// deadlineTick is how often requests are looked at, and by how much a timeout may come late.
const deadlineTick = 100 * time.Millisecond

func (d *deadlines) add(e *deadline, at time.Time, request expiring) {
	d.mu.Lock()
	defer d.mu.Unlock()
	e.at, e.request, e.prev, e.next = at, request, nil, d.mu.first
	if e.next != nil {
		e.next.prev = e
	}
	d.mu.first = e
	if !d.mu.ticking {
		d.mu.ticking = true
		time.AfterFunc(deadlineTick, d.tick)
	}
}

// remove does nothing for a deadline that is not there.
func (d *deadlines) remove(e *deadline) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.unlink(e)
}

func (d *deadlines) unlink(e *deadline) {
	if e.request == nil {
		return
	}
	if e.prev != nil {
		e.prev.next = e.next
	} else {
		d.mu.first = e.next
	}
	if e.next != nil {
		e.next.prev = e.prev
	}
	*e = deadline{}
}

func (d *deadlines) tick() {
	now := time.Now()
	var due []expiring
	d.mu.Lock()
	for e := d.mu.first; e != nil; {
		next := e.next
		if !now.Before(e.at) && e.request.retain() {
			due = append(due, e.request)
			d.unlink(e)
		}
		e = next
	}
	if d.mu.first != nil {
		time.AfterFunc(deadlineTick, d.tick)
	} else {
		d.mu.ticking = false
	}
	d.mu.Unlock()
	for _, request := range due {
		request.expired()
	}
}
