package statemachine

import "time"

// Clock is the engine's source of time. The zero Options use the process's clock, which testing/synctest
// replaces by itself; a simulated cluster passes its own.
type Clock interface {
	Now() time.Time
	// AfterFunc calls f on a goroutine of its own after d, unless stop is called before.
	AfterFunc(d time.Duration, f func()) (stop func() bool)
}

// systemClock is the process's clock.
type systemClock struct{}

func (systemClock) Now() time.Time { return time.Now() }

func (systemClock) AfterFunc(d time.Duration, f func()) func() bool {
	return time.AfterFunc(d, f).Stop
}

// clock is the options' clock.
func (o *Options) clock() Clock {
	if o.Clock == nil {
		return systemClock{}
	}
	return o.Clock
}
