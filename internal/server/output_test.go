package server_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ottla/ottla/internal/server"
	"github.com/ottla/ottla/internal/wire"
)

// released counts its releases.
type released struct{ n atomic.Int64 }

func (r *released) Release() { r.n.Add(1) }

func TestASlowReaderIsHeldAndThenCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var handled atomic.Int64
		var held released
		f := start(t, server.Options{MaxInFlightBytes: 1 << 20, WriteTimeout: time.Minute, Handler: handlerFunc(func(rq *server.Request) {
			handled.Add(1)
			rq.Hold(&held)
			reply(rq, make([]byte, 256<<10))
		})})
		cl := f.pipes.dial("10.0.0.1")
		begin := time.Now()
		go func() {
			for range 1000 {
				if _, err := cl.Write(frame("x")); err != nil {
					return
				}
			}
		}()
		time.Sleep(30 * time.Second)
		if n := handled.Load(); n < 1 || n > 5 {
			t.Errorf("%d requests with replies of 256 KiB were handled for a peer that reads nothing", n)
		}
		for len(f.Sessions()) > 0 {
			time.Sleep(time.Second)
		}
		if took := time.Since(begin); took < time.Minute || took > 80*time.Second {
			t.Errorf("cut after %v, want a minute and a tick or two", took)
		}
		if handled.Load() != held.n.Load() {
			t.Errorf("%d replies, %d were released", handled.Load(), held.n.Load())
		}
		if f.closed(server.ClosedSlow) != 1 {
			t.Error("the reason was not counted")
		}
	})
}

func TestASlowButSteadyReaderIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := start(t, server.Options{WriteTimeout: time.Minute, Handler: handlerFunc(func(rq *server.Request) {
			reply(rq, make([]byte, 4<<20))
		})})
		cl := f.pipes.dial("10.0.0.1")
		defer cl.Close()
		cl.send("x")
		for left := 4 + 4<<20; left > 0; { // 256 KiB every 20 s
			n, err := cl.Read(make([]byte, min(left, 256<<10)))
			if err != nil {
				t.Fatalf("cut with %d bytes left: %v", left, err)
			}
			left -= n
			time.Sleep(20 * time.Second)
		}
	})
}

func TestAnAnswerNeverWaitsForThePeer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := new(holder)
		f := start(t, server.Options{Handler: h})
		slow, quick := f.pipes.dial("10.0.0.1"), f.pipes.dial("10.0.0.2")
		defer slow.Close()
		defer quick.Close()
		for range 3 {
			if _, err := slow.Write(frame("x")); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		quick.send("x")
		synctest.Wait()
		for range 3 {
			reply(h.take(), make([]byte, 1<<20)) // returns though nobody reads
		}
		reply(h.take(), []byte("quick"))
		if got := quick.receive(t); got != "quick" {
			t.Errorf("reply %q", got)
		}
	})
}

func TestSegmentsArriveWholeAndAreReleasedOnce(t *testing.T) {
	const version = 11
	var held released
	pool := server.NewBuffers(1 << 20)
	f := start(t, server.Options{Buffers: pool, Handler: handlerFunc(func(rq *server.Request) {
		var m wire.FetchResponse
		m.Responses = make([]wire.FetchResponseFetchableTopicResponse, 1)
		partitions := make([]wire.FetchResponsePartitionData, 21)
		for i := range partitions {
			partitions[i].Reset()
		}
		for i := range 20 {
			b := pool.Get(200_000)
			for j := range b.Bytes() {
				b.Bytes()[j] = byte(i)
			}
			rq.Hold(b)
			partitions[i].Records = b.Bytes()
		}
		partitions[20].Records = rq.Frame // the frame outlives the answer
		m.Responses[0].Partitions = partitions
		w := rq.Writer()
		m.Encode(w, version)
		if err := w.Err(); err != nil {
			t.Error(err)
		}
		rq.Hold(&held)
		rq.Reply(w)
		other := pool.Get(3000) // not the frame's memory, which is not written yet
		clear(other.Bytes())
	})})
	cl := dialTCP(t, f.listenTCP())
	for round := range 3 {
		request := bytes.Repeat([]byte{byte('a' + round)}, 3000)
		cl.send(string(request))
		var m wire.FetchResponse
		if err := m.Decode(wire.NewReader([]byte(cl.receive(t))), version); err != nil {
			t.Fatal(err)
		}
		for i, p := range m.Responses[0].Partitions {
			want := request
			if i < 20 {
				want = bytes.Repeat([]byte{byte(i)}, 200_000)
			}
			if !bytes.Equal(p.Records, want) {
				t.Fatalf("round %d: records %d are wrong", round, i)
			}
		}
		eventually(t, "release", func() bool { return held.n.Load() == int64(round+1) })
	}
	if idle := pool.Idle(); idle > 1<<20 {
		t.Errorf("the pool keeps %d bytes", idle)
	}
}

