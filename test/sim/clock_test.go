package sim

import (
	"testing"
	"testing/synctest"
	"time"
)

// A step changes what the clock shows, and no duration. It is also whether package time still lays a Time out as clock.now assumes.
func TestAClockIsSet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c clock
		before := c.now()
		for _, ahead := range []int64{3600, -3_600_000, 0, -1} {
			c.step(ahead)
			time.Sleep(3 * time.Second)
			now := c.now()
			if got := now.Unix() - time.Now().Unix(); got != ahead {
				t.Errorf("ahead by %d s, want %d", got, ahead)
			}
			if passed := now.Sub(before); passed != 3*time.Second {
				t.Errorf("with a step to %d s, %v have passed", ahead, passed)
			}
			before = now
		}
	})
}
