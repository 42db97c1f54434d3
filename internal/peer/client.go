package peer

import (
	"context"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/wire"
)

// Dial opens a connection, as net.Dialer.DialContext does for "tcp".
type Dial func(ctx context.Context, address string) (net.Conn, error)

// Options say where a client connects to, and how.
type Options struct {
	// Address is asked before each attempt to connect: the address of a node may change while it restarts.
	Address func() (string, error)
	Dial    Dial
	// ClientID is what the peer's logs and metrics call this client.
	ClientID string
	// Version is that of this program, as ApiVersions tells it. Empty stands for "dev".
	Version string

	// Timeout is how long a request waits for its answer if it does not say so itself. 0 stands for 30 s
	// (request.timeout.ms).
	Timeout time.Duration
	// ConnectTimeout bounds an attempt to connect, with the ApiVersions request that begins every connection. 0
	// stands for 10 s (socket.connection.setup.timeout.ms).
	ConnectTimeout time.Duration
	// MaxPending is how many requests may wait, to be sent or to be answered. 0 stands for 1000.
	MaxPending int
	// MaxResponseBytes bounds a response. 0 stands for 100 MiB (socket.request.max.bytes).
	MaxResponseBytes int

	// OnDown tells that a connection was lost, after the attempt to make it again at once, and of every attempt that
	// is refused. Refused means that the address answers and nobody listens there: the process is gone. It is
	// called from the client's goroutine and must not block. May be nil.
	OnDown func(refused bool)
	Logger *slog.Logger // nil stands for nobody
}

// Pauses between attempts to connect.
const (
	firstPause = 10 * time.Millisecond
	maxPause   = 500 * time.Millisecond
)

// Request is a request and where its response goes.
type Request struct {
	Message  wire.Message // must not be changed before done is called
	Response wire.Message // is overwritten by the response
	// Timeout is how long to wait for the response, from Send on; 0 stands for Options.Timeout.
	Timeout time.Duration
	// Done is called with nil once Response is there, or with the reason why it never will be. The bytes and records
	// of the response (not its strings) are valid until Done returns; until then the connection's next responses wait.
	Done func(error)
}

// call is a request that waits to be sent or answered.
type call struct {
	Request
	deadline time.Time
	version  int16
}

// Client is a connection to a peer. Its methods may be called from everywhere.
type Client struct {
	options Options
	log     *slog.Logger
	ctx     context.Context // ends with Close
	cancel  context.CancelFunc
	wake    chan struct{} // something to send, or another address; holds one
	retry   chan struct{} // the pause before the next attempt may end; holds one

	mu struct {
		sync.Mutex
		begun   bool // the goroutine was started
		queue   []*call
		flight  []*call  // sent, in order
		conn    net.Conn // nil while there is none
		out     *output  // of conn, from when it may be used
		address string   // of the last attempt to connect
		broken  error    // why conn was closed by this side
		// alarm goes off at the earliest deadline that was seen since it last did.
		alarm   *time.Timer
		alarmAt time.Time
	}
}

// New makes a client. It does nothing before it is used; Close it in the end.
func New(o Options) *Client {
	if o.Timeout == 0 {
		o.Timeout = 30 * time.Second
	}
	if o.ConnectTimeout == 0 {
		o.ConnectTimeout = 10 * time.Second
	}
	if o.MaxPending == 0 {
		o.MaxPending = 1000
	}
	if o.MaxResponseBytes == 0 {
		o.MaxResponseBytes = 100 << 20
	}
	if o.Version == "" {
		o.Version = "dev"
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	c := &Client{options: o, log: o.Logger, wake: make(chan struct{}, 1), retry: make(chan struct{}, 1)}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	return c
}

// Connect has the connection made, if there is none, without a request to send: from then on its loss is noticed.
func (c *Client) Connect() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.begin()
}

// Close ends the connection. Requests that wait fail, and so do those that come later.
func (c *Client) Close() {
	c.cancel()
	c.interrupt(errClosed)
}

// Send hands over a request.
func (c *Client) Send(r Request) {
	if r.Timeout <= 0 {
		r.Timeout = c.options.Timeout
	}
	x := &call{Request: r, deadline: time.Now().Add(r.Timeout)}
	out, err := c.enqueue(x)
	switch {
	case err != nil:
		go r.Done(err) // not from here: the caller may hold a lock that Done takes
	case out != nil:
		out.writeDirect()
	}
}

// enqueue puts a request into the queue, or into flight: then the caller is to write it.
func (c *Client) enqueue(x *call) (out *output, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ctx.Err() != nil {
		return nil, errClosed
	}
	if n := len(c.mu.queue) + len(c.mu.flight); n >= c.options.MaxPending {
		return nil, kafka.Errorf(kafka.NetworkException, "%d requests wait for an answer already", n)
	}
	c.alarm(x.deadline)
	if len(c.mu.queue) == 0 && c.mu.out.claim(x) {
		c.mu.flight = append(c.mu.flight, x)
		return c.mu.out, nil
	}
	c.mu.queue = append(c.mu.queue, x)
	c.begin()
	signal(c.wake)
	return nil, nil
}

var errClosed = &kafka.Error{Code: kafka.NetworkException, Message: "the connection is closed"}

// begin starts the goroutine; the caller holds c.mu.
func (c *Client) begin() {
	if !c.mu.begun {
		c.mu.begun = true
		go c.run()
	}
}

func signal(to chan struct{}) {
	select {
	case to <- struct{}{}:
	default:
	}
}

// message is a pointer to a response struct.
type message[T any] interface {
	*T
	wire.Message
}

// Ask sends a request and waits for its response, or for ctx. It is for rare requests whose responses hold no bytes and
// records: those would not be valid any more.
func Ask[T any, M message[T]](ctx context.Context, c *Client, request wire.Message) (M, error) {
	response := M(new(T))
	done := make(chan error, 1)
	r := Request{Message: request, Response: response, Done: func(err error) { done <- err }}
	if deadline, ok := ctx.Deadline(); ok {
		r.Timeout = max(min(time.Until(deadline), c.options.Timeout), 1)
	}
	c.Send(r)
	select {
	case err := <-done:
		if err != nil {
			return nil, err
		}
		return response, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