func TestStopAnswersWhatWasAccepted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := new(holder)
		f := start(t, server.Options{Handler: h})
		busy, idle, half := f.pipes.dial("10.0.0.1"), f.pipes.dial("10.0.0.2"), f.pipes.dial("10.0.0.3")
		for range 3 {
			if _, err := busy.Write(frame("x")); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := half.Write([]byte{0, 0, 0, 9, 1}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		stopped := make(chan error, 1)
		go func() { stopped <- f.Stop(t.Context()) }()
		idle.expectClosed(t)
		half.expectClosed(t)
		time.Sleep(time.Hour) // it waits, and handles nothing more
		busy.send("too late")
		synctest.Wait()
		if n := h.count(); n != 3 {
			t.Fatalf("%d requests were handled, want 3", n)
		}
		for _, body := range []string{"a", "b", "c"} {
			reply(h.take(), []byte(body))
			if got := busy.receive(t); got != body {
				t.Errorf("reply %q, want %q", got, body)
			}
		}
		if err := <-stopped; err != nil {
			t.Error(err)
		}
		busy.expectClosed(t)
		if f.closed(server.ClosedByStop) != 3 {
			t.Error("the reason was not counted")
		}
		if err := f.Listen(server.Listener{Name: "NEW", Net: newPipeListener()}); err == nil {
			t.Error("a stopped server listens")
		}
	})
}

func TestStopOverRealSocketsLosesNoReply(t *testing.T) {
	var accepted atomic.Int64
	f := start(t, server.Options{Handler: handlerFunc(func(rq *server.Request) {
		accepted.Add(1)
		go func() {
			time.Sleep(time.Millisecond)
			reply(rq, rq.Frame)
		}()
	})})
	cl := dialTCP(t, f.listenTCP())
	go func() { // more than it will take
		for range 100_000 {
			if _, err := cl.Write(frame("0123456789")); err != nil {
				return
			}
		}
	}()
	eventually(t, "requests", func() bool { return accepted.Load() > 200 })
	stopped := make(chan error, 1)
	go func() { stopped <- f.Stop(t.Context()) }()
	var got int64
	for buf := make([]byte, 14); ; got++ {
		if _, err := io.ReadFull(cl, buf); err != nil {
			break
		}
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
	if got != accepted.Load() {
		t.Errorf("%d requests were accepted, %d answered", accepted.Load(), got)
	}
}

// A new connection on which nothing was answered is reset, so that its client tries again; any other ends in good order.
func TestStopResetsWhatWasNeverAnswered(t *testing.T) {
	f := start(t, server.Options{Handler: handlerFunc(func(rq *server.Request) { reply(rq, rq.Frame) })})
	addr := f.listenTCP()
	served, fresh := dialTCP(t, addr), dialTCP(t, addr)
	served.send("x")
	if got := served.receive(t); got != "x" {
		t.Fatal(got)
	}
	if _, err := fresh.Write([]byte{0, 0, 0, 9, 1}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "connections", func() bool {
		return f.metric(`kafka_server_socket_server_metrics_connection_count{listener="TCP"}`) == 2
	})
	if err := f.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := served.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("a connection with an answer: %v", err)
	}
	if _, err := fresh.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("a connection without an answer: %v", err)
	}
}

func TestStopCutsAtItsDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := new(holder)
		f := start(t, server.Options{Handler: h})
		cl := f.pipes.dial("10.0.0.1")
		for range 3 {
			if _, err := cl.Write(frame("x")); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		var held, waiting released
		session := h.held[0].Session
		h.held[2].Hold(&waiting)
		reply(h.held[2], nil) // its turn never comes
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		if err := f.Stop(ctx); err == nil {
			t.Error("the cut connection was not reported")
		}
		cl.expectClosed(t)
		synctest.Wait()
		if session.Context().Err() == nil {
			t.Error("the session's context goes on")
		}
		if waiting.n.Load() != 1 {
			t.Error("what an unwritten reply held was not released")
		}
		late := h.take()
		late.Hold(&held)
		reply(late, []byte("late")) // goes nowhere, and frees what it holds
		if held.n.Load() != 1 {
			t.Error("a late answer leaks what it holds")
		}
		h.take().Close(nil)
		if used := f.metric("kafka_network_socketserver_memorypoolused"); used != 0 {
			t.Errorf("%v bytes of frames are still in use", used)
		}
	})
}

func TestAReplyThatCannotBeEncodedClosesTheConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := start(t, server.Options{Handler: handlerFunc(func(rq *server.Request) {
			w := rq.Writer()
			new(wire.ApiVersionsResponse).Encode(w, 99)
			rq.Reply(w)
		})})
		cl := f.pipes.dial("10.0.0.1")
		cl.send("x")
		cl.expectClosed(t)
		synctest.Wait()
		if log := f.log.String(); !containsAll(log, "cannot encode the reply") {
			t.Errorf("log: %s", log)
		}
	})
}
