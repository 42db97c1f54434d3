package script

import "time"

// Clock is a clock that a test moves (statemachine.Clock). It starts at an arbitrary time and calls timers on the goroutine that
// moves it.
type Clock struct {
	now    time.Time
	timers []*timer
}

type timer struct {
	at time.Time
	f  func() // nil: stopped
}

// NewClock returns a clock.
func NewClock() *Clock { return &Clock{now: time.UnixMilli(1_000_000_000_000)} }

// Now implements statemachine.Clock.
func (c *Clock) Now() time.Time { return c.now }

// AfterFunc implements statemachine.Clock.
func (c *Clock) AfterFunc(d time.Duration, f func()) func() bool {
	t := &timer{c.now.Add(d), f}
	c.timers = append(c.timers, t)
	return func() bool {
		was := t.f != nil
		t.f = nil
		return was
	}
}

// Step sets the clock forward by d, or back, while no time passes: timers are as far away as before.
func (c *Clock) Step(d time.Duration) {
	c.now = c.now.Add(d)
	for _, t := range c.timers {
		t.at = t.at.Add(d)
	}
}

// Advance lets time pass, timer by timer.
func (c *Clock) Advance(d time.Duration) {
	end := c.now.Add(d)
	for {
		var next *timer
		live := c.timers[:0]
		for _, t := range c.timers {
			if t.f == nil {
				continue
			}
			live = append(live, t)
			if !t.at.After(end) && (next == nil || t.at.Before(next.at)) {
				next = t
			}
		}
		c.timers = live
		if next == nil {
			c.now = end
			return
		}
		if next.at.After(c.now) {
			c.now = next.at
		}
		f := next.f
		next.f = nil
		f()
	}
}
