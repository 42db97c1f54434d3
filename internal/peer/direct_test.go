package peer

import (
	"context"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/wire"
)

// Who sends writes to a socket itself, as far as that takes it. Several do so at once here, to a peer that lets the buffers fill up
// before it reads: nothing blocks, nothing is torn apart, each one's requests arrive in their order.
func TestSendersThatWriteThemselvesDoNotGetIntoEachOthersWay(t *testing.T) {
	listener, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	const senders, each, alone = 4, 100, 100
	reads := make(chan struct{})
	var came []int64
	var served sync.WaitGroup
	served.Go(func() {
		conn, err := listener.Accept()
		if err != nil {
			t.Error(err)
			return
		}
		first := true
		(&host{answer: func(h wire.RequestHeader, body *wire.Reader) wire.Message {
			if first {
				<-reads
				first = false
			}
			m := echo(h, body)
			came = append(came, int64(m.(*wire.BrokerHeartbeatResponse).ThrottleTimeMs))
			return m
		}}).serve(conn)
	})
	c := New(Options{
		Address: func() (string, error) { return listener.Addr().String(), nil }, MaxPending: senders*each + alone + 1,
		Dial: func(ctx context.Context, address string) (net.Conn, error) {
			conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
			if err == nil {
				conn.(*net.TCPConn).SetWriteBuffer(16 << 10)
			}
			return conn, err
		},
	})
	results := make(chan result, senders*each+alone+1)
	send := func(epoch int64) {
		response := new(wire.BrokerHeartbeatResponse)
		c.Send(Request{
			Message:  &wire.BrokerHeartbeatRequest{BrokerEpoch: epoch, OfflineLogDirs: make([]kafka.UUID, max(epoch, -epoch)*7%600)},
			Response: response, Done: func(err error) { results <- result{epoch, response.ThrottleTimeMs, err} },
		})
	}
	send(0)
	waitForOutput(t, c)
	for i := range int64(alone) {
		send(-1 - i) // by one sender: nobody else writes, until the buffers are full
	}
	var all sync.WaitGroup
	for s := range int64(senders) {
		all.Go(func() {
			for i := range int64(each) {
				send(1 + i*senders + s)
			}
		})
	}
	all.Wait() // though the peer reads nothing
	close(reads)
	for range senders*each + alone + 1 {
		if r := <-results; r.err != nil || int64(r.answer) != r.epoch {
			t.Fatalf("request %d was answered with %d, error %v", r.epoch, r.answer, r.err)
		}
	}
	c.Close()
	served.Wait()
	last := [senders]int64{}
	for _, epoch := range came[1+alone:] {
		s := (epoch - 1) % senders
		if epoch <= last[s] {
			t.Fatalf("sender %d: request %d came after %d", s, epoch, last[s])
		}
		last[s] = epoch
	}
}

// waitForOutput returns when the connection may be written to, and nobody does.
func waitForOutput(t *testing.T, c *Client) {
	deadline := time.Now().Add(10 * time.Second)
	for {
		c.mu.Lock()
		ready := c.mu.out != nil && c.mu.out.writer == nobody && len(c.mu.queue) == 0
		direct := ready && c.mu.out.direct != nil
		c.mu.Unlock()
		if ready {
			if !direct && canWriteAtOnce {
				t.Fatal("a TCP connection is not written to directly")
			}
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("no connection")
		}
		time.Sleep(time.Millisecond)
	}
}
