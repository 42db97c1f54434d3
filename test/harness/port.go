package harness

import (
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
)

// Ports come from below the range that operating systems hand to outgoing connections: a client that reconnects to a killed
// broker's port in that range can be given the very same port as its own end and then talk to itself.
const (
	firstPort = 21000
	ports     = 10000
)

// given are the ports that FreeAddr has returned. Between that and the moment when a broker listens they look free.
var given sync.Map

// FreeAddr returns localhost:PORT with a port nobody listens on, another one with every call.
func FreeAddr(t testing.TB) string {
	t.Helper()
	for range 100 {
		port := firstPort + rand.IntN(ports)
		if _, taken := given.LoadOrStore(port, true); taken {
			continue
		}
		addr := fmt.Sprintf("localhost:%d", port)
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
