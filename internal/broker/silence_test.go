package broker

import (
	"context"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ottla/ottla/internal/metadata"
)

// silence is a network between nodes in which one can fall silent: its connections stay, and carry nothing any more, as when
// a process is stopped or a cable is cut.
type silence struct {
	mu struct {
		sync.Mutex
		node  int32 // who is silent; 0: nobody
		ended chan struct{}
	}
	nodeAt func(address string) int32
}

func newSilence(c *nodes) *silence {
	s := &silence{nodeAt: func(address string) int32 {
		for _, n := range c.all {
			if n.controller == address {
				return n.id
			}
			if b := n.Broker; b != nil {
				for _, l := range b.Listeners() {
					if l.Address() == address {
						return n.id
					}
				}
			}
		}
		return 0
	}}
	c.dial = s.dial
	c.t.Cleanup(s.end)
	return s
}

// begin makes a node silent, until end.
func (s *silence) begin(node int32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mu.node, s.mu.ended = node, make(chan struct{})
}

func (s *silence) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mu.node != 0 {
		s.mu.node = 0
		close(s.mu.ended)
	}
}

// wait returns once neither end of a connection is silent, or it is closed.
func (s *silence) wait(from int32, to string, closed <-chan struct{}) {
	s.mu.Lock()
	node, ended := s.mu.node, s.mu.ended
	s.mu.Unlock()
	if node != 0 && (node == from || node == s.nodeAt(to)) {
		select {
		case <-ended:
		case <-closed:
		}
	}
}

// dial is how the node from reaches others.
func (s *silence) dial(from int32) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		s.wait(from, address, ctx.Done())
		conn, err := new(net.Dialer).DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &mutedConn{Conn: conn, s: s, from: from, to: address, closed: make(chan struct{})}, nil
	}
}

type mutedConn struct {
	net.Conn
	s      *silence
	from   int32
	to     string
	once   sync.Once
	closed chan struct{}
}

func (c *mutedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.s.wait(c.from, c.to, c.closed)
	return n, err
}

func (c *mutedConn) Write(p []byte) (int, error) {
	c.s.wait(c.from, c.to, c.closed)
	return c.Conn.Write(p)
}

func (c *mutedConn) Close() error {
	c.once.Do(func() { close(c.closed) })
	return c.Conn.Close()
}

// The active controller falls silent, with the broker on its node: the others elect another, do not wait for what they have
// asked the old one, and only the silent broker is fenced.
func TestASilentControllerTakesNobodyWithIt(t *testing.T) {
	c := newNodes(t, 3, "min.insync.replicas=2")
	quiet := newSilence(c)
	c.startAll()
	silent := c.active()
	witness := c.other(silent)
	if _, err := kadm.NewClient(connect(t, witness.Broker)).CreateTopic(t.Context(), 6, 3, nil, "t"); err != nil {
		t.Fatal(err)
	}
	fenced := make(chan int32, 100)
	witness.store.Subscribe(func(_, _ *metadata.Image, changes *metadata.Changes) {
		for _, b := range changes.Brokers {
			if b.After != nil && b.After.Fenced {
				fenced <- b.ID
			}
		}
	})
	quiet.begin(silent.id)
	began := time.Now()
	if first := <-fenced; first != silent.id {
		t.Errorf("node %d was fenced; node %d is silent", first, silent.id)
	}
	t.Logf("the silent broker was fenced after %v", time.Since(began))
	client := connect(t, witness.Broker, kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.DefaultProduceTopic("t"))
	for p := range 6 {
		untilRight(t, fmt.Sprintf("a leader of partition %d that is not silent", p), func() error {
			if l := witness.store.Current().Topic("t").Partitions[p].Leader; l < 0 || l == silent.id {
				return fmt.Errorf("it is %d", l)
			}
			return nil
		})
		if err := client.ProduceSync(t.Context(), &kgo.Record{Partition: int32(p), Value: []byte("x")}).FirstErr(); err != nil {
			t.Error(err)
		}
	}
	quiet.end()
	untilRight(t, "all in sync", func() error {
		for _, p := range witness.store.Current().Topic("t").Partitions {
			if len(p.ISR) != 3 {
				return fmt.Errorf("%v", p.ISR)
			}
		}
		return nil
	})
	for len(fenced) > 0 {
		if id := <-fenced; id != silent.id {
			t.Errorf("node %d was fenced, too", id)
		}
	}
}

// A node that has much to do for an image (thousands of new logs) still answers heartbeats, its own and those of others:
// brokers that live are not fenced for that.
func TestHeartbeatsDoNotWaitForTheImage(t *testing.T) {
	c := newNodes(t, 3)
	c.startAll()
	busy := c.active()
	other := c.other(busy)
	begun, ended := make(chan struct{}), make(chan struct{})
	var once sync.Once
	busy.store.Subscribe(func(_, next *metadata.Image, _ *metadata.Changes) {
		if next.Topic("large") != nil {
			once.Do(func() {
				close(begun)
				<-ended
			})
		}
	})
	created := make(chan error, 1)
	go func() { created <- createThrough(t, other, "large") }()
	<-begun
	for _, n := range []*testNode{busy, other} {
		beaten := make(chan error, 1)
		go func() { beaten <- n.heartbeat() }()
		select {
		case err := <-beaten:
			if err != nil {
				t.Errorf("heartbeat of node %d: %v", n.id, err)
			}
		case <-time.After(patience):
			t.Errorf("the heartbeat of node %d waits for the image", n.id)
		}
	}
	close(ended)
	if err := <-created; err != nil {
		t.Error(err)
	}
}
