package main

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/ottla/ottla/internal/record"
)

// latencyWork is a row in which records of 1 KB are sent one by one at a fixed rate, whether answers come or not, while a
// consumer that is always waiting for more reads them. Latency is from the send of a record to the moment the consumer has
// it. Requests that are counted are records.
func latencyWork(name string, perSecond int) *Work {
	setup := func(ctx context.Context, addr string, load *Load) error {
		return addEndToEnd(ctx, load, addr, 0, time.Second/time.Duration(perSecond))
	}
	return &Work{name: name, unit: "record", partitions: 1, setup: setup}
}

// addEndToEnd adds a producer of one record every period and a consumer to a load, of a partition that addr leads.
func addEndToEnd(ctx context.Context, load *Load, addr string, partition int32, period time.Duration) (err error) {
	batch := batchOf(1)
	e := &endToEnd{period: period, batchBytes: int64(len(batch)), start: time.Now()}
	if e.produce, err = produceFrame(load.topic.id, partition, batch); err != nil {
		return err
	}
	if e.fetch, e.offsetPlace, err = fetchFrame(load.topic.id, partition, 1<<20); err != nil {
		return err
	}
	if e.out, err = load.connect(ctx, addr); err != nil {
		return err
	}
	if e.in, err = load.connect(ctx, addr); err != nil {
		return err
	}
	load.lanes = append(load.lanes, e.send, e.takeAnswers, e.consume)
	return nil
}

// endToEnd is a producer and a consumer of one partition. Offsets begin at 0, so a record's offset is its number.
type endToEnd struct {
	out, in        *conn
	produce, fetch []byte
	offsetPlace    int
	period         time.Duration
	batchBytes     int64

	start   time.Time
	sent    [1 << 16]atomic.Int64 // by offset modulo its length: when it was sent, since start
	sentAll atomic.Int64          // how many records there are in all, from before the last one leaves; until then 0
}

// send is the producer's lane. Its goroutine keeps a thread to itself so that it can sleep exactly.
func (e *endToEnd) send(l *lane) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	next := time.Now()
	for number := int64(0); e.sentAll.Load() == 0; number++ {
		sleep(time.Until(next))
		if l.stopping.Load() {
			e.sentAll.Store(number + 1)
		}
		setCorrelation(e.produce, int32(number))
		e.sent[number%int64(len(e.sent))].Store(int64(time.Since(e.start)))
		if _, err := e.out.Write(e.produce); err != nil {
			return err
		}
		next = next.Add(e.period)
	}
	return nil
}

// takeAnswers reads the producer's answers until all records that were sent are acknowledged.
func (e *endToEnd) takeAnswers(l *lane) error {
	for number := int32(0); ; number++ {
		if all := e.sentAll.Load(); all > 0 && int64(number) >= all {
			return nil
		}
		answer, err := readFrame(e.out)
		if err != nil {
			return err
		}
		if err := checkProduce(answer, number); err != nil {
			return err
		}
		l.acknowledged(time.Since(e.start) - time.Duration(e.sent[int64(number)%int64(len(e.sent))].Load()))
	}
}

// consume is the consumer's lane.
func (e *endToEnd) consume(l *lane) error {
	next := int64(0)
	buf := make([]byte, 256<<10)
	for id := int32(0); ; id++ {
		if all := e.sentAll.Load(); all > 0 && next >= all {
			return nil
		}
		setCorrelation(e.fetch, id)
		setOffset(e.fetch, e.offsetPlace, next)
		if _, err := e.in.Write(e.fetch); err != nil {
			return err
		}
		records, err := readFetch(e.in, &buf, id)
		if err != nil {
			return err
		}
		now := int64(time.Since(e.start))
		for batch, err := range record.Batches(records) {
			if errors.Is(err, record.ErrIncomplete) {
				break
			}
			if err != nil {
				return err
			}
			for ; next <= batch.LastOffset(); next++ {
				l.took(time.Duration(now - e.sent[next%int64(len(e.sent))].Load()))
				l.done(1, e.batchBytes)
			}
		}
	}
}

// readFetch reads one answer into buf, which grows as needed, and returns its records.
func readFetch(c io.Reader, buf *[]byte, id int32) ([]byte, error) {
	var prefix [4]byte
	if _, err := io.ReadFull(c, prefix[:]); err != nil {
		return nil, err
	}
	length := int(binary.BigEndian.Uint32(prefix[:]))
	if length > maxAnswer {
		return nil, errors.New("a Fetch answer that is too long")
	}
	if length > len(*buf) {
		*buf = make([]byte, length)
	}
	answer := (*buf)[:length]
	if _, err := io.ReadFull(c, answer); err != nil {
		return nil, err
	}
	place, size, err := checkFetch(answer, id)
	if err != nil {
		return nil, err
	}
	if place+size > len(answer) {
		return nil, io.ErrUnexpectedEOF
	}
	return answer[place : place+size], nil
}
