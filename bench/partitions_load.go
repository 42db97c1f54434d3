package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"time"

	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/wire"
)

// A scaleShape is how records go to many partitions: how many partitions a request writes a record to, and how many
// requests are on the way.
type scaleShape struct{ perRequest, connections, inFlight int }

// load makes requests for all partitions of a topic, spread over the connections.
func (s *scale) load(ctx context.Context, t *topic, shape scaleShape) (*Load, error) {
	batch := batchOf(1)
	load := &Load{topic: t}
	for i := range shape.connections {
		var frames [][]byte
		for first := i * shape.perRequest; first < int(t.partitions); first += shape.connections * shape.perRequest {
			frame, err := scaleFrame(t, first, min(first+shape.perRequest, int(t.partitions)), batch)
			if err != nil {
				return nil, err
			}
			frames = append(frames, frame)
		}
		if len(frames) == 0 {
			continue
		}
		c, err := load.connect(ctx, s.broker.Addr())
		if err != nil {
			return nil, err
		}
		load.lanes = append(load.lanes, func(l *lane) error {
			r := &requests{frames: frames, since: make([]time.Time, shape.inFlight)}
			return r.untilStopped(l, c, int64(shape.perRequest*len(batch)))
		})
	}
	return load, nil
}

// disconnect closes the connections and leaves the topic.
func (load *Load) disconnect() {
	for _, c := range load.conns {
		c.Close()
	}
}

func scaleFrame(t *topic, first, end int, batch record.Batch) ([]byte, error) {
	rq, err := produceRequest(t.id, int32(first), batch)
	if err != nil {
		return nil, err
	}
	data := &rq.TopicData[0]
	for p := first + 1; p < end; p++ {
		data.PartitionData = append(data.PartitionData, wire.ProduceRequestPartitionProduceData{Index: int32(p), Records: batch})
	}
	return encode(rq, produceVersion, 0)
}

// requests is what one connection sends, in turn.
type requests struct {
	frames         [][]byte
	sent, answered int32
	since          []time.Time
	batch          []byte
	answer         []byte
}

func (r *requests) untilStopped(l *lane, c *conn, bytes int64) error {
	in := bufio.NewReaderSize(c, 64<<10)
	if err := r.send(c, len(r.since)); err != nil {
		return err
	}
	for r.answered < r.sent {
		n := 0
		for n == 0 || in.Buffered() >= 4 && r.answered < r.sent {
			if err := r.takeAnswer(l, in); err != nil {
				return err
			}
			n++
		}
		l.done(int64(n), int64(n)*bytes)
		if l.stopping.Load() {
			continue
		}
		if err := r.send(c, n); err != nil {
			return err
		}
	}
	return nil
}

// send writes n requests at once.
func (r *requests) send(to io.Writer, n int) error {
	now := time.Now()
	r.batch = r.batch[:0]
	for range n {
		frame := r.frames[int(r.sent)%len(r.frames)]
		setCorrelation(frame, r.sent)
		r.batch = append(r.batch, frame...)
		r.since[int(r.sent)%len(r.since)] = now
		r.sent++
	}
	_, err := to.Write(r.batch)
	return err
}

func (r *requests) takeAnswer(l *lane, in *bufio.Reader) error {
	var err error
	if r.answer, err = appendFrame(r.answer[:0], in); err != nil {
		return err
	}
	if err := checkProduce(r.answer, r.answered); err != nil {
		return err
	}
	if len(r.answer) > produceAnswer { // more than one partition: look at each
		if err := checkAll(r.answer); err != nil {
			return err
		}
	}
	l.took(time.Since(r.since[int(r.answered)%len(r.since)]))
	r.answered++
	return nil
}

// produceAnswer is longer than an answer about one partition.
const produceAnswer = 100

func checkAll(answer []byte) error {
	var head wire.ResponseHeader
	var rs wire.ProduceResponse
	in := wire.NewReader(answer)
	if err := head.Decode(in, wire.ResponseHeaderVersion(rs.Key(), produceVersion)); err != nil {
		return err
	}
	if err := rs.Decode(in, produceVersion); err != nil {
		return err
	}
	for _, p := range rs.Responses[0].PartitionResponses {
		if p.ErrorCode != 0 {
			return fmt.Errorf("the broker answered Produce with error code %d", p.ErrorCode)
		}
	}
	return nil
}

// fill writes so many bytes to the partitions of a topic, evenly, in requests of 64 KB to each.
func (s *scale) fill(ctx context.Context, t *topic, bytes int64) error {
	batch := batchOf(recordsPer64KB)
	rounds := int(bytes/int64(len(batch))/int64(t.partitions)) + 1
	c, err := dial(ctx, s.broker.Addr())
	if err != nil {
		return err
	}
	defer c.Close()
	for range rounds {
		const perRequest = 10
		for first := 0; first < int(t.partitions); first += perRequest {
			frame, err := scaleFrame(t, first, min(first+perRequest, int(t.partitions)), batch)
			if err != nil {
				return err
			}
			if _, err := c.Write(frame); err != nil {
				return err
			}
			answer, err := readFrame(c)
			if err != nil {
				return err
			}
			if err := checkAll(answer); err != nil {
				return err
			}
		}
	}
	return nil
}
