package server_test

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ottla/ottla/internal/server"
)

func containsAll(text string, parts ...string) bool {
	return !slices.ContainsFunc(parts, func(p string) bool { return !strings.Contains(text, p) })
}

func TestWhatIsNoFrameIsNamedAndClosed(t *testing.T) {
	for _, c := range []struct {
		name, input string
		reason      server.CloseReason
		log         []string
	}{
		{"http", "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", server.ClosedHTTP, []string{"HTTP request", "GET /metrics HTTP/1.1", "http.address"}},
		{"http2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", server.ClosedHTTP, []string{"HTTP request"}},
		{"tls", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc", server.ClosedTLS, []string{"TLS handshake", "security.protocol"}},
		{"ssh", "SSH-2.0-OpenSSH_9.2\r\n", server.ClosedSSH, []string{"SSH"}},
		{"giant", "\x7f\xff\xff\xff", server.ClosedInvalidSize, []string{"2147483647", "socket.request.max.bytes = 104857600"}},
		{"one over", "\x06\x40\x00\x01", server.ClosedInvalidSize, []string{"104857601"}},
		{"negative", "\xff\xff\xff\xff", server.ClosedInvalidSize, []string{"-1 is negative"}},
		{"later", string(frame("ok")) + "GET / HTTP/1.1", server.ClosedInvalidSize, []string{"lost its place"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := start(t, server.Options{Handler: echo})
				for range 3 {
					cl := f.pipes.dial("10.1.2.3")
					go cl.Write([]byte(c.input))
					if c.name == "later" {
						cl.receive(t)
					}
					cl.expectClosed(t)
					synctest.Wait()
				}
				if got := f.closed(c.reason); got != 3 {
					t.Errorf("%v connections closed as %s", got, c.reason)
				}
				log := f.log.String()
				if n := strings.Count(log, "\n"); n != 1 {
					t.Errorf("%d lines for 3 offences of one peer, want 1", n)
				}
				if !containsAll(log, append(c.log, "10.1.2.3")...) {
					t.Errorf("log: %s", log)
				}
				time.Sleep(2 * time.Minute)
				cl := f.pipes.dial("10.1.2.3")
				go cl.Write([]byte(c.input))
				if c.name == "later" {
					cl.receive(t)
				}
				cl.expectClosed(t)
				synctest.Wait()
				if log := f.log.String(); !strings.Contains(log, "similar=2") {
					t.Errorf("the lines left out are not told: %s", log)
				}
			})
		})
	}
}

func TestFramesMayComeInPieces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := start(t, server.Options{Handler: echo})
		cl := f.pipes.dial("10.0.0.1")
		defer cl.Close()
		bodies := []string{"", "x", strings.Repeat("y", 300), strings.Repeat("z", 5000), strings.Repeat("w", 200_000)}
		go func() {
			var input []byte
			for _, b := range bodies {
				input = append(input, frame(b)...)
			}
			rnd := rand.New(rand.NewPCG(1, 1))
			for len(input) > 0 {
				n := min(len(input), 1+rnd.IntN(97))
				if _, err := cl.Write(input[:n]); err != nil {
					return
				}
				input = input[n:]
			}
		}()
		for _, want := range bodies {
			if got := cl.receive(t); got != want {
				t.Errorf("echo of %d bytes, want %d", len(got), len(want))
			}
		}
	})
}

func TestWhatIsAnnouncedCostsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := start(t, server.Options{Handler: echo})
		used := func() float64 { synctest.Wait(); return f.metric("kafka_network_socketserver_memorypoolused") }
		cl := f.pipes.dial("10.0.0.1")
		cl.send("a small one came before")
		cl.receive(t)
		head := binary.BigEndian.AppendUint32(nil, 100<<20)
		if _, err := cl.Write(append(head, "ten bytes."...)); err != nil {
			t.Fatal(err)
		}
		if got := used(); got > 64<<10 {
			t.Errorf("10 bytes of 100 MiB cost %v bytes", got)
		}
		if _, err := cl.Write(make([]byte, 3<<20)); err != nil {
			t.Fatal(err)
		}
		if got := used(); got > 8<<20 {
			t.Errorf("3 MiB of 100 MiB cost %v bytes", got)
		}
		cl.Close()
		if got := used(); got != 0 {
			t.Errorf("%v bytes are still in use after the peer left", got)
		}
		if f.closed(server.ClosedTruncated) != 1 {
			t.Error("the truncated frame was not counted")
		}
	})
}

