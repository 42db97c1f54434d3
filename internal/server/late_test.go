package server_test

import (
	"bytes"
	"testing"

	"github.com/ottla/ottla/internal/server"
)

// answerLate has so many goroutines answer what is sent to the channel, until the test ends.
func answerLate(t *testing.T, goroutines int, answer func(*server.Request)) chan<- *server.Request {
	late := make(chan *server.Request, 100)
	for range goroutines {
		go func() {
			for {
				select {
				case rq := <-late:
					answer(rq)
				case <-t.Context().Done():
					return
				}
			}
		}()
	}
	return late
}

// A reply that is given while another goroutine writes the one before must not be left lying.
func TestAnswersThatComeWhileOneIsWritten(t *testing.T) {
	late := answerLate(t, 2, func(rq *server.Request) { reply(rq, rq.Frame) })
	count := 0
	f := start(t, server.Options{Handler: handlerFunc(func(rq *server.Request) {
		if count++; count%2 == 0 {
			reply(rq, rq.Frame)
		} else {
			late <- rq
		}
	})})
	cl := dialTCP(t, f.listenTCP())
	const requests = 30_000
	window := make(chan struct{}, 2)
	go func() {
		for range requests {
			window <- struct{}{}
			if _, err := cl.Write(frame("0123456789")); err != nil {
				return // the reading side reports it
			}
		}
	}()
	for range requests {
		if got := cl.receive(t); got != "0123456789" {
			t.Fatalf("got %q", got)
		}
		<-window
	}
}

// A late reply that does not fit the socket leaves in pieces, and who answers does not wait for that.
func TestLateAnswersToASlowReader(t *testing.T) {
	h := new(holder)
	f := start(t, server.Options{Handler: h, SendBuffer: 4 << 10})
	cl := dialTCP(t, f.listenTCP())
	const replies, size = 400, 8 << 10
	pieces := make([]byte, replies)
	for i := range pieces {
		pieces[i] = byte(i)
		if _, err := cl.Write(frame("x")); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the request is handled", func() bool { return h.count() > 0 || i >= 100 })
		if h.count() == 0 {
			pieces = pieces[:i]
			break // the queue is full: nothing is read any more
		}
		reply(h.take(), bytes.Repeat(pieces[i:i+1], size-4))
	}
	for i, b := range pieces {
		if got := cl.receive(t); got != string(bytes.Repeat([]byte{b}, size-4)) {
			t.Fatalf("reply %d is not what was answered", i)
		}
	}
}
