package server

import (
	"sync/atomic"
	"time"
)

// activity is what a connection leaves behind for the scan, without asking for the time.
type activity struct {
	seen      atomic.Bool   // bytes came or went since the last look
	writes    atomic.Uint64 // odd while a write is under way
	idleSince atomic.Int64  // as Server.at has it; set by the scan

	lastWrite uint64    // the scan's own: writes at the last look
	writingAt time.Time // the scan's own: when it first saw lastWrite
}

// trimEvery is how often the pool of buffers gives up what was not needed.
const trimEvery = 30 * time.Second

// at is how long after the server's beginning something was, in nanoseconds: the wall clock may be set meanwhile.
func (s *Server) at(now time.Time) int64 { return int64(now.Sub(s.began)) }

// scan looks at all connections now and then: one timer instead of two deadlines for each of them. An
// idle connection is closed up to a tick late.
func (s *Server) scan() {
	ticker := time.NewTicker(s.scanInterval())
	defer ticker.Stop()
	var conns []*conn
	trimmed := time.Now()
	for {
		select {
		case <-s.ctx.Done():
			return
		case now := <-ticker.C:
			conns = s.connections(conns[:0])
			for _, c := range conns {
				s.look(c, now)
			}
			clear(conns)
			if now.Sub(trimmed) >= trimEvery {
				trimmed = now
				s.options.Buffers.Trim()
			}
		}
	}
}

// scanInterval is an eighth of the shorter timeout, within 10 ms and 5 s.
func (s *Server) scanInterval() time.Duration {
	interval := 40 * time.Second
	for _, timeout := range []time.Duration{s.options.MaxIdle, s.options.WriteTimeout} {
		if timeout > 0 {
			interval = min(interval, timeout)
		}
	}
	return min(max(interval/8, 10*time.Millisecond), 5*time.Second)
}

// look closes c if its peer was silent, or does not take its replies, for too long.
func (s *Server) look(c *conn, now time.Time) {
	if writes := c.stamp.writes.Load(); writes%2 == 1 {
		if writes != c.stamp.lastWrite {
			c.stamp.lastWrite, c.stamp.writingAt = writes, now
		} else if t := s.options.WriteTimeout; t > 0 && now.Sub(c.stamp.writingAt) >= t {
			c.shut(ClosedSlow, nil)
		}
		return
	}
	if c.stamp.seen.Swap(false) {
		c.stamp.idleSince.Store(s.at(now))
		return
	}
	idle := s.at(now) - c.stamp.idleSince.Load()
	if t := s.options.MaxIdle; t > 0 && idle >= int64(t) && c.inFlight() == 0 {
		s.metrics.expired.Inc()
		c.shut(ClosedIdle, nil)
	}
}

// inFlight returns the number of requests that were handled but are not written.
func (c *conn) inFlight() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.mu.count
}

// evict closes the connection that was idle longest, among those of the other listeners.
func (s *Server) evict(except *listener) {
	var oldest *conn
	for _, c := range s.connections(nil) {
		if c.listener == except || c.listener.Privileged {
			continue
		}
		if oldest == nil || c.stamp.idleSince.Load() < oldest.stamp.idleSince.Load() {
			oldest = c
		}
	}
	if oldest != nil {
		oldest.shut(ClosedForOther, nil)
	}
}
