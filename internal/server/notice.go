package server

import (
	"context"
	"log/slog"
	"net/netip"
	"sync"
	"time"
)

const (
	noticeEvery = time.Minute
	maxNotices  = 1024
)

// notices limits the log: one line per reason and peer address in a minute, with the number of those
// left out since the line before. It remembers at most maxNotices pairs; while it is full, further pairs share
// one line a minute.
type notices struct {
	logger *slog.Logger
	mu     struct {
		sync.Mutex
		lines map[noticeKey]notice
	}
}

type noticeKey struct {
	reason CloseReason
	ip     netip.Addr
}

type notice struct {
	at      time.Time
	skipped int
}

// tell logs a line about a peer, unless there was one like it within the last minute.
func (n *notices) tell(level slog.Level, reason CloseReason, peer netip.AddrPort, text string, attrs ...slog.Attr) {
	skipped, ok := n.due(noticeKey{reason, peer.Addr()}, time.Now())
	if !ok {
		return
	}
	attrs = append(attrs, slog.String("peer", peer.String()), slog.String("reason", string(reason)))
	if skipped > 0 {
		attrs = append(attrs, slog.Int("similar", skipped))
	}
	n.logger.LogAttrs(context.Background(), level, text, attrs...)
}

func (n *notices) due(key noticeKey, now time.Time) (skipped int, ok bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.mu.lines == nil {
		n.mu.lines = make(map[noticeKey]notice)
	}
	if _, known := n.mu.lines[key]; !known && len(n.mu.lines) >= maxNotices {
		for k, l := range n.mu.lines {
			if now.Sub(l.at) >= noticeEvery {
				delete(n.mu.lines, k)
			}
		}
		if len(n.mu.lines) >= maxNotices {
			key.ip = netip.Addr{}
		}
	}
	l, known := n.mu.lines[key]
	if known && now.Sub(l.at) < noticeEvery {
		l.skipped++
		n.mu.lines[key] = l
		return 0, false
	}
	n.mu.lines[key] = notice{at: now}
	return l.skipped, true
}
