package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"
)

// preloaded is how many bytes of records a fetched topic has: enough to leave the processor's caches, little enough to stay
// in the page cache.
const preloaded = 256 << 20

// fetchWork is a row in which every connection reads a partition of its own from beginning to end, again and again, one
// request at a time as consumers do. maxBytes is the most that an answer holds (max.partition.fetch.bytes).
func fetchWork(name string, connections int, maxBytes int32) *Work {
	setup := func(ctx context.Context, addr string, load *Load) error {
		batches := preloaded / connections / len(batchOf(recordsPer64KB))
		for i := range connections {
			if err := preload(ctx, addr, load.topic, int32(i), batches); err != nil {
				return err
			}
			f, err := newFetcher(load.topic, int32(i), maxBytes, batches)
			if err != nil {
				return err
			}
			c, err := load.connect(ctx, addr)
			if err != nil {
				return err
			}
			load.lanes = append(load.lanes, func(l *lane) error { return f.fetchUntilStopped(l, c) })
		}
		return nil
	}
	return &Work{name: name, unit: "request", onlyPlain: true, kept: true, partitions: connections, setup: setup}
}

// preload produces batches of 64 KB.
func preload(ctx context.Context, addr string, t *topic, partition int32, batches int) error {
	connection, err := dial(ctx, addr)
	if err != nil {
		return err
	}
	defer connection.Close()
	batch := batchOf(recordsPer64KB)
	frame, err := produceFrame(t.id, partition, batch)
	if err != nil {
		return err
	}
	w := newWindow(frame, 5)
	in := bufio.NewReader(connection)
	l := &lane{execution: new(execution)}
	connection.SetDeadline(time.Now().Add(runLimit))
	if err := w.send(connection, 5); err != nil {
		return err
	}
	for int(w.answered) < batches {
		n, err := w.readAnswers(l, in)
		if err != nil {
			return err
		}
		if err := w.send(connection, min(n, batches-int(w.sent))); err != nil {
			return err
		}
	}
	return nil
}

// A fetcher has the requests that read one partition once.
type fetcher struct {
	frames [][]byte
}

func newFetcher(t *topic, partition, maxBytes int32, batches int) (*fetcher, error) {
	batch := batchOf(recordsPer64KB)
	per := int(maxBytes) / len(batch) // whole batches in an answer
	if per == 0 {
		return nil, fmt.Errorf("%d bytes do not hold a batch of %d", maxBytes, len(batch))
	}
	f := new(fetcher)
	for first := 0; first+per <= batches; first += per {
		frame, place, err := fetchFrame(t.id, partition, maxBytes)
		if err != nil {
			return nil, err
		}
		setOffset(frame, place, int64(first*recordsPer64KB))
		f.frames = append(f.frames, frame)
	}
	return f, nil
}

func (f *fetcher) fetchUntilStopped(l *lane, c *conn) error {
	in := make([]byte, 256<<10)
	for id := int32(0); !l.stopping.Load(); id++ {
		frame := f.frames[int(id)%len(f.frames)]
		setCorrelation(frame, id)
		start := time.Now()
		if _, err := c.Write(frame); err != nil {
			return err
		}
		size, err := skimFetch(c, in, id)
		if err != nil {
			return err
		}
		if size == 0 {
			return errors.New("a Fetch answer without records")
		}
		l.took(time.Since(start))
		l.done(1, int64(size))
	}
	return nil
}

// skimFetch reads one answer, looks at its head, and returns how many bytes of records it had.
func skimFetch(c io.Reader, buf []byte, id int32) (size int, err error) {
	n, err := io.ReadAtLeast(c, buf, 4+fetchRecordsPlace+1)
	if err != nil {
		return 0, err
	}
	length := int(binary.BigEndian.Uint32(buf))
	if length > maxAnswer {
		return 0, fmt.Errorf("a Fetch answer of %d bytes", length)
	}
	if _, size, err = checkFetch(buf[4:n], id); err != nil {
		return 0, err
	}
	for left := 4 + length - n; left > 0; left -= n {
		if n, err = c.Read(buf[:min(left, len(buf))]); err != nil {
			return 0, err
		}
	}
	return size, nil
}
