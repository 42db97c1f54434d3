package server_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ottla/ottla/internal/metrics"
	"github.com/ottla/ottla/internal/server"
)

// handlerFunc is a Handler made of a function.
type handlerFunc func(rq *server.Request)

func (f handlerFunc) Handle(rq *server.Request) { f(rq) }

// reply answers rq with body.
func reply(rq *server.Request, body []byte) {
	w := rq.Writer()
	w.Buf = append(w.Buf, body...)
	rq.Reply(w)
}

// echo answers each request with its frame.
var echo = handlerFunc(func(rq *server.Request) { reply(rq, rq.Frame) })

// pipeListener is a net.Listener whose connections are net.Pipes, for tests with synthetic time.
type pipeListener struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newPipeListener() *pipeListener {
	return &pipeListener{conns: make(chan net.Conn), closed: make(chan struct{})}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error   { l.once.Do(func() { close(l.closed) }); return nil }
func (l *pipeListener) Addr() net.Addr { return &net.TCPAddr{} }

// dial connects from the given address.
func (l *pipeListener) dial(ip string) client {
	ours, theirs := net.Pipe()
	l.conns <- pipeConn{theirs, &net.TCPAddr{IP: net.ParseIP(ip), Port: 1234}}
	return client{ours}
}

type pipeConn struct {
	net.Conn
	remote net.Addr
}

func (c pipeConn) RemoteAddr() net.Addr { return c.remote }

// client is the other end of a connection.
type client struct{ net.Conn }

func frame(body string) []byte {
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(body))), body...)
}

// send writes one frame, and does not wait until the server has read it.
func (c client) send(body string) { go c.Write(frame(body)) }

// receive reads one frame.
func (c client) receive(t testing.TB) string {
	t.Helper()
	var size [4]byte
	if _, err := io.ReadFull(c, size[:]); err != nil {
		t.Fatalf("reading a reply: %v", err)
	}
	body := make([]byte, binary.BigEndian.Uint32(size[:]))
	if _, err := io.ReadFull(c, body); err != nil {
		t.Fatalf("reading a reply of %d bytes: %v", len(body), err)
	}
	return string(body)
}

// expectClosed reads the end of the connection, and nothing before it.
func (c client) expectClosed(t testing.TB) {
	t.Helper()
	if n, err := c.Read(make([]byte, 1)); n != 0 || err == nil || errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("read %d bytes, %v; want the end of the connection", n, err)
	}
}

// fixture is a server in a test.
type fixture struct {
	*server.Server
	t       testing.TB
	pipes   *pipeListener
	log     *lockedBuffer
	metrics *metrics.Registry
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// start returns a server with a listener of pipes, PLAINTEXT.
func start(t testing.TB, o server.Options) *fixture {
	f := &fixture{t: t, pipes: newPipeListener(), log: new(lockedBuffer), metrics: metrics.NewRegistry()}
	o.Logger, o.Metrics = slog.New(slog.NewTextHandler(f.log, nil)), f.metrics
	f.Server = server.New(o)
	if err := f.Listen(server.Listener{Name: "PLAINTEXT", SecurityProtocol: "PLAINTEXT", Net: f.pipes}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_ = f.Stop(ctx)
	})
	return f
}

// listenTCP adds a listener on a real loopback socket and returns its address.
func (f *fixture) listenTCP() string {
	f.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		f.t.Fatal(err)
	}
	if err := f.Listen(server.Listener{Name: "TCP", SecurityProtocol: "PLAINTEXT", Net: l}); err != nil {
		f.t.Fatal(err)
	}
	return l.Addr().String()
}

func dialTCP(t testing.TB, addr string) client {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	_ = c.SetDeadline(time.Now().Add(patience))
	return client{c}
}

// metric returns the value of one series of the exposition.
func (f *fixture) metric(series string) float64 {
	f.t.Helper()
	w := httptest.NewRecorder()
	f.metrics.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	for line := range strings.Lines(w.Body.String()) {
		if rest, ok := strings.CutPrefix(line, series+" "); ok {
			value, err := strconv.ParseFloat(strings.TrimSpace(rest), 64)
			if err != nil {
				f.t.Fatal(err)
			}
			return value
		}
	}
	f.t.Fatalf("no series %s", series)
	return 0
}

func (f *fixture) closed(reason server.CloseReason) float64 {
	return f.metric(`kafka_server_socket_server_metrics_connection_close_total{listener="PLAINTEXT",reason="` + string(reason) + `"}`)
}

// patience is what a test over real sockets may take on a busy machine.
const patience = time.Minute

// eventually polls until ok, for real time; tests in synthetic time use synctest.Wait.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited %v in vain: %s", patience, what)
		}
	}
}
