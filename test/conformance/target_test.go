package conformance

import (
	"crypto/rand"
	"os"
	"strings"
	"testing"

	"github.com/ottla/ottla/test/harness"
)

// A target is the broker that a test talks to.
type target struct {
	addr string
	own  *harness.Broker // nil when OTTLA_TEST_BOOTSTRAP names a running one
}

// newTarget starts a fresh broker with these properties, or takes the running one that OTTLA_TEST_BOOTSTRAP names.
func newTarget(t *testing.T, props ...string) target {
	t.Helper()
	if addr := os.Getenv("OTTLA_TEST_BOOTSTRAP"); addr != "" {
		return target{addr: addr}
	}
	b := harness.Start(t, props...)
	return target{addr: b.Addr, own: b}
}

// name returns word on a fresh broker, and word with something random behind it on a shared one.
func (tg target) name(word string) string {
	if tg.own != nil {
		return word
	}
	return word + "-" + strings.ToLower(rand.Text()[:8])
}

// crash kills and restarts a broker of our own; a shared one stays as it is.
func (tg target) crash() {
	if tg.own != nil {
		tg.own.Kill9()
		tg.own.Restart()
	}
}
