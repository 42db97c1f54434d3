package peer

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ottla/ottla/internal/wire"
)

// network is a place with addresses on which peers listen, or nobody.
type network struct {
	mu struct {
		sync.Mutex
		accept map[string]func(net.Conn)
		live   map[string][]net.Conn
		dials  []time.Time
	}
	hang chan struct{} // not nil: attempts to connect wait
}

func newNetwork() *network {
	n := &network{}
	n.mu.accept = map[string]func(net.Conn){}
	n.mu.live = map[string][]net.Conn{}
	return n
}

// listen has peers at an address served; nil stops it.
func (n *network) listen(address string, serve func(net.Conn)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.mu.accept[address] = serve
}

// kill ends a peer's process: its connections break, and nobody listens.
func (n *network) kill(address string) {
	n.listen(address, nil)
	n.cut(address)
}

// cut breaks the connections to an address.
func (n *network) cut(address string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, c := range n.mu.live[address] {
		c.Close()
	}
	n.mu.live[address] = nil
}

func (n *network) dialed() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.mu.dials)
}

func (n *network) dial(ctx context.Context, address string) (net.Conn, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.mu.dials = append(n.mu.dials, time.Now())
	if n.hang != nil {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	serve := n.mu.accept[address]
	if serve == nil {
		return nil, &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
	}
	here, there := net.Pipe()
	n.mu.live[address] = append(n.mu.live[address], there)
	go serve(there)
	return here, nil
}

// host is a peer that answers ApiVersions and what a test tells it to.
type host struct {
	// serves are the versions it tells of; empty stands for all.
	serves []wire.ApiVersionsResponseApiVersion
	// answer is called for each other request; a nil response is none.
	answer func(h wire.RequestHeader, body *wire.Reader) wire.Message
	// raw, if it returns bytes, is sent instead of the answer.
	raw func(h wire.RequestHeader) []byte
}

func (p *host) serve(conn net.Conn) {
	defer conn.Close()
	for {
		frame, err := readFrame(conn)
		if err != nil {
			return
		}
		key, version, _, _ := wire.PeekRequest(frame)
		r := wire.NewReader(frame)
		var h wire.RequestHeader
		if h.Decode(r, wire.RequestHeaderVersion(key, version)) != nil {
			return
		}
		var response wire.Message
		if key == apiVersionsKey {
			response = p.versions()
		} else if p.raw != nil {
			if _, err := conn.Write(p.raw(h)); err != nil {
				return
			}
			continue
		} else if response = p.answer(h, r); response == nil {
			continue
		}
		if _, err := conn.Write(respond(h, response)); err != nil {
			return
		}
	}
}

func (p *host) versions() *wire.ApiVersionsResponse {
	response := &wire.ApiVersionsResponse{FinalizedFeaturesEpoch: -1, ApiKeys: p.serves}
	if p.serves == nil {
		for _, api := range wire.APIs {
			response.ApiKeys = append(response.ApiKeys, wire.ApiVersionsResponseApiVersion{ApiKey: api.Key, MinVersion: api.Min, MaxVersion: api.Max})
		}
	}
	return response
}

// respond encodes a response with its frame.
func respond(h wire.RequestHeader, response wire.Message) []byte {
	w := new(wire.Writer)
	w.BeginFrame()
	header := wire.ResponseHeader{CorrelationID: h.CorrelationID}
	header.Encode(w, wire.ResponseHeaderVersion(h.RequestApiKey, h.RequestApiVersion))
	response.Encode(w, h.RequestApiVersion)
	w.EndFrame()
	return w.Bytes()
}

func readFrame(r io.Reader) ([]byte, error) {
	var length [4]byte
	if _, err := io.ReadFull(r, length[:]); err != nil {
		return nil, err
	}
	frame := make([]byte, binary.BigEndian.Uint32(length[:]))
	_, err := io.ReadFull(r, frame)
	return frame, err
}

// echo answers a BrokerHeartbeat: whether it is fenced tells whether the broker's epoch is odd.
func echo(h wire.RequestHeader, body *wire.Reader) wire.Message {
	var rq wire.BrokerHeartbeatRequest
	if rq.Decode(body, h.RequestApiVersion) != nil {
		return nil
	}
	return &wire.BrokerHeartbeatResponse{ThrottleTimeMs: int32(rq.BrokerEpoch)}
}

// bench is one client with what came of its requests.
type bench struct {
	t      *testing.T
	client *Client
	net    *network
	down   []bool

	mu      sync.Mutex
	results []result
}

type result struct {
	epoch  int64
	answer int32
	err    error
}

const home = "home:9092"

// inBench runs a test in a bubble with a client of home.
func inBench(t *testing.T, o Options, test func(b *bench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := &bench{t: t, net: newNetwork()}
		o.Dial = b.net.dial
		o.Address = func() (string, error) { return home, nil }
		o.OnDown = func(refused bool) { b.down = append(b.down, refused) }
		b.client = New(o)
		test(b)
		b.client.Close()
		b.net.cut(home)
		synctest.Wait()
	})
}

// send sends a heartbeat with an epoch that tells it apart.
func (b *bench) send(epoch int64) { b.sendWithin(epoch, 0) }

func (b *bench) sendWithin(epoch int64, timeout time.Duration) {
	response := new(wire.BrokerHeartbeatResponse)
	b.client.Send(Request{
		Message: &wire.BrokerHeartbeatRequest{BrokerEpoch: epoch}, Response: response, Timeout: timeout,
		Done: func(err error) {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.results = append(b.results, result{epoch, response.ThrottleTimeMs, err})
		},
	})
}

// take waits until nothing moves and returns the results since the last time.
func (b *bench) take() []result {
	synctest.Wait()
	b.mu.Lock()
	defer b.mu.Unlock()
	taken := b.results
	b.results = nil
	return taken
}
