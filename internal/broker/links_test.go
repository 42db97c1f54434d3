package broker

import (
	"context"
	"fmt"
	"net"
	"sync/atomic"
	"syscall"
	"testing"
)

// The connection of a broker ends while its listener is still there, as when a large process dies: it is tried again, and
// fenced as soon as nobody listens any more, long before its session has run out.
func TestABrokerThatTakesAWhileToDieIsTriedAgain(t *testing.T) {
	c := newNodes(t, 3, "broker.heartbeat.interval.ms=60000", "broker.session.timeout.ms=120000")
	var dying atomic.Pointer[string] // an address
	var tries atomic.Int32
	c.dial = func(int32) func(context.Context, string, string) (net.Conn, error) {
		return func(ctx context.Context, network, address string) (net.Conn, error) {
			if gone := dying.Load(); gone != nil && address == *gone && tries.Add(1) > 1 {
				return nil, &net.OpError{Op: "dial", Net: network, Err: syscall.ECONNREFUSED}
			}
			return new(net.Dialer).DialContext(ctx, network, address)
		}
	}
	c.startAll()
	active := c.active()
	victim := c.other(active)
	address := victim.Listeners()[0].Address()
	dying.Store(&address)
	connection, end := context.WithCancel(t.Context())
	active.brokerLinked(connection, victim.id, victim.epoch.Load())
	end()
	untilRight(t, "the broker is fenced", func() error {
		if known := active.store.Current().Broker(victim.id); !known.Fenced {
			return fmt.Errorf("it is not, after %d tries to reach it", tries.Load())
		}
		return nil
	})
}
