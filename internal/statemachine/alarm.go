package statemachine

import "time"

const (
	// wakeRetry is the pause before another wake-up once an append has failed: what was due still is.
	wakeRetry = time.Second
	// wakePause is the least time between wake-ups, so that a machine that keeps asking for the past
	// cannot spin.
	wakePause = time.Millisecond
)

// alarm is the one timer of an engine. Whoever owns the machine owns it.
type alarm struct {
	at      time.Time   // when it fires; zero: not set
	stop    func() bool // stops it
	checked bool        // NextWake has been asked since the last step
	failed  bool        // an append has failed since the alarm was last set
}

func (a *alarm) cancel() {
	if a.stop != nil {
		a.stop()
	}
	a.at, a.stop = time.Time{}, nil
}

// setAlarm asks the machine when to wake it and sets the timer. A timer that fires earlier stays: sessions
// push their deadlines out with every heartbeat, and an early alarm only asks again.
func (e *Engine[M]) setAlarm() {
	e.alarm.checked = true
	at := e.machine.NextWake()
	if at.IsZero() {
		e.alarm.cancel()
		return
	}
	now := e.options.Clock.Now()
	earliest := now.Add(wakePause)
	if e.alarm.failed {
		e.alarm.failed = false
		earliest = now.Add(wakeRetry)
	}
	if at.Before(earliest) {
		at = earliest
	}
	if e.alarm.stop != nil && now.Before(e.alarm.at) && !at.Before(e.alarm.at) {
		return
	}
	e.alarm.cancel()
	e.alarm.at = at
	e.alarm.stop = e.options.Clock.AfterFunc(at.Sub(now), func() {
		// A stopped engine refuses the step, and nobody waits for it.
		_ = e.enqueue(step[M]{op: wake[M]})
	})
}
