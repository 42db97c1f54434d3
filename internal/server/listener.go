package server

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// listener is a Listener at work.
type listener struct {
	Listener
	listenerMetrics
}

const (
	minAcceptPause = 5 * time.Millisecond
	maxAcceptPause = time.Second
)

// accept takes connections until the listener is closed. Any failure (too many open files, above all) is
// waited out: 5 ms at first, then twice as long each time, 1 s at most.
func (s *Server) accept(l *listener) {
	var pause time.Duration
	for {
		nc, err := l.Net.Accept()
		if err == nil {
			pause = 0
			s.admit(l, nc)
			continue
		}
		if errors.Is(err, net.ErrClosed) || s.ctx.Err() != nil {
			return
		}
		pause = min(max(2*pause, minAcceptPause), maxAcceptPause)
		l.acceptErrors.Inc()
		s.notices.tell(slog.LevelError, CloseReason("accept"), netip.AddrPort{}, "cannot accept connections",
			slog.String("listener", l.Name), slog.Any("error", err))
		select {
		case <-time.After(pause):
		case <-s.ctx.Done():
			return
		}
	}
}

// admit waits for a slot and starts the connection.
func (s *Server) admit(l *listener, nc net.Conn) {
	peer := peerOf(nc)
	over, err := s.admission.enter(s.ctx, l, peer.Addr())
	if err != nil {
		nc.Close()
		if refused, ok := errors.AsType[*refusal](err); ok {
			l.closed[refused.reason].Inc()
			s.notices.tell(slog.LevelWarn, refused.reason, peer, "connection refused: "+refused.text, slog.String("listener", l.Name))
		}
		return
	}
	l.created.Inc()
	if over {
		s.evict(l)
	}
	s.tune(nc)
	c := s.newConn(l, nc, peer)
	if !s.register(c) {
		nc.Close()
		c.cancel()
		s.admission.leave(l, peer.Addr())
	}
}

// tune sets the options of a TCP socket. Go has set TCP_NODELAY and keep-alive already. A failure says
// that the socket is dead, which the first read will find out.
func (s *Server) tune(nc net.Conn) {
	if wrapped, ok := nc.(interface{ NetConn() net.Conn }); ok {
		nc = wrapped.NetConn()
	}
	tcp, ok := nc.(*net.TCPConn)
	if !ok {
		return
	}
	if n := s.options.SendBuffer; n > 0 {
		_ = tcp.SetWriteBuffer(n)
	}
	if n := s.options.ReceiveBuffer; n > 0 {
		_ = tcp.SetReadBuffer(n)
	}
}

func (s *Server) newConn(l *listener, nc net.Conn, peer netip.AddrPort) *conn {
	c := &conn{server: s, listener: l, net: nc, wake: make(chan struct{}, 1)}
	c.write, c.late, c.sendfile = c.writeLoop, newLateWriter(nc), newFileSender(nc)
	c.session.ID = s.lastID.Add(1)
	c.session.ListenerName, c.session.SecurityProtocol = l.Name, l.SecurityProtocol
	c.session.RemoteAddr, c.session.Host, c.session.Principal = peer, hostOf(peer.Addr()), Anonymous
	c.session.softwares = s.metrics.software
	c.session.ctx, c.cancel = context.WithCancel(s.ctx)
	_, c.out.writev = nc.(*net.TCPConn)
	c.stamp.idleSince.Store(s.at(time.Now()))
	return c
}

// peerOf returns the other side's address, with an IPv4 address as such.
func peerOf(nc net.Conn) netip.AddrPort {
	if addr, ok := nc.RemoteAddr().(interface{ AddrPort() netip.AddrPort }); ok {
		p := addr.AddrPort()
		return netip.AddrPortFrom(p.Addr().Unmap(), p.Port())
	}
	return netip.AddrPort{}
}

// hostOf is an address as Java's InetAddress.toString prints it without a host name, which does not shorten IPv6 addresses.
func hostOf(addr netip.Addr) string {
	if !addr.Is6() {
		return "/" + addr.String()
	}
	b := addr.As16()
	groups := make([]string, 0, len(b)/2)
	for i := 0; i < len(b); i += 2 {
		groups = append(groups, strconv.FormatUint(uint64(b[i])<<8|uint64(b[i+1]), 16))
	}
	text := "/" + strings.Join(groups, ":")
	if zone := addr.Zone(); zone != "" {
		text += "%" + zone
	}
	return text
}
