package server

import (
	"log/slog"
	"net"
	"net/netip"
	"time"

	"github.com/ottla/ottla/internal/metrics"
)

// Options say how a Server treats its connections. A zero field has the default it names.
type Options struct {
	Handler Handler
	Logger  *slog.Logger      // default: slog.Default
	Metrics *metrics.Registry // default: a registry that nobody reads
	Buffers *Buffers          // default: NewBuffers(32 MiB)
	Now     func() time.Time  // dates requests, with a monotonic reading; default: time.Now

	// MaxRequestBytes is the largest frame: socket.request.max.bytes (default 100 MiB).
	MaxRequestBytes int
	// MaxQueuedBytes bounds the bytes of all frames in memory: queued.max.request.bytes. A connection
	// waits while so much is in use; a frame that has begun to arrive is finished, so the sum may pass the
	// bound. Default, and below 1: no bound.
	MaxQueuedBytes int64
	// MaxInFlightRequests and MaxInFlightBytes (frames and unwritten replies) bound what one connection
	// may have under way before reading from it stops (default 100, 16 MiB).
	MaxInFlightRequests int
	MaxInFlightBytes    int64
	// MaxIdle is connections.max.idle.ms (default 10 min; negative: for ever). A connection with a
	// request under way is not idle.
	MaxIdle time.Duration
	// WriteTimeout is how long a peer may take for 512 KiB of replies before it is cut (default 60 s;
	// negative: for ever).
	WriteTimeout time.Duration
	// Limits bound the number of connections; Server.SetLimits replaces them.
	Limits Limits
	// SendBuffer and ReceiveBuffer are socket.send.buffer.bytes and socket.receive.buffer.bytes; 0 and
	// below leave the system's choice.
	SendBuffer, ReceiveBuffer int
}

// Limits bound the number of connections; 0 means none.
type Limits struct {
	MaxConnections         int                // max.connections
	MaxConnectionsPerIP    int                // max.connections.per.ip
	PerIPOverrides         map[netip.Addr]int // max.connections.per.ip.overrides
	MaxListenerConnections map[string]int     // listener.name.NAME.max.connections, by Listener.Name
}

// Listener is a named place to connect to.
type Listener struct {
	Name             string       // as in the property listeners, upper case
	SecurityProtocol string       // PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL
	Net              net.Listener // may be a tls.NewListener
	// Privileged is set for the inter-broker listener when there are others: it may pass the broker's
	// max.connections, at the expense of the connection elsewhere that was idle longest.
	Privileged bool
	// AuthenticationRequired makes frames larger than MaxUnauthenticatedBytes an offence until
	// Session.Authenticate is called.
	AuthenticationRequired bool
}

// MaxUnauthenticatedBytes is the largest frame of a peer that must still say who it is: Kafka's
// sasl.server.max.receive.size.
const MaxUnauthenticatedBytes = 512 << 10

func (o Options) withDefaults() Options {
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.Metrics == nil {
		o.Metrics = metrics.NewRegistry()
	}
	if o.Buffers == nil {
		o.Buffers = NewBuffers(32 << 20)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.MaxRequestBytes <= 0 {
		o.MaxRequestBytes = 100 << 20
	}
	if o.MaxInFlightRequests <= 0 {
		o.MaxInFlightRequests = 100
	}
	if o.MaxInFlightBytes <= 0 {
		o.MaxInFlightBytes = 16 << 20
	}
	if o.MaxIdle == 0 {
		o.MaxIdle = 10 * time.Minute
	}
	if o.WriteTimeout == 0 {
		o.WriteTimeout = time.Minute
	}
	return o
}
