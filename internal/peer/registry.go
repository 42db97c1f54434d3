package peer

import (
	"sync"

	"github.com/ottla/ottla/internal/kafka"
)

// Listener is which of a node's listeners a connection goes to.
type Listener int8

const (
	// Broker is the listener of inter.broker.listener.name.
	Broker Listener = iota
	// Controller is the first listener of controller.listener.names.
	Controller
)

// String is how logs name the listener.
func (l Listener) String() string {
	if l == Controller {
		return "controller"
	}
	return "broker"
}

// To is where a connection goes, and what it is for.
type To struct {
	Listener Listener
	Node     int32
	// Use tells apart connections to the same place: answers come in the order of the requests, so a request that
	// waits long, like a Fetch, wants a connection that others do not share. The empty use is for short requests.
	Use string
}

// RegistryOptions say how a registry's clients connect.
type RegistryOptions struct {
	// Client is what all clients have in common; Address and OnDown are set by the registry.
	Client Options
	// Resolve returns the address of a node's listener as it is known now, and whether the node is known at all. It is
	// called with no lock held, and must not call the registry.
	Resolve func(Listener, int32) (address string, ok bool)
	// OnDown is told what Options.OnDown is told, with the client that it is about. May be nil.
	OnDown func(to To, refused bool)
}

// Registry is the set of a node's connections.
type Registry struct {
	options RegistryOptions
	mu      struct {
		sync.Mutex
		clients map[To]*Client
		closed  bool
	}
}

// NewRegistry makes a registry without connections.
func NewRegistry(o RegistryOptions) *Registry {
	r := &Registry{options: o}
	r.mu.clients = map[To]*Client{}
	return r
}

// Client returns the client of a place, which is made if there is none. Requests to a node that is not known fail with
// BROKER_NOT_AVAILABLE. The client is asked for each time: it is closed once its node is gone.
func (r *Registry) Client(to To) *Client {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.mu.clients[to]
	if c == nil {
		c = r.newClient(to)
		r.mu.clients[to] = c
		if r.mu.closed {
			c.Close()
		}
	}
	return c
}

func (r *Registry) newClient(to To) *Client {
	o := r.options.Client
	o.Address = func() (string, error) {
		address, ok := r.options.Resolve(to.Listener, to.Node)
		if !ok {
			return "", kafka.Errorf(kafka.BrokerNotAvailable, "node %d has no %s listener that this node knows of", to.Node, to.Listener)
		}
		return address, nil
	}
	if r.options.OnDown != nil {
		o.OnDown = func(refused bool) { r.options.OnDown(to, refused) }
	}
	return New(o)
}

// Refresh looks at the addresses again: connections to another one than the node has now are made anew, and those to
// nodes that are not known any more are closed. It is called when the cluster's metadata has changed.
func (r *Registry) Refresh() {
	r.mu.Lock()
	clients := make(map[To]*Client, len(r.mu.clients))
	for to, c := range r.mu.clients {
		clients[to] = c
	}
	r.mu.Unlock()
	for to, c := range clients {
		address, ok := r.options.Resolve(to.Listener, to.Node)
		if ok {
			c.moved(address)
			continue
		}
		r.mu.Lock()
		if r.mu.clients[to] == c {
			delete(r.mu.clients, to)
		}
		r.mu.Unlock()
		c.Close()
	}
}

// moved makes the connection anew if it goes elsewhere, and at once if an attempt to is due later.
func (c *Client) moved(address string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.mu.address == address || c.mu.address == "" {
		return
	}
	c.closeConn(kafka.Errorf(kafka.NetworkException, "the peer has moved to %s", address))
	signal(c.retry)
}

// Close closes all connections, and those that somebody still asks for.
func (r *Registry) Close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.mu.closed = true
	for _, c := range r.mu.clients {
		c.Close()
	}
}
