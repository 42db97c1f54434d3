package server_test

import (
	"errors"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ottla/ottla/internal/server"
)

func TestIdleConnectionsAreClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := new(holder)
		f := start(t, server.Options{Handler: h, MaxIdle: time.Minute})
		begin := time.Now()
		idle, busy, waiting := f.pipes.dial("10.0.0.1"), f.pipes.dial("10.0.0.2"), f.pipes.dial("10.0.0.3")
		waiting.send("long poll")
		go func() {
			for range 20 { // a byte now and then keeps it
				time.Sleep(30 * time.Second)
				if _, err := busy.Write([]byte{0}); err != nil {
					t.Errorf("after %v: %v", time.Since(begin), err)
				}
				if time.Since(begin) >= 2*time.Minute {
					busy.Close()
					return
				}
			}
		}()
		idle.expectClosed(t)
		if took := time.Since(begin); took < time.Minute || took > 75*time.Second {
			t.Errorf("closed after %v, want one minute and at most a tick more", took)
		}
		time.Sleep(5 * time.Minute)
		reply(h.take(), []byte("late"))
		if got := waiting.receive(t); got != "late" {
			t.Errorf("reply %q", got)
		}
		waiting.expectClosed(t)
		synctest.Wait()
		if got := f.closed(server.ClosedIdle); got != 2 {
			t.Errorf("%v connections closed as idle, want 2", got)
		}
		if n := f.metric(`kafka_server_socket_server_metrics_connection_count{listener="PLAINTEXT"}`); n != 0 {
			t.Errorf("%v connections open", n)
		}
	})
}

func TestMaxConnectionsWaitsForASlot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := start(t, server.Options{Handler: echo, Limits: server.Limits{MaxConnections: 2}})
		first, second := f.pipes.dial("10.0.0.1"), f.pipes.dial("10.0.0.2")
		third := f.pipes.dial("10.0.0.3")
		defer second.Close()
		defer third.Close()
		third.send("hello")
		time.Sleep(time.Minute)
		synctest.Wait()
		if n := len(f.Sessions()); n != 2 {
			t.Fatalf("%d connections are served, want 2", n)
		}
		first.Close()
		if got := third.receive(t); got != "hello" {
			t.Errorf("reply %q", got)
		}
		fourth := f.pipes.dial("10.0.0.4")
		defer fourth.Close()
		fourth.send("hello")
		synctest.Wait()
		f.SetLimits(server.Limits{MaxConnections: 3})
		fourth.receive(t)
	})
}

func TestMaxConnectionsOfOneListener(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := start(t, server.Options{Handler: echo, Limits: server.Limits{MaxListenerConnections: map[string]int{"PLAINTEXT": 1}}})
		other := newPipeListener()
		if err := f.Listen(server.Listener{Name: "OTHER", Net: other}); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			f.pipes.dial("10.0.0.1")
			other.dial("10.0.0.1")
		}
		synctest.Wait()
		if n := len(f.Sessions()); n != 3 {
			t.Errorf("%d connections, want one and two", n)
		}
	})
}

func TestMaxConnectionsPerIPRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := start(t, server.Options{Handler: echo, Limits: server.Limits{
			MaxConnectionsPerIP: 1,
			PerIPOverrides:      map[netip.Addr]int{netip.MustParseAddr("10.0.0.2"): 2},
		}})
		for _, c := range []struct {
			ip  string
			max int
		}{{"10.0.0.1", 1}, {"10.0.0.2", 2}} {
			var last client
			for range c.max {
				last = f.pipes.dial(c.ip)
				last.send("x")
				last.receive(t)
			}
			f.pipes.dial(c.ip).expectClosed(t)
			last.Close()
			synctest.Wait()
			again := f.pipes.dial(c.ip)
			again.send("x")
			again.receive(t)
		}
		if got := f.closed(server.ClosedPerIP); got != 2 {
			t.Errorf("%v refusals", got)
		}
		if log := f.log.String(); !containsAll(log, "max.connections.per.ip = 1", "max.connections.per.ip.overrides = 2", "10.0.0.1") {
			t.Errorf("log: %s", log)
		}
	})
}

func TestThePrivilegedListenerGetsIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := start(t, server.Options{Handler: echo, Limits: server.Limits{MaxConnections: 2}})
		peers := newPipeListener()
		if err := f.Listen(server.Listener{Name: "INTERNAL", Net: peers, Privileged: true}); err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		older := f.pipes.dial("10.0.0.1")
		time.Sleep(time.Minute)
		newer := f.pipes.dial("10.0.0.2")
		synctest.Wait()
		peer := peers.dial("10.0.0.3")
		defer newer.Close()
		defer peer.Close()
		older.expectClosed(t)
		if waited := time.Since(begin); waited != time.Minute {
			t.Errorf("it had to wait until %v", waited)
		}
		for _, cl := range []client{newer, peer} {
			cl.send("x")
			cl.receive(t)
		}
	})
}

// brokenListener fails as an exhausted file table does.
type brokenListener struct {
	*pipeListener
	accepts, failures atomic.Int64
}

func (l *brokenListener) Accept() (net.Conn, error) {
	if l.accepts.Add(1) <= l.failures.Load() {
		return nil, errors.New("accept: too many open files")
	}
	return l.pipeListener.Accept()
}

func TestAcceptFailuresAreWaitedOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := start(t, server.Options{Handler: echo})
		l := &brokenListener{pipeListener: newPipeListener()}
		l.failures.Store(20)
		if err := f.Listen(server.Listener{Name: "BROKEN", Net: l}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Second)
		if n := l.accepts.Load(); n < 8 || n > 15 {
			t.Errorf("%d attempts in 5 s", n)
		}
		cl := l.dial("10.0.0.1")
		defer cl.Close()
		cl.send("x")
		cl.receive(t)
		if n := strings.Count(f.log.String(), "too many open files"); n != 1 {
			t.Errorf("%d lines in the log for 20 failures within a minute", n)
		}
	})
}

func TestASecondListenerOfOneName(t *testing.T) {
	f := start(t, server.Options{Handler: echo})
	if err := f.Listen(server.Listener{Name: "PLAINTEXT", Net: newPipeListener()}); err == nil {
		t.Error("it was accepted")
	}
}

func TestClientSoftwareIsCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := start(t, server.Options{Handler: handlerFunc(func(rq *server.Request) {
			name, version, _ := strings.Cut(string(rq.Frame), " ")
			rq.Session.SetSoftware(name, version)
			rq.Session.SetClientID("consumer-1")
			rq.NoReply()
		})})
		cl := f.pipes.dial("10.0.0.1")
		for _, software := range []string{"librdkafka 2.0", "apache-kafka-java 4.3.1"} {
			if _, err := cl.Write(frame(software)); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		series := func(name, version string) float64 {
			return f.metric(`kafka_server_socket_server_metrics_connections_software{clientSoftwareName="` + name + `",clientSoftwareVersion="` + version + `",listener="PLAINTEXT"}`)
		}
		if series("apache-kafka-java", "4.3.1") != 1 || series("librdkafka", "2.0") != 0 {
			t.Error("the inventory is wrong")
		}
		if s := f.Sessions()[0]; s.ClientID != "consumer-1" || s.SoftwareVersion != "4.3.1" {
			t.Errorf("session: %+v", s)
		}
		cl.Close()
		synctest.Wait()
		if series("apache-kafka-java", "4.3.1") != 0 {
			t.Error("a closed connection is still counted")
		}
	})
}
