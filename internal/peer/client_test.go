package peer

import (
	"errors"
	"net"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/wire"
)

func TestRequestsArePipelinedAndAnsweredInOrder(t *testing.T) {
	inBench(t, Options{}, func(b *bench) {
		var got []int64
		b.net.listen(home, (&host{answer: func(h wire.RequestHeader, body *wire.Reader) wire.Message {
			m := echo(h, body)
			got = append(got, int64(m.(*wire.BrokerHeartbeatResponse).ThrottleTimeMs))
			return m
		}}).serve)
		const n = 500
		for i := range int64(n) {
			b.send(i)
		}
		results := b.take()
		if len(results) != n || len(got) != n || b.net.dialed() != 1 {
			t.Fatalf("%d results of %d requests, %d came, %d connections", len(results), n, len(got), b.net.dialed())
		}
		for i, r := range results {
			if r.err != nil || r.epoch != int64(i) || r.answer != int32(i) || got[i] != int64(i) {
				t.Fatalf("result %d: %+v, the peer saw %d", i, r, got[i])
			}
		}
	})
}

// A peer that answers nothing before it has all requests would wait for ever if they came one at a time.
func TestManyRequestsAreOnTheirWayAtOnce(t *testing.T) {
	inBench(t, Options{}, func(b *bench) {
		const n = 100
		b.net.listen(home, func(conn net.Conn) {
			(&host{}).serveVersions(conn)
			var headers []wire.RequestHeader
			for range n {
				frame, err := readFrame(conn)
				if err != nil {
					return
				}
				var h wire.RequestHeader
				h.Decode(wire.NewReader(frame), 2)
				headers = append(headers, h)
			}
			for _, h := range headers {
				conn.Write(respond(h, &wire.BrokerHeartbeatResponse{}))
			}
		})
		for i := range int64(n) {
			b.send(i)
		}
		if results := b.take(); len(results) != n || results[0].err != nil {
			t.Fatalf("%d results", len(results))
		}
	})
}

// serveVersions answers one ApiVersions.
func (p *host) serveVersions(conn net.Conn) {
	frame, err := readFrame(conn)
	if err != nil {
		return
	}
	var h wire.RequestHeader
	h.Decode(wire.NewReader(frame), 2)
	conn.Write(respond(h, p.versions()))
}

func TestALostConnectionFailsWhatWasSentAndIsMadeAgain(t *testing.T) {
	inBench(t, Options{}, func(b *bench) {
		silent := &host{answer: func(wire.RequestHeader, *wire.Reader) wire.Message { return nil }}
		b.net.listen(home, silent.serve)
		b.send(1)
		b.send(2)
		if r := b.take(); len(r) != 0 {
			t.Fatalf("answered: %+v", r)
		}
		b.net.listen(home, (&host{answer: echo}).serve)
		b.net.cut(home)
		for i, r := range b.take() {
			if r.epoch != int64(i+1) || !errors.Is(r.err, kafka.NetworkException) {
				t.Errorf("after the loss: %+v", r)
			}
		}
		if !slices.Equal(b.down, []bool{false}) || b.net.dialed() != 2 {
			t.Errorf("down %v, %d attempts", b.down, b.net.dialed())
		}
		b.send(3)
		if r := b.take(); len(r) != 1 || r[0].err != nil || r[0].answer != 3 {
			t.Errorf("on the new connection: %+v", r)
		}
	})
}

func TestTheDeathOfAPeerIsToldAtOnce(t *testing.T) {
	inBench(t, Options{}, func(b *bench) {
		b.net.listen(home, (&host{answer: echo}).serve)
		b.client.Connect()
		synctest.Wait()
		began := time.Now()
		b.net.kill(home)
		synctest.Wait()
		if len(b.down) == 0 || !b.down[0] || !time.Now().Equal(began) {
			t.Fatalf("down %v after %v, want a refusal at once", b.down, time.Since(began))
		}
		b.send(1)
		time.Sleep(firstPause)
		if r := b.take(); len(r) != 1 || !errors.Is(r[0].err, kafka.BrokerNotAvailable) {
			t.Errorf("to a dead peer: %+v", r)
		}
		time.Sleep(10 * time.Second)
		if n := b.net.dialed(); n > 60 {
			t.Errorf("%d attempts in 10 s", n)
		}
		b.net.listen(home, (&host{answer: echo}).serve)
		time.Sleep(maxPause)
		b.send(2)
		if r := b.take(); len(r) != 1 || r[0].err != nil {
			t.Errorf("after its return: %+v", r)
		}
	})
}

func TestAnAnswerThatDoesNotComeInTimeEndsTheConnection(t *testing.T) {
	inBench(t, Options{Timeout: time.Minute}, func(b *bench) {
		b.net.listen(home, (&host{answer: func(h wire.RequestHeader, body *wire.Reader) wire.Message {
			if h.CorrelationID == firstCorrelation {
				return echo(h, body)
			}
			return nil
		}}).serve)
		b.send(1)
		b.sendWithin(2, time.Hour)
		b.sendWithin(3, time.Second)
		b.send(4)
		b.take()
		began := time.Now()
		time.Sleep(time.Second)
		r := b.take()
		if len(r) != 3 || !time.Now().Equal(began.Add(time.Second)) {
			t.Fatalf("after a second: %+v", r)
		}
		if !errors.Is(r[0].err, kafka.NetworkException) || !errors.Is(r[1].err, kafka.RequestTimedOut) || !errors.Is(r[2].err, kafka.NetworkException) {
			t.Errorf("after a second: %+v", r)
		}
		if b.net.dialed() != 2 {
			t.Errorf("%d attempts, want a second connection", b.net.dialed())
		}
	})
}

