package broker

import (
	"context"
	"sync"
	"time"

	"github.com/ottla/ottla/internal/controller"
	"github.com/ottla/ottla/internal/peer"
	"github.com/ottla/ottla/internal/statemachine"
)

// links are the connections on which brokers have been heard of by this node's controller. The loss of one is a hint
// that its broker is dead, long before its session runs out.
type links struct {
	mu struct {
		sync.Mutex
		brokers map[int32]link // the newest of each
	}
}

type link struct {
	connection context.Context // ends with it
	epoch      int64           // of the broker
}

// probeTimeout is how long a broker that lost its connection may take to accept another one. One that does not answer at all
// is not known to be dead.
const probeTimeout = time.Second

// brokerLinked notes the connection on which a broker was heard of (api.Env.BrokerLinked).
func (b *Broker) brokerLinked(connection context.Context, node int32, epoch int64) {
	b.links.mu.Lock()
	defer b.links.mu.Unlock()
	if b.links.mu.brokers == nil {
		b.links.mu.brokers = map[int32]link{}
	}
	known := b.links.mu.brokers[node]
	b.links.mu.brokers[node] = link{connection, epoch}
	if known.connection != connection {
		context.AfterFunc(connection, func() { b.brokerUnlinked(connection, node) })
	}
}

// brokerUnlinked is told that a connection has ended. If it was the broker's newest, its listener is tried: when nobody
// listens there, its process is dead.
func (b *Broker) brokerUnlinked(connection context.Context, node int32) {
	b.links.mu.Lock()
	last := b.links.mu.brokers[node]
	if last.connection == connection {
		delete(b.links.mu.brokers, node)
	}
	b.links.mu.Unlock()
	if last.connection != connection || b.ctx.Err() != nil {
		return
	}
	b.hint(node, last.epoch, (*controller.Controller).BrokerUnlinked)
	address, known := b.addressOf(peer.Broker, node)
	if !known {
		return
	}
	ctx, cancel := context.WithTimeout(b.ctx, probeTimeout)
	defer cancel()
	conn, err := b.options.Dial(ctx, "tcp", address)
	if err == nil {
		conn.Close()
		return
	}
	if peer.Refused(err) {
		b.log.Warn("a broker's process is dead: its connection broke, and nobody listens at its address", "broker", node, "address", address)
		b.hint(node, last.epoch, (*controller.Controller).BrokerDead)
	}
}

// hint tells the controller, if it is here, what happened to a broker.
func (b *Broker) hint(node int32, epoch int64, of func(*controller.Controller, time.Time, int32, int64) statemachine.Output) {
	engine, err := b.controller.engine()
	if err != nil {
		return
	}
	engine.Do(func(c *controller.Controller, now time.Time) statemachine.Output { return of(c, now, node, epoch) }, func(error) {})
}
