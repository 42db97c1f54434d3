package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// Server serves connections of any number of listeners.
type Server struct {
	options   Options
	budget    budget
	writers   writerPool
	requests  sync.Pool // of *Request
	admission *admission
	notices   notices
	metrics   *serverMetrics
	lastID    atomic.Uint64
	began     time.Time // see at

	ctx    context.Context // ends when connections must
	cancel context.CancelFunc
	work   sync.WaitGroup // accept loops, the scan
	open   sync.WaitGroup // connections

	mu struct {
		sync.Mutex
		listeners []*listener
		conns     map[*conn]struct{}
		stopping  bool
	}
}

// ErrStopped says that the server was stopped before.
var ErrStopped = errors.New("the server was stopped")

// New returns a Server without listeners. It works from the first Listen until Stop.
func New(o Options) *Server {
	s := &Server{options: o.withDefaults(), admission: newAdmission(o.Limits), began: time.Now()}
	s.budget.limit = s.options.MaxQueuedBytes
	s.requests.New = func() any { return new(Request) }
	s.notices.logger = s.options.Logger
	s.metrics = newServerMetrics(s.options.Metrics, s)
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.mu.conns = make(map[*conn]struct{})
	return s
}

// Listen starts to accept connections of l, which belongs to the server from now on.
func (s *Server) Listen(l Listener) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mu.stopping {
		return fmt.Errorf("listener %s: %w", l.Name, ErrStopped)
	}
	for _, other := range s.mu.listeners {
		if other.Name == l.Name {
			return fmt.Errorf("listener %s exists already", l.Name)
		}
	}
	started := &listener{Listener: l, listenerMetrics: s.metrics.of(l.Name)}
	if len(s.mu.listeners) == 0 {
		s.work.Go(s.scan)
	}
	s.mu.listeners = append(s.mu.listeners, started)
	s.work.Go(func() { s.accept(started) })
	return nil
}

// SetLimits replaces the limits on the number of connections. Connections that are open stay.
func (s *Server) SetLimits(limits Limits) { s.admission.setLimits(limits) }

// Buffers returns the pool of frames, for replies that need memory of their own.
func (s *Server) Buffers() *Buffers { return s.options.Buffers }

// Sessions returns who is connected now.
func (s *Server) Sessions() []SessionInfo {
	var infos []SessionInfo
	for _, c := range s.connections(nil) {
		infos = append(infos, c.session.Info())
	}
	return infos
}

// Stop ends gracefully: no new connection, no further request, and each connection closes when what it
// had accepted is answered and written. When ctx ends the rest is closed as it is, and Stop returns an
// error with the number of connections that were cut.
func (s *Server) Stop(ctx context.Context) error {
	s.mu.Lock()
	s.mu.stopping = true
	for _, l := range s.mu.listeners {
		l.Net.Close()
	}
	s.mu.Unlock()
	for _, c := range s.connections(nil) {
		c.drain()
	}
	quiet := make(chan struct{})
	go func() {
		s.open.Wait()
		close(quiet)
	}()
	select {
	case <-quiet:
	case <-ctx.Done():
	}
	rest := s.connections(nil)
	for _, c := range rest {
		c.shut(ClosedByStop, nil)
	}
	s.cancel()
	if len(rest) > 0 {
		return fmt.Errorf("%d connections were cut before all their requests were answered: %w", len(rest), context.Cause(ctx))
	}
	s.work.Wait()
	return nil
}

// register starts c, unless the server stops.
func (s *Server) register(c *conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mu.stopping {
		return false
	}
	s.mu.conns[c] = struct{}{}
	c.listener.connections.Add(1)
	s.open.Go(c.run)
	return true
}

// ended takes leave of a connection whose goroutines have ended.
func (s *Server) ended(c *conn, reason CloseReason, cause error) {
	s.mu.Lock()
	delete(s.mu.conns, c)
	s.mu.Unlock()
	c.session.end()
	c.listener.connections.Add(-1)
	c.listener.closed[reason].Inc()
	s.admission.leave(c.listener, c.session.RemoteAddr.Addr())
	level := slog.LevelDebug
	switch reason {
	case ClosedByPeer, ClosedByStop, ClosedIdle:
	case ClosedSlow, ClosedForOther, ClosedTruncated:
		level = slog.LevelInfo
	default:
		level = slog.LevelWarn
	}
	if !s.options.Logger.Enabled(s.ctx, level) {
		return
	}
	attrs := []slog.Attr{slog.String("listener", c.listener.Name), slog.String("client", c.session.ClientID)}
	if cause != nil {
		attrs = append(attrs, slog.String("error", cause.Error()))
	}
	s.notices.tell(level, reason, c.session.RemoteAddr, "connection closed", attrs...)
}

// connections appends the open connections to dst.
func (s *Server) connections(dst []*conn) []*conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.mu.conns {
		dst = append(dst, c)
	}
	return dst
}

// inFlight returns the number of requests under way on all connections.
func (s *Server) inFlight() int {
	n := 0
	for _, c := range s.connections(nil) {
		n += c.inFlight()
	}
	return n
}
