package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"
)

// segmentio is segmentio/kafka-go: its Writer, its ConsumerGroup with one Reader per partition, its Client for the rest.
type segmentio struct {
	addr   string
	client *kafka.Client
}

func newSegmentio(addr string) (client, error) {
	return &segmentio{addr, &kafka.Client{Addr: kafka.TCP(servers(addr)...), Timeout: 20 * time.Second}}, nil
}

func (s *segmentio) create(ctx context.Context, topic string, partitions int) error {
	answer, err := s.client.CreateTopics(ctx, &kafka.CreateTopicsRequest{Topics: []kafka.TopicConfig{{Topic: topic, NumPartitions: partitions, ReplicationFactor: replication()}}})
	if err == nil {
		err = answer.Errors[topic]
	}
	for _, server := range servers(s.addr) {
		if err == nil {
			err = awaitTopic(ctx, server, topic)
		}
	}
	return err
}

// awaitTopic waits until a broker knows a topic that was created at another: each hears of it for itself, and the Writer takes the first
// answer for final.
func awaitTopic(ctx context.Context, server, topic string) error {
	for {
		fresh := &kafka.Transport{} // one that has been used answers from what it remembers
		at := kafka.Client{Addr: kafka.TCP(server), Timeout: 20 * time.Second, Transport: fresh}
		answer, err := at.Metadata(ctx, &kafka.MetadataRequest{Topics: []string{topic}})
		fresh.CloseIdleConnections()
		if err != nil || answer.Topics[0].Error == nil {
			return err
		}
		if !errors.Is(answer.Topics[0].Error, kafka.UnknownTopicOrPartition) && !errors.Is(answer.Topics[0].Error, kafka.LeaderNotAvailable) {
			return answer.Topics[0].Error
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func (s *segmentio) partitions(ctx context.Context, topic string) (int, error) {
	answer, err := s.client.Metadata(ctx, &kafka.MetadataRequest{Topics: []string{topic}})
	if err != nil {
		return 0, err
	}
	return len(answer.Topics[0].Partitions), nil
}

func (s *segmentio) grow(ctx context.Context, topic string, total int) error {
	answer, err := s.client.CreatePartitions(ctx, &kafka.CreatePartitionsRequest{Topics: []kafka.TopicPartitionsConfig{{Name: topic, Count: int32(total)}}})
	if err != nil {
		return err
	}
	return answer.Errors[topic]
}

func (s *segmentio) configure(ctx context.Context, topic, name, value string) error {
	answer, err := s.client.IncrementalAlterConfigs(ctx, &kafka.IncrementalAlterConfigsRequest{Resources: []kafka.IncrementalAlterConfigsRequestResource{{
		ResourceType: kafka.ResourceTypeTopic, ResourceName: topic,
		Configs: []kafka.IncrementalAlterConfigsRequestConfig{{Name: name, Value: value, ConfigOperation: kafka.ConfigOperationSet}},
	}}})
	if err != nil {
		return err
	}
	return answer.Resources[0].Error
}

// target travels with a message to the balancer and back from the completion.
type target struct{ index, partition int }

func (s *segmentio) send(ctx context.Context, topic string, messages []message) ([]place, error) {
	var (
		mu     sync.Mutex
		places = make([]place, len(messages))
		hash   kafka.Hash
	)
	w := &kafka.Writer{
		// A transport of its own: the default one keeps the partitions of a topic for six seconds.
		Addr: kafka.TCP(servers(s.addr)...), Topic: topic, RequiredAcks: kafka.RequireAll, BatchTimeout: 10 * time.Millisecond, BatchBytes: 10 << 20, MaxAttempts: 2, Transport: &kafka.Transport{},
		Balancer: kafka.BalancerFunc(func(m kafka.Message, partitions ...int) int {
			if to := m.WriterData.(target); to.partition != anyPartition {
				return to.partition
			}
			return hash.Balance(m, partitions...)
		}),
		Completion: func(done []kafka.Message, err error) {
			mu.Lock()
			defer mu.Unlock()
			for _, m := range done {
				places[m.WriterData.(target).index] = place{m.Partition, m.Offset}
			}
		},
	}
	defer w.Close()
	var out []kafka.Message
	for i, m := range messages {
		out = append(out, kafka.Message{Key: []byte(m.key), Value: m.value, WriterData: target{i, m.partition}})
	}
	if err := w.WriteMessages(ctx, out...); err != nil {
		if failed, ok := errors.AsType[kafka.WriteErrors](err); ok && errors.Is(failed[0], kafka.MessageSizeTooLarge) {
			return nil, errTooLarge
		}
		return nil, err
	}
	mu.Lock()
	defer mu.Unlock()
	return places, nil
}

func (s *segmentio) committed(ctx context.Context, topic, group string) (map[int]int64, error) {
	n, err := s.partitions(ctx, topic)
	if err != nil {
		return nil, err
	}
	var all []int
	for p := range n {
		all = append(all, p)
	}
	answer, err := s.client.OffsetFetch(ctx, &kafka.OffsetFetchRequest{GroupID: group, Topics: map[string][]int{topic: all}})
	if err != nil {
		return nil, err
	}
	found := map[int]int64{}
	for _, p := range answer.Topics[topic] {
		if p.CommittedOffset >= 0 {
			found[p.Partition] = p.CommittedOffset
		}
	}
	return found, answer.Error
}

type segmentioMember struct {
	addr, topic string
	group       *kafka.ConsumerGroup
	records     chan kafka.Message
	stop        context.CancelFunc
	ended       sync.WaitGroup
	mu          struct {
		sync.Mutex
		generation *kafka.Generation // nil between generations
		err        error
	}
}

func (s *segmentio) join(_ context.Context, topic, group string, fromEnd bool) (member, error) {
	start := kafka.FirstOffset
	if fromEnd {
		start = kafka.LastOffset
	}
	g, err := kafka.NewConsumerGroup(kafka.ConsumerGroupConfig{
		ID: group, Brokers: servers(s.addr), Topics: []string{topic}, StartOffset: start, HeartbeatInterval: 500 * time.Millisecond, SessionTimeout: 10 * time.Second,
		JoinGroupBackoff: 100 * time.Millisecond,
	})
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	m := &segmentioMember{addr: s.addr, topic: topic, group: g, records: make(chan kafka.Message), stop: stop}
	m.ended.Go(func() { m.follow(ctx) })
	return m, nil
}

// follow goes from generation to generation; in each it reads the assigned partitions.
func (m *segmentioMember) follow(ctx context.Context) {
	for ctx.Err() == nil {
		g, err := m.group.Next(ctx)
		if err != nil {
			continue // the next generation comes; a group that never settles ends the step's time
		}
		m.set(g, nil)
		for _, a := range g.Assignments[m.topic] {
			g.Start(func(ctx context.Context) { m.set(nil, m.read(ctx, a)) })
		}
		g.Start(func(ctx context.Context) {
			<-ctx.Done()
			m.set(nil, nil)
		})
	}
}

func (m *segmentioMember) set(g *kafka.Generation, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.mu.generation = g
	m.mu.err = errors.Join(m.mu.err, err)
}

func (m *segmentioMember) read(ctx context.Context, a kafka.PartitionAssignment) error {
	r := kafka.NewReader(kafka.ReaderConfig{Brokers: servers(m.addr), Topic: m.topic, Partition: a.ID, MaxWait: pollTime, MaxBytes: 4 << 20, ReadBackoffMin: 10 * time.Millisecond})
	defer r.Close()
	if err := r.SetOffset(a.Offset); err != nil {
		return err
	}
	for {
		record, err := r.ReadMessage(ctx)
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("partition %d: %w", a.ID, err)
		}
		select {
		case m.records <- record:
		case <-ctx.Done():
			return nil
		}
	}
}

func (m *segmentioMember) poll(ctx context.Context) ([]received, error) {
	ctx, cancel := context.WithTimeout(ctx, pollTime)
	defer cancel()
	var got []received
	for len(got) < 25 {
		select {
		case r := <-m.records:
			one, err := decode(r.Partition, r.Offset, r.Key, r.Value)
			if err != nil {
				return nil, err
			}
			got = append(got, one)
		case <-ctx.Done():
			m.mu.Lock()
			defer m.mu.Unlock()
			return got, m.mu.err
		}
	}
	return got, nil
}

func (m *segmentioMember) commit(_ context.Context, next map[int]int64) error {
	m.mu.Lock()
	g := m.mu.generation
	m.mu.Unlock()
	if g == nil {
		return errors.New("no generation")
	}
	return g.CommitOffsets(map[string]map[int]int64{m.topic: next})
}

func (m *segmentioMember) assigned() ([]int, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.mu.generation == nil {
		return nil, false
	}
	var held []int
	for _, a := range m.mu.generation.Assignments[m.topic] {
		held = append(held, a.ID)
	}
	return held, true
}

func (m *segmentioMember) leave() error {
	m.stop()
	err := m.group.Close()
	m.ended.Wait()
	return err
}
