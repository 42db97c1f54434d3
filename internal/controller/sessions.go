package controller

import (
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/wire"
)

// session is what the controller knows of a broker beyond the metadata. It is soft: it begins anew with each
// controller.
type session struct {
	epoch      int64
	heard      time.Time    // last heartbeat, the zero time before the first
	readTo     int64        // metadata offset that the broker had read to then, -1 before
	shutdownAt int64        // metadata offset at which its controlled shutdown began, -1 if it did not
	leaving    bool         // the shutdown began in the current step, its offset is not settled
	unlinked   bool         // its connection ended and it was not heard of since
	short      []kafka.UUID // its log directories without room for records of clients
	retryAt    time.Time    // do not fence it before, because that was tried, or this controller overslept
}

// registered returns the session after a RegisterBrokerRecord: the same one if the broker's process is.
func (s *session) registered(epoch int64) *session {
	if s != nil && s.epoch == epoch {
		return s
	}
	return &session{epoch: epoch, readTo: -1, shutdownAt: -1}
}

// beginSessions gives the brokers that are not fenced a whole session from now on, as nothing is known of when the last
// controller heard of them; the one on that controller's own node what is left of it, and time for a heartbeat at least.
// A fenced broker gets none: it was silent or said that it goes, so its next incarnation may register at once.
func (c *Controller) beginSessions(now time.Time) {
	for b := range c.Image().Brokers() {
		if b.Fenced {
			continue
		}
		heard := now
		if last := c.options.PredecessorHeard; b.ID == c.options.Predecessor && !last.IsZero() && last.Before(now) {
			earliest := now.Add(c.heartbeatInterval - c.sessionTimeout)
			heard = last
			if earliest.After(last) {
				heard = earliest
			}
		}
		c.sessions[b.ID].heard = heard
	}
}

// changed follows a BrokerRegistrationChangeRecord.
func (s *session) changed(r *wire.BrokerRegistrationChangeRecord) {
	if s == nil {
		return
	}
	if r.InControlledShutdown > 0 {
		s.leaving = true
	}
	if r.Fenced > 0 { // a fenced broker has left controlled shutdown: its next heartbeat may shut it down at once
		s.shutdownAt, s.leaving = -1, false
	}
}

// settleShutdowns notes for brokers that began to shut down the offset after all records of that step: who has
// read so far knows that they lead nothing any more.
func (c *Controller) settleShutdowns() {
	for _, s := range c.sessions {
		if s.leaving {
			s.leaving = false
			if s.shutdownAt < 0 {
				s.shutdownAt = c.last
			}
		}
	}
}

// valid reports whether the broker was heard of within the session timeout, and is not known to be gone.
func (c *Controller) valid(s *session, now time.Time) bool {
	return s != nil && !s.unlinked && !s.heard.IsZero() && now.Sub(s.heard) <= c.sessionTimeout
}

// fencingRetry keeps a controller whose log does not take records from fencing in a tight loop.
const fencingRetry = 100 * time.Millisecond

// expiry is when the broker's silence gets too long; false if it is fenced already.
func (c *Controller) expiry(id int32, s *session) (time.Time, bool) {
	b := c.Image().Broker(id)
	if b == nil || b.Fenced {
		return time.Time{}, false
	}
	at := s.heard.Add(c.sessionTimeout + time.Millisecond)
	if s.retryAt.After(at) {
		at = s.retryAt
	}
	return at, true
}

// nextExpiry is when the next session expires, the zero time if none does.
func (c *Controller) nextExpiry() time.Time {
	var next time.Time
	for id, s := range c.sessions {
		if at, found := c.expiry(id, s); found && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	return next
}

// silentBroker returns the lowest broker whose session has expired.
func (c *Controller) silentBroker(now time.Time) (int32, bool) {
	for b := range c.Image().Brokers() {
		if at, found := c.expiry(b.ID, c.sessions[b.ID]); found && !now.Before(at) {
			return b.ID, true
		}
	}
	return 0, false
}

// forgiveOversleep gives all brokers time for a heartbeat if a session expired long ago and nothing was done about it: then
// this process, or the whole machine, stood still, and what the brokers sent meanwhile is still on its way.
func (c *Controller) forgiveOversleep(now time.Time) {
	if next := c.nextExpiry(); next.IsZero() || now.Sub(next) < c.heartbeatInterval/2 {
		return
	}
	for _, s := range c.sessions {
		if grace := now.Add(c.heartbeatInterval); s.retryAt.Before(grace) {
			s.retryAt = grace
		}
	}
}

// lowestActive is the lowest metadata offset that an active broker has read to; no broker, no limit.
func (c *Controller) lowestActive() (offset int64, found bool) {
	for b := range c.Image().Brokers() {
		s := c.sessions[b.ID]
		if b.Fenced || s.shutdownAt >= 0 || b.InControlledShutdown {
			continue
		}
		if !found || s.readTo < offset {
			offset, found = s.readTo, true
		}
	}
	return offset, found
}
