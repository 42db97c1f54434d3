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
	b.probe(node, last.epoch)
	for _, pause := range probePauses {
		if !b.rest(pause) || b.linked(node) {
			return
		}
		b.probe(node, last.epoch)
	}
}

// rest waits, and reports whether this node still runs.
func (b *Broker) rest(pause time.Duration) bool {
	select {
	case <-time.After(pause):
		return true
	case <-b.ctx.Done():
		return false
	}
}

// probe has the controller told what can be found out about a broker that has no connection here.
func (b *Broker) probe(node int32, epoch int64) {
	b.hint(node, epoch, (*controller.Controller).BrokerUnlinked)
	if known := b.store.Current().Broker(node); known == nil || known.Epoch != epoch || known.Fenced {
		return // it went with a word, or is back already
	}
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
		b.hint(node, epoch, (*controller.Controller).BrokerDead)
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

// probePauses are how long a controller waits before it tries a broker again that lost its connection and has no other: a
// process takes a while to die, and its listener may be there longer than its connections. A new controller waits as long
// before it tries the brokers that it has not heard of: the one whose process took the old controller with it has no
// connection here whose end could tell.
var probePauses = []time.Duration{20 * time.Millisecond, 200 * time.Millisecond, time.Second}

// probeBrokers tries all brokers that have no connection to this new controller, some times, since it may take a while until
// they have found it.
func (b *Broker) probeBrokers() {
	for _, pause := range probePauses {
		if !b.rest(pause) {
			return
		}
		if _, err := b.controller.engine(); err != nil {
			return
		}
		for broker := range b.store.Current().Brokers() {
			if broker.Active() && broker.ID != b.node && !b.linked(broker.ID) {
				b.loads.Go(func() { b.probe(broker.ID, broker.Epoch) })
			}
		}
	}
}

// linked reports whether a broker has a connection to this controller.
func (b *Broker) linked(node int32) bool {
	b.links.mu.Lock()
	defer b.links.mu.Unlock()
	_, found := b.links.mu.brokers[node]
	return found
}
