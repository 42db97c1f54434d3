package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"time"
)

const (
	// writePause is the pause between a record's acknowledgement and the next record.
	writePause = 2 * time.Millisecond
	// writePatience is after what silence a writer looks whether its leader is still the leader.
	writePatience = 20 * time.Millisecond
	// retryPause is that before a record that was refused is sent again.
	retryPause = 5 * time.Millisecond
	// writersLimit is after what time without an acknowledgement a cluster counts as lost.
	writersLimit = 2 * time.Minute
)

// writers send a small record at a time to each partition, wait for its acknowledgement (acks=all) and note when it came. A
// record that is refused, or whose leader is silent and no more the leader, is sent again: it is the cluster that is
// measured, not the patience of a client.
type writers struct {
	run  *clusterRun
	end  chan struct{}
	once sync.Once
	done sync.WaitGroup
	all  []*writer
}

type writer struct {
	of        *writers
	partition int32
	frame     []byte
	sent      int32

	conn   *conn
	in     *bufio.Reader
	leader int32 // of conn

	mu           sync.Mutex
	acknowledged []acknowledgement
	failure      error
}

type acknowledgement struct {
	at time.Time
	by int32
}

func (c *clusterRun) startWriters() *writers {
	w := &writers{run: c, end: make(chan struct{})}
	batch := batchOf(1)
	for p := range c.topic.partitions {
		one := &writer{of: w, partition: p}
		one.frame, one.failure = produceFrame(c.topic.id, p, batch)
		w.all = append(w.all, one)
		if one.failure == nil {
			w.done.Go(one.write)
		}
	}
	return w
}

// stop ends the writers and returns when they have ended.
func (w *writers) stop() {
	w.once.Do(func() { close(w.end) })
	w.done.Wait()
}

func (w *writers) err() error {
	var errs []error
	for _, one := range w.all {
		one.mu.Lock()
		errs = append(errs, one.failure)
		one.mu.Unlock()
	}
	return errors.Join(errs...)
}

// awaitOthers returns when every partition has an acknowledgement after begin from another node than the victim.
func (w *writers) awaitOthers(ctx context.Context, victim int32, begin time.Time) error {
	for {
		missing := 0
		for _, one := range w.all {
			one.mu.Lock()
			n := len(one.acknowledged)
			if n == 0 || one.acknowledged[n-1].by == victim || one.acknowledged[n-1].at.Before(begin) {
				missing++
			}
			one.mu.Unlock()
		}
		if missing == 0 {
			return nil
		}
		if time.Since(begin) > writersLimit {
			return fmt.Errorf("after %v %d partitions have had no acknowledgement: %w", writersLimit, missing, w.err())
		}
		if err := pass(ctx, time.Millisecond); err != nil {
			return err
		}
	}
}

// longest is the longest time between two acknowledgements of one partition that is not over before from or begins after to.
func (w *writers) longest(from, to time.Time) time.Duration {
	var most time.Duration
	for _, one := range w.all {
		one.mu.Lock()
		for i, a := range one.acknowledged {
			if i > 0 && a.at.After(from) && one.acknowledged[i-1].at.Before(to) {
				most = max(most, a.at.Sub(one.acknowledged[i-1].at))
			}
		}
		one.mu.Unlock()
	}
	return most
}

func (w *writer) write() {
	defer w.disconnect()
	for !w.ended() {
		err := w.one()
		if err == nil {
			w.sleep(writePause)
			continue
		}
		w.mu.Lock()
		w.failure = nil // what counts is whether it goes on
		if n := len(w.acknowledged); n > 0 && time.Since(w.acknowledged[n-1].at) > writersLimit {
			w.failure = fmt.Errorf("partition %d: %w", w.partition, err)
		}
		w.mu.Unlock()
		w.of.run.leaders.refresh(w.of.run.topic.name)
		w.sleep(retryPause)
	}
}

func (w *writer) ended() bool {
	select {
	case <-w.of.end:
		return true
	default:
		return false
	}
}

func (w *writer) sleep(d time.Duration) {
	select {
	case <-w.of.end:
	case <-time.After(d):
	}
}

func (w *writer) disconnect() {
	if w.conn != nil {
		w.conn.Close()
		w.conn = nil
	}
}

// one sends a record to the leader and waits until it is acknowledged.
func (w *writer) one() error {
	if err := w.connect(); err != nil {
		return err
	}
	w.sent++
	setCorrelation(w.frame, w.sent)
	w.conn.SetWriteDeadline(time.Now().Add(metadataPatience))
	if _, err := w.conn.Write(w.frame); err != nil {
		w.disconnect()
		return err
	}
	answer, err := w.await()
	if err != nil {
		w.disconnect()
		return err
	}
	if err := checkProduce(answer, w.sent); err != nil {
		return err
	}
	w.mu.Lock()
	w.acknowledged = append(w.acknowledged, acknowledgement{time.Now(), w.leader})
	w.mu.Unlock()
	return nil
}

func (w *writer) connect() error {
	run := w.of.run
	leader := run.leaders.leader(run.topic.name, w.partition)
	if leader < 1 {
		return fmt.Errorf("partition %d has no leader", w.partition)
	}
	if w.conn != nil && w.leader == leader {
		return nil
	}
	w.disconnect()
	ctx, cancel := context.WithTimeout(context.Background(), metadataPatience)
	defer cancel()
	c, err := dial(ctx, run.nodes[leader-1].Addr())
	if err != nil {
		return err
	}
	w.conn, w.in, w.leader = c, bufio.NewReader(c), leader
	return nil
}

// await waits for the answer as long as its leader is the leader.
func (w *writer) await() ([]byte, error) {
	size := 4
	for {
		w.conn.SetReadDeadline(time.Now().Add(writePatience))
		frame, err := w.in.Peek(size)
		var timeout interface{ Timeout() bool }
		switch {
		case err == nil && size == 4:
			if size += int(binary.BigEndian.Uint32(frame)); size > w.in.Size() {
				return nil, fmt.Errorf("an answer of %d bytes", size)
			}
		case err == nil:
			answer := append([]byte(nil), frame[4:]...)
			_, err := w.in.Discard(size)
			return answer, err
		case errors.As(err, &timeout) && timeout.Timeout():
			run := w.of.run
			if run.leaders.refresh(run.topic.name); run.leaders.leader(run.topic.name, w.partition) != w.leader {
				return nil, fmt.Errorf("another node than %d leads partition %d", w.leader, w.partition)
			}
			if w.ended() {
				return nil, errors.New("the measurement has ended")
			}
		default:
			return nil, err
		}
	}
}
