package server

import (
	"encoding/binary"
	"net/netip"
	"testing"
	"time"
)

func TestNoticesStayBounded(t *testing.T) {
	var n notices
	now := time.Unix(1000, 0)
	lines := 0
	for i := range uint32(5 * maxNotices) { // a peer with many addresses
		ip := netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, i)))
		if _, ok := n.due(noticeKey{ClosedHTTP, ip}, now); ok {
			lines++
		}
	}
	if lines != maxNotices+1 || len(n.mu.lines) != maxNotices+1 {
		t.Errorf("%d lines, %d remembered", lines, len(n.mu.lines))
	}
	now = now.Add(noticeEvery)
	skipped, ok := n.due(noticeKey{ClosedHTTP, netip.Addr{}}, now)
	if !ok || skipped != 4*maxNotices-1 {
		t.Errorf("the shared line: %v, %d left out", ok, skipped)
	}
	if _, ok := n.due(noticeKey{ClosedTLS, netip.MustParseAddr("10.9.8.7")}, now); !ok || len(n.mu.lines) > 2 {
		t.Errorf("old lines were not forgotten: %d", len(n.mu.lines))
	}
}
