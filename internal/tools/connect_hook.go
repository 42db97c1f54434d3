package tools

import (
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// A connectHook remembers that some broker was reached, and says in the log, once for each reason, why one was not: the
// exceptions of the calls name only a time limit.
type connectHook struct {
	log     logger
	reached *atomic.Bool
	mu      struct {
		sync.Mutex
		said map[string]bool
	}
}

// OnBrokerConnect implements kgo.HookBrokerConnect.
func (h *connectHook) OnBrokerConnect(broker kgo.BrokerMetadata, _ time.Duration, _ net.Conn, err error) {
	if err == nil {
		h.reached.Store(true)
		return
	}
	text := fmt.Sprintf("Connection to %s:%d could not be established. Broker may not be available: %v", broker.Host, broker.Port, err)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.mu.said[text] {
		return
	}
	if h.mu.said == nil {
		h.mu.said = make(map[string]bool)
	}
	h.mu.said[text] = true
	h.log.warn("%s", text)
}