func TestTheGateBeforeAuthentication(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := start(t, server.Options{Handler: handlerFunc(func(rq *server.Request) {
			if string(rq.Frame) == "alice" {
				rq.Session.Authenticate("User:alice")
			}
			reply(rq, []byte(rq.Session.Principal))
		})})
		gated := newPipeListener()
		if err := f.Listen(server.Listener{Name: "SASL", SecurityProtocol: "SASL_PLAINTEXT", Net: gated, AuthenticationRequired: true}); err != nil {
			t.Fatal(err)
		}
		large := strings.Repeat("x", server.MaxUnauthenticatedBytes+1)
		cl := gated.dial("10.0.0.1")
		go cl.Write(frame(large))
		cl.expectClosed(t)

		cl = gated.dial("10.0.0.2")
		defer cl.Close()
		for _, c := range [][2]string{{"x", server.Anonymous}, {"alice", "User:alice"}, {large, "User:alice"}} {
			cl.send(c[0])
			if got := cl.receive(t); got != c[1] {
				t.Errorf("principal %s, want %s", got, c[1])
			}
		}
		synctest.Wait()
		if infos := f.Sessions(); len(infos) != 1 || infos[0].Principal != "User:alice" || infos[0].RemoteAddr.String() != "10.0.0.2:1234" || infos[0].ListenerName != "SASL" {
			t.Errorf("sessions: %+v", infos)
		}
	})
}

func TestTheBudgetOfAllConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := new(holder)
		f := start(t, server.Options{Handler: h, MaxQueuedBytes: 8 << 10})
		var clients []client
		for range 5 {
			cl := f.pipes.dial("10.0.0.1")
			clients = append(clients, cl)
			cl.send(strings.Repeat("x", 4000))
			synctest.Wait()
		}
		if n := h.count(); n != 2 {
			t.Fatalf("%d frames of 4 KiB in memory, want 2", n)
		}
		clients[2].Close() // while its frame waits for memory: it is handled, the answer goes nowhere
		reply(h.take(), nil)
		clients[0].receive(t)
		for range 4 {
			synctest.Wait()
			if h.count() == 0 {
				t.Fatal("nobody was let in")
			}
			h.take().NoReply()
		}
		synctest.Wait()
		if used := f.metric("kafka_network_socketserver_memorypoolused"); used != 0 {
			t.Errorf("%v bytes in use at the end", used)
		}
	})
}

// FuzzFrames sends any bytes, cut anywhere: the handler sees exactly the frames that are in them.
func FuzzFrames(f *testing.F) {
	f.Add(append(frame("hello"), frame("")...), byte(3))
	f.Add([]byte("GET / HTTP/1.1\r\n\r\n"), byte(1))
	f.Add([]byte{0x16, 3, 1, 0, 0}, byte(2))
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0}, byte(200))
	f.Add([]byte{0, 0, 0, 9, 1, 2}, byte(7))
	f.Fuzz(func(t *testing.T, input []byte, cut byte) {
		const limit = 1 << 16
		var want []string
		for rest := input; len(rest) >= 4; {
			size := int(int32(binary.BigEndian.Uint32(rest)))
			if size < 0 || size > limit || len(rest)-4 < size {
				break
			}
			want = append(want, string(rest[4:4+size]))
			rest = rest[4+size:]
		}
		synctest.Test(t, func(t *testing.T) {
			var got []string
			f := start(t, server.Options{MaxRequestBytes: limit, Handler: handlerFunc(func(rq *server.Request) {
				got = append(got, string(rq.Frame))
				rq.NoReply()
			})})
			cl := f.pipes.dial("10.0.0.1")
			step := int(cut) + 1
			for rest := input; len(rest) > 0; {
				n := min(step, len(rest))
				if _, err := cl.Write(rest[:n]); err != nil {
					break
				}
				rest = rest[n:]
			}
			cl.Close()
			synctest.Wait()
			if !slices.Equal(got, want) {
				t.Errorf("frames %q, want %q", got, want)
			}
		})
	})
}
