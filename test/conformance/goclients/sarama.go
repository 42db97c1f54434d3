package main

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/IBM/sarama"
)

// saramaClient is IBM/sarama.
type saramaClient struct {
	addr   string
	client sarama.Client
	admin  sarama.ClusterAdmin
}

func newSarama(addr string) (client, error) {
	cl, err := sarama.NewClient(servers(addr), saramaConfig())
	if err != nil {
		return nil, err
	}
	admin, err := sarama.NewClusterAdminFromClient(cl)
	return &saramaClient{addr, cl, admin}, err
}

func saramaConfig() *sarama.Config {
	c := sarama.NewConfig()
	c.Version = sarama.MaxVersion
	c.Producer.RequiredAcks = sarama.WaitForAll
	c.Producer.Return.Successes = true
	c.Producer.MaxMessageBytes = 10 << 20
	c.Consumer.Fetch.Default = 4 << 20
	c.Consumer.MaxWaitTime = pollTime
	c.Consumer.Group.Heartbeat.Interval = 500 * time.Millisecond
	c.Consumer.Group.Session.Timeout = 10 * time.Second
	c.Consumer.Offsets.AutoCommit.Enable = false
	c.Consumer.Offsets.Initial = sarama.OffsetOldest
	return c
}

func (s *saramaClient) create(_ context.Context, topic string, partitions int) error {
	return s.admin.CreateTopic(topic, &sarama.TopicDetail{NumPartitions: int32(partitions), ReplicationFactor: int16(replication())}, false)
}

func (s *saramaClient) partitions(_ context.Context, topic string) (int, error) {
	topics, err := s.admin.DescribeTopics([]string{topic})
	if err != nil || topics[0].Err != sarama.ErrNoError {
		return 0, err
	}
	return len(topics[0].Partitions), nil
}

func (s *saramaClient) grow(_ context.Context, topic string, total int) error {
	return s.admin.CreatePartitions(topic, int32(total), nil, false)
}

func (s *saramaClient) configure(_ context.Context, topic, name, value string) error {
	entries := map[string]sarama.IncrementalAlterConfigsEntry{name: {Operation: sarama.IncrementalAlterConfigsOperationSet, Value: &value}}
	return s.admin.IncrementalAlterConfig(sarama.TopicResource, topic, entries, false)
}

func (s *saramaClient) send(_ context.Context, topic string, messages []message) ([]place, error) {
	c := saramaConfig()
	if messages[0].partition != anyPartition {
		c.Producer.Partitioner = sarama.NewManualPartitioner
	}
	p, err := sarama.NewSyncProducer(servers(s.addr), c)
	if err != nil {
		return nil, err
	}
	defer p.Close()
	var out []*sarama.ProducerMessage
	for _, m := range messages {
		out = append(out, &sarama.ProducerMessage{Topic: topic, Key: sarama.StringEncoder(m.key), Value: sarama.ByteEncoder(m.value), Partition: int32(m.partition)})
	}
	if err := p.SendMessages(out); err != nil {
		failed, _ := errors.AsType[sarama.ProducerErrors](err)
		if len(failed) > 0 && errors.Is(failed[0], sarama.ErrMessageSizeTooLarge) {
			return nil, errTooLarge
		}
		return nil, err
	}
	var places []place
	for _, m := range out {
		places = append(places, place{int(m.Partition), m.Offset})
	}
	return places, nil
}

func (s *saramaClient) committed(_ context.Context, topic, group string) (map[int]int64, error) {
	answer, err := s.admin.ListConsumerGroupOffsets(group, nil)
	if err != nil {
		return nil, err
	}
	found := map[int]int64{}
	for p, block := range answer.Blocks[topic] {
		if block.Offset >= 0 {
			found[int(p)] = block.Offset
		}
	}
	return found, nil
}

// A saramaMember is a sarama.ConsumerGroupHandler whose sessions hand their records to poll.
type saramaMember struct {
	group   sarama.ConsumerGroup
	topic   string
	records chan *sarama.ConsumerMessage
	stop    context.CancelFunc
	ended   sync.WaitGroup
	mu      struct {
		sync.Mutex
		session sarama.ConsumerGroupSession // nil between sessions
		err     error
	}
}

func (s *saramaClient) join(_ context.Context, topic, group string, fromEnd bool) (member, error) {
	c := saramaConfig()
	if fromEnd {
		c.Consumer.Offsets.Initial = sarama.OffsetNewest
	}
	g, err := sarama.NewConsumerGroup(servers(s.addr), group, c)
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	m := &saramaMember{group: g, topic: topic, records: make(chan *sarama.ConsumerMessage), stop: stop}
	m.ended.Go(func() {
		for ctx.Err() == nil {
			if err := g.Consume(ctx, []string{topic}, m); err != nil && ctx.Err() == nil {
				m.mu.Lock()
				m.mu.err = err
				m.mu.Unlock()
			}
		}
	})
	return m, nil
}

func (m *saramaMember) Setup(s sarama.ConsumerGroupSession) error   { m.set(s); return nil }
func (m *saramaMember) Cleanup(s sarama.ConsumerGroupSession) error { m.set(nil); return nil }

func (m *saramaMember) set(s sarama.ConsumerGroupSession) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.mu.session = s
}

func (m *saramaMember) ConsumeClaim(s sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	for r := range claim.Messages() {
		select {
		case m.records <- r:
		case <-s.Context().Done():
			return nil
		}
	}
	return nil
}

func (m *saramaMember) poll(ctx context.Context) ([]received, error) {
	ctx, cancel := context.WithTimeout(ctx, pollTime)
	defer cancel()
	var got []received
	for len(got) < 25 {
		select {
		case r := <-m.records:
			one, err := decode(int(r.Partition), r.Offset, r.Key, r.Value)
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

func (m *saramaMember) commit(_ context.Context, next map[int]int64) error {
	m.mu.Lock()
	s := m.mu.session
	m.mu.Unlock()
	if s == nil {
		return errors.New("no session")
	}
	for p, o := range next {
		s.MarkOffset(m.topic, int32(p), o, "")
	}
	s.Commit()
	return nil
}

func (m *saramaMember) assigned() ([]int, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.mu.session == nil {
		return nil, false
	}
	var held []int
	for _, p := range m.mu.session.Claims()[m.topic] {
		held = append(held, int(p))
	}
	return held, true
}

func (m *saramaMember) leave() error {
	m.stop()
	m.ended.Wait()
	return m.group.Close()
}
