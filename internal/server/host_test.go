package server

import (
	"net/netip"
	"testing"
)

// TestHostOf: addresses as Java's InetAddress prints them.
func TestHostOf(t *testing.T) {
	for addr, want := range map[string]string{
		"127.0.0.1": "/127.0.0.1", "::1": "/0:0:0:0:0:0:0:1", "fe80::1%eth0": "/fe80:0:0:0:0:0:0:1%eth0", "2001:db8::a:0": "/2001:db8:0:0:0:0:a:0",
	} {
		if got := hostOf(netip.MustParseAddr(addr)); got != want {
			t.Errorf("%s: %s instead of %s", addr, got, want)
		}
	}
}
