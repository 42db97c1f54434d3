package main

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

const pollTime = 200 * time.Millisecond

// franz is twmb/franz-go.
type franz struct {
	addr  string
	admin *kadm.Client
}

func newFranz(addr string) (client, error) {
	cl, err := kgo.NewClient(kgo.SeedBrokers(servers(addr)...))
	if err != nil {
		return nil, err
	}
	return &franz{addr, kadm.NewClient(cl)}, nil
}

func (f *franz) create(ctx context.Context, topic string, partitions int) error {
	_, err := f.admin.CreateTopic(ctx, int32(partitions), int16(replication()), nil, topic)
	return err
}

func (f *franz) partitions(ctx context.Context, topic string) (int, error) {
	details, err := f.admin.ListTopics(ctx, topic)
	return len(details[topic].Partitions), err
}

func (f *franz) grow(ctx context.Context, topic string, total int) error {
	answers, err := f.admin.UpdatePartitions(ctx, total, topic)
	return errors.Join(err, answers.Error())
}

func (f *franz) configure(ctx context.Context, topic, name, value string) error {
	answers, err := f.admin.AlterTopicConfigs(ctx, []kadm.AlterConfig{{Op: kadm.SetConfig, Name: name, Value: &value}}, topic)
	for _, a := range answers {
		err = errors.Join(err, a.Err)
	}
	return err
}

func (f *franz) send(ctx context.Context, topic string, messages []message) ([]place, error) {
	cl, err := kgo.NewClient(kgo.SeedBrokers(servers(f.addr)...), kgo.RecordPartitioner(byKeyOrManual()), kgo.ProducerBatchMaxBytes(10<<20),
		kgo.ProducerBatchCompression(kgo.NoCompression()))
	if err != nil {
		return nil, err
	}
	defer cl.Close()
	var records []*kgo.Record
	for _, m := range messages {
		records = append(records, &kgo.Record{Topic: topic, Key: []byte(m.key), Value: m.value, Partition: int32(m.partition)})
	}
	err = cl.ProduceSync(ctx, records...).FirstErr()
	if errors.Is(err, kerr.MessageTooLarge) {
		return nil, errTooLarge
	}
	var places []place
	for _, r := range records {
		places = append(places, place{int(r.Partition), r.Offset})
	}
	return places, err
}

// byKeyOrManual takes the partition that a record names, or hashes its key.
func byKeyOrManual() kgo.Partitioner {
	byKey := kgo.StickyKeyPartitioner(nil)
	return kgo.BasicConsistentPartitioner(func(topic string) func(*kgo.Record, int) int {
		hashed := byKey.ForTopic(topic)
		return func(r *kgo.Record, n int) int {
			if r.Partition != anyPartition {
				return int(r.Partition)
			}
			return hashed.Partition(r, n)
		}
	})
}

func (f *franz) committed(ctx context.Context, topic, group string) (map[int]int64, error) {
	offsets, err := f.admin.FetchOffsets(ctx, group)
	found := map[int]int64{}
	offsets.Each(func(o kadm.OffsetResponse) {
		if o.Topic == topic && o.At >= 0 {
			found[int(o.Partition)] = o.At
		}
	})
	return found, err
}

type franzMember struct {
	cl    *kgo.Client
	admin *kadm.Client
	topic string
	group string
	mu    struct {
		sync.Mutex
		held    map[int32]bool
		settled bool
	}
}

func (f *franz) join(_ context.Context, topic, group string, fromEnd bool) (member, error) {
	m := &franzMember{topic: topic, group: group}
	m.mu.held = map[int32]bool{}
	reset := kgo.NewOffset().AtStart()
	if fromEnd {
		reset = kgo.NewOffset().AtEnd()
	}
	change := func(add bool) func(context.Context, *kgo.Client, map[string][]int32) {
		return func(_ context.Context, _ *kgo.Client, parts map[string][]int32) {
			m.mu.Lock()
			defer m.mu.Unlock()
			for _, p := range parts[topic] {
				if add {
					m.mu.held[p] = true
				} else {
					delete(m.mu.held, p)
				}
			}
			m.mu.settled = m.mu.settled || add
		}
	}
	cl, err := kgo.NewClient(kgo.SeedBrokers(servers(f.addr)...), kgo.ConsumerGroup(group), kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(reset), kgo.DisableAutoCommit(),
		kgo.HeartbeatInterval(500*time.Millisecond), kgo.SessionTimeout(10*time.Second), kgo.FetchMaxPartitionBytes(4<<20), kgo.FetchMaxWait(pollTime), kgo.MetadataMinAge(50*time.Millisecond),
		kgo.OnPartitionsAssigned(change(true)), kgo.OnPartitionsRevoked(change(false)), kgo.OnPartitionsLost(change(false)))
	if err != nil {
		return nil, err
	}
	m.cl, m.admin = cl, kadm.NewClient(cl)
	return m, nil
}

func (m *franzMember) poll(ctx context.Context) ([]received, error) {
	ctx, cancel := context.WithTimeout(ctx, pollTime)
	defer cancel()
	fetches := m.cl.PollFetches(ctx)
	var got []received
	var err error
	fetches.EachError(func(_ string, _ int32, e error) {
		if !errors.Is(e, context.DeadlineExceeded) && !errors.Is(e, context.Canceled) {
			err = errors.Join(err, e)
		}
	})
	fetches.EachRecord(func(r *kgo.Record) {
		one, e := decode(int(r.Partition), r.Offset, r.Key, r.Value)
		got, err = append(got, one), errors.Join(err, e)
	})
	return got, err
}

func (m *franzMember) commit(ctx context.Context, next map[int]int64) error {
	offsets := map[int32]kgo.EpochOffset{}
	for p, o := range next {
		offsets[int32(p)] = kgo.EpochOffset{Epoch: -1, Offset: o}
	}
	return commitSync(ctx, m.cl, map[string]map[int32]kgo.EpochOffset{m.topic: offsets})
}

func (m *franzMember) assigned() ([]int, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var held []int
	for p := range m.mu.held {
		held = append(held, int(p))
	}
	return held, m.mu.settled
}

func (m *franzMember) leave() error {
	m.cl.Close()
	return nil
}
