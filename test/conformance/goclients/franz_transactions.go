package main

import (
	"context"
	"errors"
	"os"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// franzTransactions are kgo's transactions. kgo's own way to commit offsets in them is its GroupTransactSession, which its own
// tests use; here they are committed with the requests that a session sends.
type franzTransactions struct {
	addr string
}

type franzProducer struct {
	cl *kgo.Client
	id string
}

func (f franzTransactions) producer(ctx context.Context, id string) (transactions, error) {
	cl, err := kgo.NewClient(kgo.SeedBrokers(servers(f.addr)...), kgo.TransactionalID(id), kgo.DefaultProduceTopic(os.Getenv("OUT")), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		return nil, err
	}
	_, _, err = cl.ProducerID(ctx)
	return &franzProducer{cl, id}, err
}

func (f franzTransactions) fenced(err error) bool {
	return errors.Is(err, kerr.ProducerFenced) || errors.Is(err, kerr.InvalidProducerEpoch)
}

func (p *franzProducer) begin() error { return p.cl.BeginTransaction() }

func (p *franzProducer) send(ctx context.Context, partition int, value string) error {
	return p.cl.ProduceSync(ctx, &kgo.Record{Partition: int32(partition), Value: []byte(value)}).FirstErr()
}

func (p *franzProducer) flush(ctx context.Context) error { return p.cl.Flush(ctx) }

func (p *franzProducer) offsets(ctx context.Context, topic, group string, next map[int]int64, r committedReader) error {
	id, epoch, err := p.cl.ProducerID(ctx)
	if err != nil {
		return err
	}
	member, generation := r.(*franzReader).cl.GroupMetadata()
	add := kmsg.NewPtrAddOffsetsToTxnRequest()
	add.TransactionalID, add.ProducerID, add.ProducerEpoch, add.Group = p.id, id, epoch, group
	added, err := add.RequestWith(ctx, p.cl)
	if err != nil {
		return err
	}
	commit := kmsg.NewPtrTxnOffsetCommitRequest()
	commit.TransactionalID, commit.ProducerID, commit.ProducerEpoch, commit.Group, commit.MemberID, commit.Generation = p.id, id, epoch, group, member, generation
	t := kmsg.NewTxnOffsetCommitRequestTopic()
	t.Topic = topic
	for partition, offset := range next {
		one := kmsg.NewTxnOffsetCommitRequestTopicPartition()
		one.Partition, one.Offset = int32(partition), offset
		t.Partitions = append(t.Partitions, one)
	}
	commit.Topics = append(commit.Topics, t)
	committed, err := commit.RequestWith(ctx, p.cl)
	if err != nil {
		return err
	}
	err = kerr.ErrorForCode(added.ErrorCode)
	for _, t := range committed.Topics {
		for _, one := range t.Partitions {
			err = errors.Join(err, kerr.ErrorForCode(one.ErrorCode))
		}
	}
	return err
}

func (p *franzProducer) commit(ctx context.Context) error {
	return p.cl.EndTransaction(ctx, kgo.TryCommit)
}
func (p *franzProducer) abort(ctx context.Context) error {
	return p.cl.EndTransaction(ctx, kgo.TryAbort)
}

type franzReader struct {
	cl    *kgo.Client
	topic string
}

func (f franzTransactions) reader(_ context.Context, topic, group string) (committedReader, error) {
	cl, err := kgo.NewClient(kgo.SeedBrokers(servers(f.addr)...), kgo.ConsumerGroup(group), kgo.ConsumeTopics(topic), kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.DisableAutoCommit(), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	return &franzReader{cl, topic}, err
}

func (r *franzReader) poll(ctx context.Context) ([]value, error) {
	ctx, cancel := context.WithTimeout(ctx, pollTime)
	defer cancel()
	var got []value
	fetches := r.cl.PollRecords(ctx, 10)
	fetches.EachRecord(func(r *kgo.Record) {
		got = append(got, value{place{int(r.Partition), r.Offset}, string(r.Value)})
	})
	if err := fetches.Err(); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return nil, err
	}
	return got, nil
}

func (r *franzReader) seek(next map[int]int64) {
	offsets := map[int32]kgo.EpochOffset{}
	for p, o := range next {
		offsets[int32(p)] = kgo.EpochOffset{Epoch: -1, Offset: o}
	}
	r.cl.SetOffsets(map[string]map[int32]kgo.EpochOffset{r.topic: offsets})
}

func (r *franzReader) leave() error {
	r.cl.Close()
	return nil
}
