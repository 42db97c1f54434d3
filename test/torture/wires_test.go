package torture

import (
	"net"
	"sync"
	"testing"

	"github.com/ottla/ottla/test/harness"
)

// A wire is a proxy in front of a listener of a node: others reach it at front, it listens behind.
type wire struct {
	front, behind string

	mu struct {
		sync.Mutex
		cut      bool
		open     map[net.Conn]bool
		listener net.Listener
		again    chan struct{} // closed when the cut ends
	}
}

// wires are what the nodes of a cluster talk through; clients do not.
type wires struct {
	clients              []string
	brokers, controllers []*wire
}

func newWires(t *testing.T) *wires {
	w := new(wires)
	for range nodes {
		w.clients = append(w.clients, harness.FreeAddr(t))
		w.brokers = append(w.brokers, newWire(t))
		w.controllers = append(w.controllers, newWire(t))
	}
	return w
}

// controller is where the other nodes reach a node's controller.
func (w *wires) controller(n int) string { return w.controllers[n].front }

// cut stops what others send to a node, and what it answers; the connections stay, and go on when the cut ends.
func (w *wires) cut(n int, cut bool) {
	for _, one := range []*wire{w.brokers[n], w.controllers[n]} {
		one.mu.Lock()
		if one.mu.cut != cut {
			one.mu.cut = cut
			if cut {
				one.mu.again = make(chan struct{})
			} else {
				close(one.mu.again)
			}
		}
		one.mu.Unlock()
	}
}

// dead has a node's wires refuse connections, or take them again: what the others see when its process ends.
func (w *wires) dead(t *testing.T, n int, dead bool) {
	t.Helper()
	for _, one := range []*wire{w.brokers[n], w.controllers[n]} {
		if dead {
			one.close()
		} else {
			one.listen(t)
		}
	}
}

func newWire(t *testing.T) *wire {
	t.Helper()
	w := &wire{front: harness.FreeAddr(t), behind: harness.FreeAddr(t)}
	w.mu.open = map[net.Conn]bool{}
	w.listen(t)
	t.Cleanup(w.close)
	return w
}

// listen accepts connections again after close.
func (w *wire) listen(t *testing.T) {
	t.Helper()
	l, err := net.Listen("tcp", w.front)
	if err != nil {
		t.Fatal(err)
	}
	w.mu.Lock()
	w.mu.listener = l
	w.mu.Unlock()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go w.serve(c)
		}
	}()
}

// close refuses connections, as the end of the process behind does.
func (w *wire) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.mu.listener.Close()
	for c := range w.mu.open {
		c.Close()
	}
}

// await waits while the wire is cut.
func (w *wire) await() {
	w.mu.Lock()
	cut, again := w.mu.cut, w.mu.again
	w.mu.Unlock()
	if cut {
		<-again
	}
}

func (w *wire) serve(c net.Conn) {
	defer c.Close()
	w.await()
	to, err := net.Dial("tcp", w.behind)
	if err != nil {
		return
	}
	defer to.Close()
	w.mu.Lock()
	w.mu.open[c], w.mu.open[to] = true, true
	w.mu.Unlock()
	defer func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.mu.open, c)
		delete(w.mu.open, to)
	}()
	done := make(chan struct{}, 2)
	for _, way := range [][2]net.Conn{{c, to}, {to, c}} {
		go func() {
			w.copy(way[1], way[0])
			done <- struct{}{}
		}()
	}
	<-done
}

func (w *wire) copy(to, from net.Conn) {
	p := make([]byte, 64<<10)
	for {
		n, err := from.Read(p)
		w.await()
		if n > 0 {
			if _, err := to.Write(p[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}
