package broker

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"syscall"
	"testing"
)

// dyingNode is a network in which one node's connections end while its listeners are still there for a while, as when a
// large process dies.
type dyingNode struct {
	mu      sync.Mutex
	conns   map[int32][]net.Conn // by who made them
	node    int32                // that dies; 0 before
	address string               // its listener for brokers
	tries   int                  // to reach that since
}

func (d *dyingNode) dial(from int32) func(ctx context.Context, network, address string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		if err := d.refusal(from, address); err != nil {
			return nil, err
		}
		conn, err := new(net.Dialer).DialContext(ctx, network, address)
		if err == nil {
			d.mu.Lock()
			d.conns[from] = append(d.conns[from], conn)
			d.mu.Unlock()
		}
		return conn, err
	}
}

func (d *dyingNode) refusal(from int32, address string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.node != 0 && from == d.node {
		return errors.New("it is dying")
	}
	if d.node == 0 || address != d.address {
		return nil
	}
	if d.tries++; d.tries > 1 {
		return &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	}
	return nil
}

func (d *dyingNode) die(node int32, address string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.node, d.address = node, address
	for _, conn := range d.conns[node] {
		conn.Close()
	}
}

// The connection of a broker ends while its listener is still there: it is tried again, and fenced as soon as nobody listens any
// more, long before its session has run out.
func TestABrokerThatTakesAWhileToDieIsTriedAgain(t *testing.T) {
	t.Parallel()
	c := newNodes(t, 3, "broker.heartbeat.interval.ms=60000", "broker.session.timeout.ms=120000")
	d := &dyingNode{conns: map[int32][]net.Conn{}}
	c.dial = d.dial
	c.startAll()
	active := c.active()
	victim := c.other(active)
	d.die(victim.id, victim.Listeners()[0].Address())
	untilRight(t, "the broker is fenced", func() error {
		if known := active.store.Current().Broker(victim.id); !known.Fenced {
			d.mu.Lock()
			defer d.mu.Unlock()
			return fmt.Errorf("it is not, after %d tries to reach it", d.tries)
		}
		return nil
	})
}
