package server_test

import (
	"math/rand/v2"
	"testing"

	"github.com/ottla/ottla/internal/server"
)

func TestBuffersAreReusedWithinTheirBound(t *testing.T) {
	const bound = 1 << 20
	pool := server.NewBuffers(bound)
	rnd := rand.New(rand.NewPCG(1, 1))
	var out []*server.Buffer
	for range 5000 {
		if len(out) > 0 && rnd.IntN(2) == 0 {
			i := rnd.IntN(len(out))
			out[i].Release()
			out[i] = out[len(out)-1]
			out = out[:len(out)-1]
		} else {
			n := rnd.IntN(1 << rnd.IntN(18))
			b := pool.Get(n)
			if len(b.Bytes()) != n || b.Cap() < n || b.Cap() > max(2*n, 1<<10) {
				t.Fatalf("Get(%d): %d bytes of %d", n, len(b.Bytes()), b.Cap())
			}
			for i := range b.Bytes() { // nobody else has it
				b.Bytes()[i] = byte(len(out))
			}
			out = append(out, b)
		}
		if idle := pool.Idle(); idle < 0 || idle > bound {
			t.Fatalf("%d idle bytes", idle)
		}
	}
	for _, b := range out {
		b.Release()
	}
	if n := testing.AllocsPerRun(100, func() { pool.Get(3000).Release() }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestTrimGivesUpWhatIsNotNeeded(t *testing.T) {
	pool := server.NewBuffers(1 << 30)
	var out []*server.Buffer
	for range 100 {
		out = append(out, pool.Get(64<<10))
	}
	for _, b := range out {
		b.Release()
	}
	pool.Trim() // they were in use since the Trim before
	if idle := pool.Idle(); idle != 100*64<<10 {
		t.Fatalf("%d idle bytes", idle)
	}
	for range 10 {
		b, c := pool.Get(64<<10), pool.Get(64<<10) // two are needed again and again
		b.Release()
		c.Release()
		pool.Trim()
	}
	if idle := pool.Idle(); idle != 2*64<<10 {
		t.Errorf("%d idle bytes, want two buffers", idle)
	}
	large := pool.Get(100 << 20)
	large.Release()
	if idle := pool.Idle(); idle > 1<<20 {
		t.Errorf("a huge buffer was kept: %d", idle)
	}
}
