package statemachine_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ottla/ottla/internal/statemachine"
)

// at sets the machine's deadline to d from now in a step.
func (b *bench) at(d time.Duration) {
	b.engine.Do(func(m *register, now time.Time) output {
		m.due = now.Add(d)
		return output{}
	}, func(err error) { b.t.Error(err) })
}

// wakesAfter lets time pass and checks how often the machine has been woken in all.
func (b *bench) wakesAfter(d time.Duration, want int) {
	b.t.Helper()
	time.Sleep(d)
	synctest.Wait()
	if got := int(b.machine.wakes.Load()); got != want {
		b.t.Errorf("%v later: woken %d times in all, want %d", d, got, want)
	}
}

func TestAlarm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, statemachine.Options{})
		b.at(10 * time.Second)
		b.wakesAfter(9*time.Second, 0)
		b.at(10 * time.Second) // pushed out, as by a heartbeat
		b.wakesAfter(9*time.Second, 0)
		b.wakesAfter(time.Second, 1)
		b.wakesAfter(time.Hour, 1)
		b.at(time.Hour)
		b.at(time.Second) // sooner
		b.wakesAfter(time.Second, 2)
		b.at(time.Second)
		b.engine.Stop(errors.New("gone"))
		b.wakesAfter(time.Hour, 2)
	})
}

func TestWakeIsAStep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, statemachine.Options{})
		b.machine.onWake = func(now time.Time) output {
			return output{
				Records: []statemachine.Record{record("expired", now.Format("05"))},
				Then:    []func(error){func(err error) { b.say("woken ok", err) }},
			}
		}
		b.log.FailAppends(errors.New("full"))
		b.at(time.Second)
		time.Sleep(1500 * time.Millisecond)
		synctest.Wait()
		b.expect("woken: full") // tries again, but not at once
		b.log.FailAppends(nil)
		time.Sleep(500 * time.Millisecond)
		synctest.Wait()
		if len(b.heard) == 0 || b.heard[0] != "woken ok" {
			t.Errorf("heard %q", b.heard)
		}
		b.engine.Stop(errors.New("gone"))
	})
}

func TestDeadlineThatStaysInThePastDoesNotSpin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, statemachine.Options{})
		b.machine.onWake = func(time.Time) output { return output{} }
		b.at(-time.Hour)
		b.wakesAfter(10*time.Millisecond, 10)
		b.engine.Stop(errors.New("gone"))
	})
}
