package broker

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"

	"github.com/ottla/ottla/internal/config"
	"github.com/ottla/ottla/internal/server"
)

// listener is an open socket and what it is for.
type listener struct {
	config.Listener
	socket net.Listener
}

// openListeners binds the sockets of all listeners. They are served later; until then connections wait in the system's
// queue.
func (b *Broker) openListeners() error {
	for _, l := range b.options.Config.Listeners {
		socket, err := b.options.Listen("tcp", l.Address())
		if err != nil {
			return fmt.Errorf("listener %s: %w (property listeners)", l, err)
		}
		b.listeners = append(b.listeners, listener{l, socket})
	}
	return nil
}

// closeListeners closes the listeners of clients, or those of controllers.
func (b *Broker) closeListeners(ofControllers bool) {
	for _, l := range b.listeners {
		if b.isControllers(l.Listener) == ofControllers {
			l.socket.Close()
		}
	}
}

// serve begins to accept clients.
func (b *Broker) serve() error { return b.serveOn(b.server, false) }

// serveControllers begins to accept other controllers, and brokers that talk to this one. It comes before the registration,
// which needs an active controller, and that a majority of them.
func (b *Broker) serveControllers() error {
	if b.controllerServer == nil {
		return nil
	}
	return b.serveOn(b.controllerServer, true)
}

// stopControllers is the end of what serveControllers began.
func (b *Broker) stopControllers(ctx context.Context) {
	b.closeListeners(true)
	if b.controllerServer == nil {
		return
	}
	b.controllerAPI.Stop()
	if err := b.controllerServer.Stop(ctx); err != nil {
		b.log.Warn("other nodes did not take all their answers in time", "error", err)
	}
}

func (b *Broker) serveOn(s *server.Server, ofControllers bool) error {
	for _, l := range b.listeners {
		if b.isControllers(l.Listener) != ofControllers {
			continue
		}
		err := s.Listen(server.Listener{
			Name: l.Name, SecurityProtocol: string(l.Protocol), Net: l.socket,
			Privileged: l.Name == b.options.Config.InterBrokerListener && len(b.Listeners()) > 1,
		})
		if err != nil {
			return fmt.Errorf("listener %s: %w", l, err)
		}
	}
	return nil
}

// Listeners are the addresses at which clients are served, with the ports that were bound.
func (b *Broker) Listeners() []config.Listener { return b.bound(false) }

// ControllerListeners are the addresses at which other nodes reach this one's controller, with the ports that were bound.
func (b *Broker) ControllerListeners() []config.Listener { return b.bound(true) }

func (b *Broker) bound(ofControllers bool) []config.Listener {
	var bound []config.Listener
	for _, l := range b.listeners {
		if b.isControllers(l.Listener) == ofControllers {
			at := l.Listener
			at.Port = l.socket.Addr().(*net.TCPAddr).Port
			bound = append(bound, at)
		}
	}
	return bound
}

// advertised are the addresses that clients are told: what was left open (host, port) is filled in.
func (b *Broker) advertised() []config.Listener {
	bound := b.Listeners()
	var all []config.Listener
	for _, l := range b.options.Config.AdvertisedListeners {
		if i := slices.IndexFunc(bound, func(o config.Listener) bool { return o.Name == l.Name }); l.Port == 0 && i >= 0 {
			l.Port = bound[i].Port
		}
		if l.Host == "" {
			l.Host = hostName()
		}
		all = append(all, l)
	}
	return all
}

func hostName() string {
	name, err := os.Hostname()
	if err != nil {
		return "localhost"
	}
	return name
}

// serverOptions are what clients and other nodes are served with.
func (b *Broker) serverOptions(buffers *server.Buffers) server.Options {
	c := b.options.Config
	return server.Options{
		Handler: b.api, Now: b.options.Now, Logger: b.log, Metrics: b.metrics, Buffers: buffers,
		MaxRequestBytes: c.Int(config.SocketRequestMaxBytes), MaxQueuedBytes: c.Long(config.QueuedMaxRequestBytes),
		MaxIdle: c.Duration(config.ConnectionsMaxIdleMs), Limits: limitsOf(c),
		SendBuffer: c.Int(config.SocketSendBufferBytes), ReceiveBuffer: c.Int(config.SocketReceiveBufferBytes),
	}
}

// limitsOf are the bounds on connections.
func limitsOf(c *config.Broker) server.Limits {
	limits := server.Limits{
		MaxConnections: c.Int(config.MaxConnections), MaxConnectionsPerIP: c.Int(config.MaxConnectionsPerIP),
		PerIPOverrides: map[netip.Addr]int{}, MaxListenerConnections: map[string]int{},
	}
	for host, n := range c.MaxConnectionsOverrides() {
		addresses, err := net.LookupHost(host)
		if err != nil {
			continue // a name that does not resolve limits nobody
		}
		for _, text := range addresses {
			if addr, err := netip.ParseAddr(text); err == nil {
				limits.PerIPOverrides[addr.Unmap()] = n
			}
		}
	}
	for _, l := range c.Listeners {
		if n, ok := c.ListenerInt(strings.ToLower(l.Name), config.MaxConnections); ok {
			limits.MaxListenerConnections[l.Name] = n
		}
	}
	return limits
}
