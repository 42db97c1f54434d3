package statemachine

import "time"

// Clock is the engine's source of time. The zero Options use the process's clock, which testing/synctest
// replaces by itself.
type Clock interface {
	Now() time.Time
	// AfterFunc calls f on a goroutine of its own after d, unless stop is called before.
	AfterFunc(d time.Duration, f func()) (stop func() bool)
}

// WallClock tells the time as now does, whose times have a monotonic reading: AfterFunc is the process's.
func WallClock(now func() time.Time) Clock { return wallClock{now} }

type wallClock struct{ now func() time.Time }

func (c wallClock) Now() time.Time { return c.now() }

func (wallClock) AfterFunc(d time.Duration, f func()) func() bool {
	return time.AfterFunc(d, f).Stop
}

// clock is the options' clock.
func (o *Options) clock() Clock {
	if o.Clock == nil {
		return wallClock{time.Now}
	}
	return o.Clock
}
