package sim

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"
)

// story is what happened in a run, with simulated times.
type story struct {
	began time.Time
	mu    struct {
		sync.Mutex
		lines  []string
		events []event
	}
}

// event is something that a client was told; two runs of a seed are compared by them.
type event struct {
	at   time.Duration
	text string
}

func newStory() *story { return &story{began: time.Now()} }

// tell adds a line.
func (s *story) tell(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mu.lines = append(s.mu.lines, fmt.Sprintf("%11.6f  ", time.Since(s.began).Seconds())+fmt.Sprintf(format, args...))
}

// note adds an event.
func (s *story) note(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mu.events = append(s.mu.events, event{time.Since(s.began), fmt.Sprintf(format, args...)})
}

func (s *story) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.mu.lines, "\n")
}

// logger is that of one process; what it logs is part of the story.
func (s *story) logger(who string, level slog.Level) *slog.Logger {
	return slog.New(&handler{story: s, who: who, level: level})
}

type handler struct {
	story *story
	who   string
	level slog.Level
	with  string
}

func (h *handler) Enabled(_ context.Context, l slog.Level) bool { return l >= h.level }

func (h *handler) Handle(_ context.Context, r slog.Record) error {
	var b strings.Builder
	r.Attrs(func(a slog.Attr) bool { fmt.Fprintf(&b, " %s=%v", a.Key, a.Value); return true })
	h.story.tell("%s %s %s%s%s", h.who, r.Level, r.Message, h.with, b.String())
	return nil
}

func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	more := *h
	for _, a := range attrs {
		more.with += fmt.Sprintf(" %s=%v", a.Key, a.Value)
	}
	return &more
}

func (h *handler) WithGroup(string) slog.Handler { return h }
