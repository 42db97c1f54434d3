package main

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/IBM/sarama"
)

// saramaTransactions are sarama's transactions.
type saramaTransactions struct {
	addr string
}

type saramaProducer struct {
	p sarama.SyncProducer
}

func (s saramaTransactions) producer(_ context.Context, id string) (transactions, error) {
	c := saramaConfig()
	c.Producer.Idempotent = true
	c.Producer.Transaction.ID = id
	c.Producer.Transaction.Retry.Max, c.Producer.Transaction.Retry.Backoff = 300, 100*time.Millisecond
	c.Producer.Retry.Max, c.Producer.Retry.Backoff = 300, 100*time.Millisecond
	c.Net.MaxOpenRequests = 1
	c.Producer.Partitioner = sarama.NewManualPartitioner
	p, err := sarama.NewSyncProducer(servers(s.addr), c)
	return &saramaProducer{p}, err
}

func (s saramaTransactions) fenced(err error) bool {
	return errors.Is(err, sarama.ErrProducerFenced) || errors.Is(err, sarama.ErrInvalidProducerEpoch)
}

func (p *saramaProducer) begin() error { return p.p.BeginTxn() }

func (p *saramaProducer) send(_ context.Context, partition int, value string) error {
	_, _, err := p.p.SendMessage(&sarama.ProducerMessage{Topic: os.Getenv("OUT"), Partition: int32(partition), Value: sarama.StringEncoder(value)})
	return err
}

func (p *saramaProducer) flush(context.Context) error { return nil }

func (p *saramaProducer) offsets(_ context.Context, topic, group string, next map[int]int64, _ committedReader) error {
	var offsets []*sarama.PartitionOffsetMetadata
	for partition, offset := range next {
		offsets = append(offsets, &sarama.PartitionOffsetMetadata{Partition: int32(partition), Offset: offset})
	}
	return p.p.AddOffsetsToTxn(map[string][]*sarama.PartitionOffsetMetadata{topic: offsets}, group)
}

func (p *saramaProducer) commit(context.Context) error { return p.p.CommitTxn() }
func (p *saramaProducer) abort(context.Context) error  { return p.p.AbortTxn() }

// A saramaReader reads both partitions of a topic itself: a group of sarama's has no way back to an offset within a session. The
// group's offsets are those that transactions commit.
type saramaReader struct {
	consumer   sarama.Consumer
	topic      string
	partitions map[int]sarama.PartitionConsumer
	err        error // of a seek
}

func (s saramaTransactions) reader(_ context.Context, topic, _ string) (committedReader, error) {
	c := saramaConfig()
	c.Consumer.IsolationLevel = sarama.ReadCommitted
	consumer, err := sarama.NewConsumer(servers(s.addr), c)
	if err != nil {
		return nil, err
	}
	r := &saramaReader{consumer: consumer, topic: topic, partitions: map[int]sarama.PartitionConsumer{}}
	r.seek(map[int]int64{0: 0, 1: 0})
	return r, r.err
}

func (r *saramaReader) seek(next map[int]int64) {
	for p, offset := range next {
		if r.partitions[p] != nil {
			r.err = errors.Join(r.err, r.partitions[p].Close())
		}
		var err error
		r.partitions[p], err = r.consumer.ConsumePartition(r.topic, int32(p), offset)
		r.err = errors.Join(r.err, err)
	}
}

func (r *saramaReader) poll(ctx context.Context) ([]value, error) {
	ctx, cancel := context.WithTimeout(ctx, pollTime)
	defer cancel()
	var got []value
	for len(got) < 10 && r.err == nil {
		var m *sarama.ConsumerMessage
		select {
		case m = <-r.partitions[0].Messages():
		case m = <-r.partitions[1].Messages():
		case <-ctx.Done():
			return got, nil
		}
		got = append(got, value{place{int(m.Partition), m.Offset}, string(m.Value)})
	}
	return got, r.err
}

func (r *saramaReader) leave() error {
	for _, p := range r.partitions {
		r.err = errors.Join(r.err, p.Close())
	}
	return errors.Join(r.err, r.consumer.Close())
}
