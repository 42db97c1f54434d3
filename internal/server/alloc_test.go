package server_test

import (
	"io"
	"testing"

	"github.com/ottla/ottla/internal/server"
)

// TestARequestAllocatesNothing counts the allocations of the whole process for a request and its reply
// over a real socket, in the steady state.
func TestARequestAllocatesNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector makes sync.Pool forget")
	}
	late := make(chan *server.Request, 100)
	go func() {
		for rq := range late {
			reply(rq, rq.Frame)
		}
	}()
	defer close(late)
	pool := server.NewBuffers(1 << 20)
	for name, handle := range map[string]handlerFunc{
		"at once": echo,
		"late":    func(rq *server.Request) { late <- rq },
		"with a held buffer": func(rq *server.Request) {
			b := pool.Get(10_000)
			rq.Hold(b)
			reply(rq, b.Bytes()[:1204])
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := start(t, server.Options{Handler: handle})
			cl := dialTCP(t, f.listenTCP())
			request := frame(string(make([]byte, 1200)))
			answer := make([]byte, 2000)
			size := len(request)
			if name == "with a held buffer" {
				size = 1208
			}
			exchange := func() {
				if _, err := cl.Write(request); err != nil {
					t.Fatal(err)
				}
				if _, err := io.ReadFull(cl.Conn, answer[:size]); err != nil {
					t.Fatal(err)
				}
			}
			for range 100 {
				exchange()
			}
			if n := testing.AllocsPerRun(2000, exchange); n >= 1 {
				t.Errorf("%v allocations per request", n)
			}
		})
	}
}
