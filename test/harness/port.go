package harness

import (
	"fmt"
	"math/rand/v2"
	"net"
	"testing"
)

// Ports come from below the range that operating systems hand to outgoing connections: a client that reconnects to a killed
// broker's port in that range can be given the very same port as its own end and then talk to itself.
const (
	firstPort = 21000
	ports     = 10000
)

// FreeAddr returns localhost:PORT with a port nobody listens on.
func FreeAddr(t testing.TB) string {
	t.Helper()
	for range 100 {
		addr := fmt.Sprintf("localhost:%d", firstPort+rand.IntN(ports))
		l, err := net.Listen("tcp", addr)
		if err != nil {
			continue
		}
		l.Close()
		return addr
	}
	t.Fatal("no free port found")
	return ""
}
