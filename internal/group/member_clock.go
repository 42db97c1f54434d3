package group

import (
	"time"

	"github.com/ottla/ottla/internal/causes"
)

// memberKey names a member of a group.
type memberKey struct{ group, member string }

// memberClock is what is known of a member besides what the log says: by when it must be heard of, and whose client it is.
// It is kept beside the groups because a member that has just joined is in its group only once its records are replayed; if
// they cannot be appended, the clock finds nobody and stops.
type memberClock struct {
	client    causes.Client
	session   alarm
	rebalance alarm // by when partitions must be given up
	join      alarm // by when a member of the classic protocol must join again
	sync      alarm // by when a member of the classic protocol must fetch its assignment
}

// clock returns the clock of a member; it makes one if there is none.
func (c *Coordinator) clock(groupID, memberID string) *memberClock {
	key := memberKey{groupID, memberID}
	m := c.clocks[key]
	if m == nil {
		m = new(memberClock)
		c.clocks[key] = m
	}
	return m
}

// clientOf is the client of a member: what the log says, and what its requests said since it was loaded.
func (c *Coordinator) clientOf(groupID, memberID, clientID, host string) causes.Client {
	client := causes.Client{ID: clientID, Host: host}
	if clock := c.clocks[memberKey{groupID, memberID}]; clock != nil {
		client.Software, client.SoftwareVersion = clock.client.Software, clock.client.SoftwareVersion
	}
	return client
}

// stopClock forgets a member's clock.
func (c *Coordinator) stopClock(groupID, memberID string) {
	key := memberKey{groupID, memberID}
	if m := c.clocks[key]; m != nil {
		for _, a := range []*alarm{&m.session, &m.rebalance, &m.join, &m.sync} {
			c.alarms.cancel(a)
		}
		delete(c.clocks, key)
	}
}

// ringAt has an alarm do something at a time, instead of what it was to do before.
func (c *Coordinator) ringAt(a *alarm, at time.Time, ring func(out *outcome, now time.Time)) {
	a.ring = ring
	c.alarms.set(a, at)
}

// retryAfter is how long a step of an alarm waits whose records could not be appended.
const retryAfter = 500 * time.Millisecond

// ringing has ring called when an alarm of a member rings, and again a little later if what it wrote was not committed.
func (c *Coordinator) ringing(groupID, memberID string, alarmOf func(*memberClock) *alarm, ring func(out *outcome, now time.Time)) func(out *outcome, now time.Time) {
	var again func(out *outcome, now time.Time)
	again = func(out *outcome, now time.Time) {
		written := len(out.Records)
		ring(out, now)
		if len(out.Records) == written {
			return
		}
		out.then(func(err error) {
			if err == nil {
				return
			}
			c.inStep(func(_ *outcome, now time.Time) {
				if m := c.clocks[memberKey{groupID, memberID}]; m != nil && alarmOf(m).slot == 0 {
					c.ringAt(alarmOf(m), now.Add(retryAfter), again)
				}
			})
		})
	}
	return again
}
