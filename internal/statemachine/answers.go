package statemachine

import (
	"slices"
	"sync"

	"github.com/ottla/ottla/internal/planted"
)

// answers holds back the Then functions of steps until the log has committed what they depend on, and calls
// them in order of steps. Invariants: the offsets of waiting do not decrease; one goroutine at a time calls
// functions, without the lock.
type answers struct {
	mu struct {
		sync.Mutex
		committed  int64    // everything below is committed
		asked      int64    // the commit of everything below has been asked for
		err        error    // set once commits are hopeless
		waiting    []answer // in order of steps
		ready      []verdict
		delivering bool
	}
}

// answer is what one step has to say once everything below offset is committed.
type answer struct {
	offset int64
	then   []func(error)
}

// verdict is a function list that is to be called with err.
type verdict struct {
	then []func(error)
	err  error
}

// add takes a step's functions, to be called once everything below offset is committed.
func (a *answers) add(offset int64, then []func(error)) {
	if len(then) == 0 {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.mu.err != nil:
		a.mu.ready = append(a.mu.ready, verdict{then, a.mu.err})
	case offset <= a.mu.committed || planted.In(planted.AckBeforeRecord): // then nothing waits either: offsets do not decrease
		a.mu.ready = append(a.mu.ready, verdict{then, nil})
	default:
		a.mu.waiting = append(a.mu.waiting, answer{offset, then})
	}
}

// refuse has functions called with err without waiting for any commit.
func (a *answers) refuse(then []func(error), err error) {
	if len(then) == 0 {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.mu.ready = append(a.mu.ready, verdict{then, err})
}

// ask reports whether the commit of everything below offset has yet to be asked for, and notes that it is.
func (a *answers) ask(offset int64) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.mu.err != nil || offset <= a.mu.asked {
		return false
	}
	a.mu.asked = offset
	return true
}

// commit notes that everything below offset is committed.
func (a *answers) commit(offset int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.mu.err != nil || offset <= a.mu.committed {
		return
	}
	a.mu.committed = offset
	n := 0
	for n < len(a.mu.waiting) && a.mu.waiting[n].offset <= offset {
		a.mu.ready = append(a.mu.ready, verdict{a.mu.waiting[n].then, nil})
		n++
	}
	a.mu.waiting = slices.Delete(a.mu.waiting, 0, n)
}

// fail has everything that waits, and everything that comes later, called with err.
func (a *answers) fail(err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.mu.err != nil {
		return
	}
	a.mu.err = err
	for _, w := range a.mu.waiting {
		a.mu.ready = append(a.mu.ready, verdict{w.then, err})
	}
	a.mu.waiting = nil
}

// deliver calls what is ready. If another goroutine is at it, that one also takes what was just added.
func (a *answers) deliver() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.mu.delivering {
		return
	}
	a.mu.delivering = true
	defer func() { a.mu.delivering = false }() // also if a function panics
	var spare []verdict
	for len(a.mu.ready) > 0 {
		ready := a.mu.ready
		a.mu.ready = spare
		a.call(ready)
		clear(ready)
		spare = ready[:0]
	}
	if a.mu.ready == nil && cap(spare) <= roundSteps {
		a.mu.ready = spare
	}
}

// call calls functions without the lock that it is called with.
func (a *answers) call(ready []verdict) {
	a.mu.Unlock()
	defer a.mu.Lock()
	for _, v := range ready {
		for _, f := range v.then {
			f(v.err)
		}
	}
}
