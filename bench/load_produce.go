package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"time"
)

// A produceShape is how much is produced in how many places at once.
type produceShape struct {
	records, connections, inFlight int
	// partitions are spread over the connections in turn.
	partitions int
}

// produceWork is a row in which every connection keeps inFlight requests on the way, acks=all.
func produceWork(name string, shape produceShape) *Work {
	setup := func(ctx context.Context, addr string, load *Load) error {
		batch := batchOf(shape.records)
		for i := range shape.connections {
			frame, err := produceFrame(load.topic.id, int32(i%shape.partitions), batch)
			if err != nil {
				return err
			}
			c, err := load.connect(ctx, addr)
			if err != nil {
				return err
			}
			load.lanes = append(load.lanes, func(l *lane) error {
				return produceUntilStopped(l, c, newWindow(frame, shape.inFlight), int64(len(batch)))
			})
		}
		return nil
	}
	return &Work{name: name, unit: "request", partitions: shape.partitions, setup: setup}
}

// A window is the requests of one connection that are on the way. The frames lie in a row, so that several answers in one
// read are followed by as many requests in one write.
type window struct {
	frames   []byte
	size     int   // of one frame
	sent     int32 // correlation id of the next request
	answered int32 // correlation id of the next answer
	since    []time.Time
	check    func(answer []byte, correlation int32) error
	stamp    func(frame []byte, number int32) // what changes from request to request beside the correlation id; nil: nothing
}

func newWindow(frame []byte, inFlight int) *window {
	w := &window{size: len(frame), since: make([]time.Time, inFlight), check: checkProduce}
	for range inFlight {
		w.frames = append(w.frames, frame...)
	}
	return w
}

// send writes n requests, for which there must be room in the window.
func (w *window) send(to io.Writer, n int) error {
	now := time.Now()
	for i := range n {
		setCorrelation(w.frames[i*w.size:], w.sent)
		if w.stamp != nil {
			w.stamp(w.frames[i*w.size:], w.sent)
		}
		w.since[int(w.sent)%len(w.since)] = now
		w.sent++
	}
	_, err := to.Write(w.frames[:n*w.size])
	return err
}

// answer checks the next answer and returns how long it took.
func (w *window) answer(payload []byte, now time.Time) (time.Duration, error) {
	if err := w.check(payload, w.answered); err != nil {
		return 0, err
	}
	took := now.Sub(w.since[int(w.answered)%len(w.since)])
	w.answered++
	return took, nil
}

func produceUntilStopped(l *lane, c *conn, w *window, batchBytes int64) error {
	in := bufio.NewReaderSize(c, 16<<10)
	if err := w.send(c, len(w.since)); err != nil {
		return err
	}
	for w.answered < w.sent {
		n, err := w.readAnswers(l, in)
		if err != nil {
			return err
		}
		l.done(int64(n), int64(n)*batchBytes)
		if l.stopping.Load() {
			continue // what is on the way is still waited for
		}
		if err := w.send(c, n); err != nil {
			return err
		}
	}
	return nil
}

// readAnswers waits for one answer and takes all that have come with it.
func (w *window) readAnswers(l *lane, in *bufio.Reader) (n int, err error) {
	var now time.Time
	for n == 0 || in.Buffered() >= 4 {
		prefix, err := in.Peek(4)
		if err != nil {
			return n, err
		}
		length := int(binary.BigEndian.Uint32(prefix))
		if length > in.Size()-4 {
			return n, fmt.Errorf("an answer of %d bytes", length)
		}
		if n > 0 && in.Buffered() < 4+length {
			return n, nil
		}
		answer, err := in.Peek(4 + length)
		if err != nil {
			return n, err
		}
		if n == 0 {
			now = time.Now()
		}
		took, err := w.answer(answer[4:], now)
		if err != nil {
			return n, err
		}
		l.took(took)
		in.Discard(4 + length)
		n++
	}
	return n, nil
}
