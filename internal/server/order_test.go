package server_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ottla/ottla/internal/server"
)

// shuffler answers some requests at once, some later in random order, some never (acks=0).
type shuffler struct {
	mu      sync.Mutex
	rnd     *rand.Rand
	pending []func()
}

func (s *shuffler) Handle(rq *server.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch body := string(rq.Frame); {
	case body[0] == '-':
		rq.NoReply()
	case s.rnd.IntN(3) == 0:
		reply(rq, rq.Frame)
	default:
		s.pending = append(s.pending, func() { reply(rq, []byte(body)) })
	}
}

// work answers what is pending until stop is closed.
func (s *shuffler) work(stop <-chan struct{}) {
	for {
		s.mu.Lock()
		var answer func()
		if n := len(s.pending); n > 0 {
			i := s.rnd.IntN(n)
			answer = s.pending[i]
			s.pending[i] = s.pending[n-1]
			s.pending = s.pending[:n-1]
		}
		s.mu.Unlock()
		if answer != nil {
			answer()
			continue
		}
		select {
		case <-stop:
			return
		case <-time.After(50 * time.Microsecond):
		}
	}
}

func TestRepliesKeepTheOrderOfRequests(t *testing.T) {
	for seed := range uint64(4) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			h := &shuffler{rnd: rand.New(rand.NewPCG(seed, 1))}
			f := start(t, server.Options{Handler: h, MaxInFlightRequests: 1 + int(seed)*7})
			addr := f.listenTCP()
			stop := make(chan struct{})
			var workers sync.WaitGroup
			for range 3 {
				workers.Go(func() { h.work(stop) })
			}
			defer func() { close(stop); workers.Wait() }()
			var clients sync.WaitGroup
			for i := range 4 {
				c := dialTCP(t, addr)
				rnd := rand.New(rand.NewPCG(seed, uint64(i)+10))
				clients.Go(func() { converse(t, c, rnd, 1500) })
			}
			clients.Wait()
		})
	}
}

// converse pipelines n requests of random sizes, some without a reply, and checks the replies' order.
func converse(t *testing.T, c client, rnd *rand.Rand, n int) {
	bodies := make([]string, n)
	want := make(chan string, n)
	padding := string(make([]byte, 9000))
	for i := range bodies {
		size := rnd.IntN(40)
		if rnd.IntN(20) == 0 {
			size = rnd.IntN(len(padding))
		}
		bodies[i] = fmt.Sprintf("%d:%s", i, padding[:size])
		if rnd.IntN(8) == 0 {
			bodies[i] = "-" + bodies[i]
		} else {
			want <- bodies[i]
		}
	}
	close(want)
	go func() {
		for _, body := range bodies {
			if _, err := c.Write(frame(body)); err != nil {
				return // the reading side reports it
			}
		}
	}()
	for body := range want {
		if got := c.receive(t); got != body {
			t.Errorf("got the reply to %.12q, want that to %.12q", got, body)
			return
		}
	}
}

// holder keeps requests for the test to answer.
type holder struct {
	mu   sync.Mutex
	held []*server.Request
}

func (h *holder) Handle(rq *server.Request) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.held = append(h.held, rq)
}

func (h *holder) count() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.held)
}

// take returns the oldest request that was not taken yet.
func (h *holder) take() *server.Request {
	h.mu.Lock()
	defer h.mu.Unlock()
	rq := h.held[0]
	h.held = h.held[1:]
	return rq
}

func TestReadingStopsAtTheLimitsOfAConnection(t *testing.T) {
	for _, c := range []struct {
		name    string
		options server.Options
		body    int
		want    int
	}{
		{"requests", server.Options{MaxInFlightRequests: 3}, 10, 3},
		{"bytes", server.Options{MaxInFlightBytes: 10 << 10}, 4000, 3}, // of 4 KiB each
		{"one is always let in", server.Options{MaxInFlightBytes: 10}, 4000, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := new(holder)
				c.options.Handler = h
				f := start(t, c.options)
				cl := f.pipes.dial("10.0.0.1")
				defer cl.Close()
				go func() {
					for range 10 {
						if _, err := cl.Write(frame(string(make([]byte, c.body)))); err != nil {
							return
						}
					}
				}()
				synctest.Wait()
				if got := h.count(); got != c.want {
					t.Fatalf("%d requests were handled, want %d", got, c.want)
				}
				reply(h.take(), []byte("x"))
				cl.receive(t)
				synctest.Wait()
				if got := h.count(); got != c.want {
					t.Errorf("%d requests are under way after one reply, want %d", got, c.want)
				}
			})
		})
	}
}

func TestReleaseFrameMakesRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := new(holder)
		f := start(t, server.Options{Handler: handlerFunc(func(rq *server.Request) {
			rq.ReleaseFrame()
			h.Handle(rq)
		}), MaxInFlightBytes: 10 << 10})
		cl := f.pipes.dial("10.0.0.1")
		defer cl.Close()
		for range 10 {
			if _, err := cl.Write(frame(string(make([]byte, 4000)))); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		if got := h.count(); got != 10 {
			t.Errorf("%d of 10 requests were handled", got)
		}
		if used := f.metric("kafka_network_socketserver_memorypoolused"); used != 0 {
			t.Errorf("%v bytes of frames in memory", used)
		}
		for range 10 {
			h.take().NoReply()
		}
	})
}

func TestMuteHoldsBackWhatWasRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		f := start(t, server.Options{Handler: handlerFunc(func(rq *server.Request) {
			w := rq.Writer()
			w.Buf = append(w.Buf, time.Since(begin).String()...)
			rq.ReplyWith(w, server.ReplyOptions{Mute: 3 * time.Second})
		})})
		cl := f.pipes.dial("10.0.0.1")
		defer cl.Close()
		go cl.Write(append(frame("a"), frame("b")...)) // one read gets both
		for _, want := range []string{"0s", "3s"} {
			if got := cl.receive(t); got != want || time.Since(begin).String() != want {
				t.Errorf("handled after %s, answered after %v, want %s", got, time.Since(begin), want)
			}
		}
	})
}

func TestDrainAndExclusive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := new(holder)
		f := start(t, server.Options{Handler: handlerFunc(func(rq *server.Request) {
			switch string(rq.Frame) {
			case "drain":
				if err := rq.Drain(); err != nil {
					t.Error(err)
				}
			case "exclusive":
				rq.Exclusive()
			}
			h.Handle(rq)
		})})
		cl := f.pipes.dial("10.0.0.1")
		defer cl.Close()
		go func() {
			for _, body := range []string{"a", "b", "drain", "exclusive", "last"} {
				if _, err := cl.Write(frame(body)); err != nil {
					return
				}
			}
		}()
		answer := func(want string) {
			t.Helper()
			rq := h.take()
			if string(rq.Frame) != want {
				t.Fatalf("handled %q, want %q", rq.Frame, want)
			}
			reply(rq, rq.Frame)
			if got := cl.receive(t); got != want {
				t.Fatalf("reply %q, want %q", got, want)
			}
			synctest.Wait()
		}
		synctest.Wait()
		if n := h.count(); n != 2 {
			t.Fatalf("%d requests under way before the drain, want 2", n)
		}
		answer("a")
		if n := h.count(); n != 1 {
			t.Fatalf("the drain did not wait for the second request")
		}
		answer("b")
		if n := h.count(); n != 2 { // drain, exclusive
			t.Fatalf("%d requests under way, want 2", n)
		}
		answer("drain")
		if n := h.count(); n != 1 {
			t.Fatalf("%d requests under way beside an exclusive one", n-1)
		}
		answer("exclusive")
		answer("last")
	})
}

func TestDrainEndsWithTheConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := new(holder)
		result := make(chan error, 1)
		f := start(t, server.Options{Handler: handlerFunc(func(rq *server.Request) {
			if string(rq.Frame) == "drain" {
				result <- rq.Drain()
			}
			h.Handle(rq)
		}), WriteTimeout: time.Second})
		cl := f.pipes.dial("10.0.0.1")
		for _, body := range []string{"a", "b", "drain"} {
			if _, err := cl.Write(frame(body)); err != nil {
				t.Fatal(err)
			}
		}
		reply(h.take(), []byte("never read"))
		if err := <-result; !errors.Is(err, net.ErrClosed) {
			t.Errorf("Drain returned %v on a dead connection", err)
		}
		synctest.Wait()
		h.take().NoReply()
		reply(h.take(), []byte("x"))
	})
}

func TestCloseComesInItsTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := new(holder)
		f := start(t, server.Options{Handler: h})
		cl := f.pipes.dial("10.0.0.1")
		for _, body := range []string{"a", "b", "c"} {
			if _, err := cl.Write(frame(body)); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		first, second, third := h.take(), h.take(), h.take()
		second.Close(errors.New("the version is unknown"))
		reply(third, []byte("c"))
		reply(first, []byte("a"))
		if got := cl.receive(t); got != "a" {
			t.Errorf("reply %q", got)
		}
		cl.expectClosed(t)
		synctest.Wait()
		if f.closed(server.ClosedByHandler) != 1 {
			t.Error("the reason was not counted")
		}
		if log := f.log.String(); !containsAll(log, "10.0.0.1", "the version is unknown") {
			t.Errorf("log: %s", log)
		}
	})
}

func TestCloseAfterReply(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := start(t, server.Options{Handler: handlerFunc(func(rq *server.Request) {
			w := rq.Writer()
			w.Buf = append(w.Buf, "refused"...)
			rq.ReplyWith(w, server.ReplyOptions{CloseAfter: errors.New("authentication failed")})
		})})
		cl := f.pipes.dial("10.0.0.1")
		go cl.Write(append(frame("a"), frame("b")...))
		if got := cl.receive(t); got != "refused" {
			t.Errorf("reply %q", got)
		}
		cl.expectClosed(t)
	})
}
