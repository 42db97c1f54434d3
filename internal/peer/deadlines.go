package peer

import (
	"fmt"
	"slices"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/wire"
)

// alarm sees to it that expire runs at a time, or earlier; the caller holds c.mu.
func (c *Client) alarm(at time.Time) {
	switch {
	case c.mu.alarm == nil:
		c.mu.alarm = time.AfterFunc(time.Until(at), c.expire)
	case c.mu.alarmAt.IsZero() || at.Before(c.mu.alarmAt):
		c.mu.alarm.Reset(time.Until(at))
	default:
		return
	}
	c.mu.alarmAt = at
}

// expire fails the requests whose time is over. If one of them was sent, the connection ends.
func (c *Client) expire() {
	now := time.Now()
	late := func(x *call) bool { return !now.Before(x.deadline) }
	var expired []*call
	c.mu.Lock()
	c.mu.queue = slices.DeleteFunc(c.mu.queue, func(x *call) bool {
		if late(x) {
			expired = append(expired, x)
		}
		return late(x)
	})
	i := slices.IndexFunc(c.mu.flight, late)
	if i >= 0 {
		c.closeConn(fmt.Errorf("no answer to %s within %v", nameOf(c.mu.flight[i].Message), c.mu.flight[i].Timeout))
	}
	c.mu.alarmAt = time.Time{}
	for _, x := range slices.Concat(c.mu.queue, c.mu.flight) {
		if !late(x) {
			c.alarm(x.deadline)
		}
	}
	c.mu.Unlock()
	for _, x := range expired {
		x.Done(timedOut(x))
	}
}

func timedOut(x *call) error {
	return kafka.Errorf(kafka.RequestTimedOut, "no answer to %s within %v", nameOf(x.Message), x.Timeout)
}

// nameOf is Kafka's name of a request.
func nameOf(m wire.Message) string {
	if api, ok := wire.FindAPI(m.Key()); ok {
		return api.Name
	}
	return fmt.Sprintf("request %d", m.Key())
}

// interrupt closes the connection, if there is one, for a reason of this side's.
func (c *Client) interrupt(reason error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closeConn(reason)
}

// closeConn: the caller holds c.mu.
func (c *Client) closeConn(reason error) {
	if c.mu.conn == nil {
		return
	}
	if c.mu.broken == nil {
		c.mu.broken = reason
	}
	c.mu.conn.Close()
}
