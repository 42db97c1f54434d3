package machines

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/ottla/ottla/test/harness"
)

// A front is a proxy in front of one listener of a node.
type front struct {
	cables     *Cables
	node       int
	forClients bool
	at         harness.Endpoint

	mu struct {
		sync.Mutex
		listener net.Listener          // nil: connections are refused
		conns    map[net.Conn]struct{} // both ends of each
	}
}

func (f *front) open() error {
	l, err := net.Listen("tcp", f.at.Front)
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.mu.listener, f.mu.conns = l, map[net.Conn]struct{}{}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go f.serve(c)
		}
	}()
	return nil
}

func (f *front) close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.mu.listener == nil {
		return
	}
	f.mu.listener.Close()
	f.mu.listener = nil
	for c := range f.mu.conns {
		c.Close()
	}
	f.mu.conns = nil
}

// keep notes the ends of a connection, which close closes; false when that has happened already.
func (f *front) keep(conns ...net.Conn) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.mu.listener == nil {
		return false
	}
	for _, c := range conns {
		f.mu.conns[c] = struct{}{}
	}
	return true
}

func (f *front) forget(conns ...net.Conn) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range conns {
		delete(f.mu.conns, c)
	}
}

// serve carries one connection until an end of it closes.
func (f *front) serve(c net.Conn) {
	defer c.Close()
	if !f.keep(c) {
		return
	}
	defer f.forget(c)
	who, first := Clients, []byte(nil)
	if !f.forClients {
		var err error
		if who, first, err = caller(c); err != nil {
			return
		}
	}
	to, err := net.Dial("tcp", f.at.Behind)
	if err != nil {
		return
	}
	defer to.Close()
	if !f.keep(to) {
		return
	}
	defer f.forget(to)
	ended := make(chan struct{}, 2)
	go func() {
		f.cables.carry(pair{who, f.node}, to, c, first)
		ended <- struct{}{}
	}()
	go func() {
		f.cables.carry(pair{f.node, who}, c, to, nil)
		ended <- struct{}{}
	}()
	<-ended
}

// caller reads the first request's header, in which a node says its number as the client id: length, API key, version,
// correlation id, length of the client id, client id. What is no number is a client.
func caller(c net.Conn) (who int, first []byte, err error) {
	first = make([]byte, 14)
	if _, err := io.ReadFull(c, first); err != nil {
		return 0, nil, err
	}
	length := int16(binary.BigEndian.Uint16(first[12:]))
	if length < 0 {
		return Clients, first, nil
	}
	if length > 1000 {
		return 0, nil, fmt.Errorf("a client id of %d bytes", length)
	}
	id := make([]byte, length)
	if _, err := io.ReadFull(c, id); err != nil {
		return 0, nil, err
	}
	number, err := strconv.Atoi(string(id))
	if err != nil {
		return Clients, append(first, id...), nil
	}
	return number - 1, append(first, id...), nil
}

// A parcel is bytes that came at a time.
type parcel struct {
	bytes []byte
	at    time.Time
}

// carry takes bytes from one end to the other as the cable of a pair lets it, until an end closes. first are the bytes that
// were read already.
func (c *Cables) carry(p pair, to io.Writer, from io.Reader, first []byte) {
	parcels, ended := make(chan parcel, 64), make(chan struct{})
	defer close(ended)
	go func() {
		defer close(parcels)
		if len(first) > 0 {
			parcels <- parcel{first, time.Now()}
		}
		for {
			b := make([]byte, 16<<10)
			n, err := from.Read(b)
			if n > 0 {
				select {
				case parcels <- parcel{b[:n], time.Now()}:
				case <-ended:
					return
				}
			}
			if err != nil {
				return
			}
		}
	}()
	for one := range parcels {
		if err := c.pass(p, to, one); err != nil {
			return
		}
	}
}

// pass writes a parcel when the cable has let it through.
func (c *Cables) pass(p pair, to io.Writer, one parcel) error {
	for {
		s, changed := c.state(p)
		if !s.cut {
			wait := time.Until(one.at.Add(s.delay))
			if s.rate > 0 {
				wait = max(wait, 0) + time.Duration(len(one.bytes))*time.Second/time.Duration(s.rate)
			}
			if wait > 0 {
				time.Sleep(wait)
			}
			_, err := to.Write(one.bytes)
			return err
		}
		<-changed
	}
}