func TestARequestDoesNotWaitLongerForAConnectionThanItMay(t *testing.T) {
	inBench(t, Options{}, func(b *bench) {
		b.net.hang = make(chan struct{})
		b.sendWithin(1, 2*time.Second)
		b.sendWithin(2, time.Second)
		b.sendWithin(3, 20*time.Second)
		began := time.Now()
		time.Sleep(time.Second)
		if r := b.take(); len(r) != 1 || r[0].epoch != 2 || !errors.Is(r[0].err, kafka.RequestTimedOut) {
			t.Errorf("after 1 s: %+v", r)
		}
		time.Sleep(time.Second)
		if r := b.take(); len(r) != 1 || r[0].epoch != 1 {
			t.Errorf("after 2 s: %+v", r)
		}
		time.Sleep(8*time.Second + time.Millisecond) // the attempt is over
		if r := b.take(); len(r) != 1 || !errors.Is(r[0].err, kafka.BrokerNotAvailable) || b.net.dialed() != 1 {
			t.Errorf("after %v: %+v, %d attempts", time.Since(began), r, b.net.dialed())
		}
		for _, refused := range b.down {
			t.Errorf("OnDown(%v), though there never was a connection", refused)
		}
	})
}

func TestTheQueueIsBounded(t *testing.T) {
	inBench(t, Options{MaxPending: 3}, func(b *bench) {
		b.net.hang = make(chan struct{})
		for i := range int64(5) {
			b.send(i)
		}
		r := b.take()
		if len(r) != 2 || !errors.Is(r[0].err, kafka.NetworkException) {
			t.Errorf("beyond the bound: %+v", r)
		}
	})
}

func TestEveryRequestIsAnsweredOnceWhenTheClientIsClosed(t *testing.T) {
	inBench(t, Options{}, func(b *bench) {
		b.net.listen(home, (&host{answer: func(wire.RequestHeader, *wire.Reader) wire.Message { return nil }}).serve)
		for i := range int64(5) {
			b.send(i)
		}
		synctest.Wait()
		b.client.Close()
		b.send(5)
		r := b.take()
		if len(r) != 6 {
			t.Fatalf("%d results, want 6", len(r))
		}
		for _, r := range r {
			if !errors.Is(r.err, kafka.NetworkException) {
				t.Errorf("%+v", r)
			}
		}
		b.client.Close()
		if len(b.down) > 0 {
			t.Error("a connection that this side closed is told as lost")
		}
	})
}

func TestTheNewestCommonVersionIsSpoken(t *testing.T) {
	inBench(t, Options{}, func(b *bench) {
		var version int16
		b.net.listen(home, (&host{
			serves: []wire.ApiVersionsResponseApiVersion{{ApiKey: 18, MaxVersion: 4}, {ApiKey: 63, MinVersion: 0, MaxVersion: 1}, {ApiKey: 62, MinVersion: 90, MaxVersion: 99}},
			answer: func(h wire.RequestHeader, body *wire.Reader) wire.Message {
				version = h.RequestApiVersion
				return echo(h, body)
			},
		}).serve)
		var errs []error
		ask := func(m, response wire.Message) {
			b.client.Send(Request{Message: m, Response: response, Done: func(err error) { errs = append(errs, err) }})
		}
		ask(new(wire.BrokerRegistrationRequest), new(wire.BrokerRegistrationResponse))
		ask(new(wire.AllocateProducerIdsRequest), new(wire.AllocateProducerIdsResponse))
		b.send(7)
		r := b.take()
		if len(r) != 1 || r[0].err != nil || version != 1 {
			t.Errorf("%+v in version %d, want 1", r, version)
		}
		if len(errs) != 2 || !errors.Is(errs[0], kafka.UnsupportedVersion) || !errors.Is(errs[1], kafka.UnsupportedVersion) || b.net.dialed() != 1 {
			t.Errorf("what the peer does not serve: %v", errs)
		}
	})
}

// A peer older than this one refuses our version of ApiVersions and names its own (KIP-511).
func TestAnOlderPeerIsAskedInItsOwnVersion(t *testing.T) {
	inBench(t, Options{}, func(b *bench) {
		b.net.listen(home, func(conn net.Conn) {
			frame, _ := readFrame(conn)
			var h wire.RequestHeader
			h.Decode(wire.NewReader(frame), 2)
			h.RequestApiVersion = 0
			conn.Write(respond(h, &wire.ApiVersionsResponse{ErrorCode: int16(kafka.UnsupportedVersion), ApiKeys: []wire.ApiVersionsResponseApiVersion{{ApiKey: 18, MaxVersion: 2}}}))
			(&host{answer: echo}).serve(conn)
		})
		b.send(1)
		if r := b.take(); len(r) != 1 || r[0].err != nil {
			t.Errorf("%+v", r)
		}
	})
}
