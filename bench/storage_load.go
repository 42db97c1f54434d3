package main

import (
	"context"
	"errors"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/wire"
)

// spreadWork is a row in which every connection keeps inFlight requests of one record on the way, acks=all, each to the next
// partition.
func spreadWork(name string, partitions, connections, inFlight int) *Work {
	setup := func(ctx context.Context, addr string, load *Load) error {
		batch := batchOf(1)
		frame, place, err := produceFrameToAny(load.topic.id, batch)
		if err != nil {
			return err
		}
		for i := range connections {
			c, err := load.connect(ctx, addr)
			if err != nil {
				return err
			}
			load.lanes = append(load.lanes, func(l *lane) error {
				w := newWindow(frame, inFlight)
				w.stamp = func(frame []byte, number int32) {
					setPartition(frame, place, int32((i+int(number)*connections)%partitions))
				}
				return produceUntilStopped(l, c, w, int64(len(batch)))
			})
		}
		return nil
	}
	return &Work{name: name, unit: "record", partitions: partitions, setup: setup}
}

// spreadLatencyWork is latencyWork over many partitions: record after record goes to the next one. The consumer reads all of
// them in one fetch session, as clients do.
func spreadLatencyWork(name string, partitions, perSecond int) *Work {
	setup := func(ctx context.Context, addr string, load *Load) error {
		batch := batchOf(1)
		e := &spreadEndToEnd{
			topic: load.topic, partitions: partitions, period: time.Second / time.Duration(perSecond), batchBytes: int64(len(batch)), start: time.Now(),
			next: make([]int64, partitions),
		}
		var err error
		if e.produce, e.place, err = produceFrameToAny(load.topic.id, batch); err != nil {
			return err
		}
		if e.out, err = load.connect(ctx, addr); err != nil {
			return err
		}
		if e.in, err = load.connect(ctx, addr); err != nil {
			return err
		}
		load.lanes = []func(*lane) error{e.send, e.takeAnswers, e.consume}
		return nil
	}
	return &Work{name: name, unit: "record", partitions: partitions, setup: setup}
}

// spreadEndToEnd is a producer and a consumer of all partitions of a topic. Record i goes to partition i modulo their number,
// where it has the offset i divided by it.
type spreadEndToEnd struct {
	topic      *topic
	out, in    *conn
	produce    []byte
	place      int // of the partition in it
	partitions int
	period     time.Duration
	batchBytes int64

	start   time.Time
	sent    [1 << 16]atomic.Int64 // by number modulo its length: when the record was sent, since start
	sentAll atomic.Int64          // how many records there are in all, from before the last one leaves; until then 0

	next     []int64 // the consumer's next offset, by partition
	received int64
}

func (e *spreadEndToEnd) age(number int64) time.Duration {
	return time.Since(e.start) - time.Duration(e.sent[number%int64(len(e.sent))].Load())
}

// send is the producer's lane. Its goroutine keeps a thread to itself so that it can sleep exactly.
func (e *spreadEndToEnd) send(l *lane) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	next := time.Now()
	for number := int64(0); e.sentAll.Load() == 0; number++ {
		sleep(time.Until(next))
		if l.stopping.Load() {
			e.sentAll.Store(number + 1)
		}
		setCorrelation(e.produce, int32(number))
		setPartition(e.produce, e.place, int32(number%int64(e.partitions)))
		e.sent[number%int64(len(e.sent))].Store(int64(time.Since(e.start)))
		if _, err := e.out.Write(e.produce); err != nil {
			return err
		}
		next = next.Add(e.period)
	}
	return nil
}

// takeAnswers reads the producer's answers until all records that were sent are acknowledged.
func (e *spreadEndToEnd) takeAnswers(l *lane) error {
	for number := int64(0); ; number++ {
		if all := e.sentAll.Load(); all > 0 && number >= all {
			return nil
		}
		answer, err := readFrame(e.out)
		if err != nil {
			return err
		}
		if err := checkProduce(answer, int32(number)); err != nil {
			return err
		}
		l.acknowledged(e.age(number))
	}
}

// consume is the consumer's lane.
func (e *spreadEndToEnd) consume(l *lane) error {
	rq := e.firstFetch()
	for {
		if all := e.sentAll.Load(); all > 0 && e.received >= all {
			return nil
		}
		var rs wire.FetchResponse
		if err := e.in.ask(fetchVersion, rq, &rs); err != nil {
			return err
		}
		if rs.ErrorCode != 0 {
			return errors.New("the broker refused the consumer's fetch session")
		}
		rq.SessionID, rq.SessionEpoch = rs.SessionID, rq.SessionEpoch+1
		rq.Topics = rq.Topics[:0]
		for _, t := range rs.Responses {
			for i := range t.Partitions {
				if err := e.take(l, &t.Partitions[i]); err != nil {
					return err
				}
			}
			e.fetchOn(rq, t.Partitions)
		}
	}
}

// firstFetch opens the session.
func (e *spreadEndToEnd) firstFetch() *wire.FetchRequest {
	rq := new(wire.FetchRequest)
	rq.Reset()
	rq.MaxWaitMs, rq.MinBytes, rq.MaxBytes, rq.SessionEpoch = int32(maxWait.Milliseconds()), 1, 50<<20, 0
	rq.Topics = []wire.FetchRequestFetchTopic{{TopicID: e.topic.id}}
	for p := range e.partitions {
		rq.Topics[0].Partitions = append(rq.Topics[0].Partitions, e.wanted(int32(p)))
	}
	return rq
}

// fetchOn tells the session of the offsets that have changed.
func (e *spreadEndToEnd) fetchOn(rq *wire.FetchRequest, read []wire.FetchResponsePartitionData) {
	changed := wire.FetchRequestFetchTopic{TopicID: e.topic.id}
	for i := range read {
		changed.Partitions = append(changed.Partitions, e.wanted(read[i].PartitionIndex))
	}
	rq.Topics = append(rq.Topics, changed)
}

func (e *spreadEndToEnd) wanted(partition int32) wire.FetchRequestFetchPartition {
	var p wire.FetchRequestFetchPartition
	p.Reset()
	p.Partition, p.FetchOffset, p.PartitionMaxBytes = partition, e.next[partition], 1<<20
	return p
}

// take counts the records that came of one partition.
func (e *spreadEndToEnd) take(l *lane, p *wire.FetchResponsePartitionData) error {
	if p.ErrorCode != 0 {
		return errors.New("the broker answered Fetch with an error")
	}
	next := &e.next[p.PartitionIndex]
	for batch, err := range record.Batches(p.Records) {
		if errors.Is(err, record.ErrIncomplete) {
			return nil
		}
		if err != nil {
			return err
		}
		for ; *next <= batch.LastOffset(); *next++ {
			l.took(e.age(*next*int64(e.partitions) + int64(p.PartitionIndex)))
			l.done(1, e.batchBytes)
			e.received++
		}
	}
	return nil
}
