package main

import (
	"context"
	"fmt"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/wire"
)

// A topic of one load.
type topic struct {
	name       string
	id         kafka.UUID
	partitions int32
	conn       *conn
}

const topicLimit = 60 * time.Second

// createTopic creates a topic with one replica and returns when all of its partitions have a leader that serves.
func createTopic(ctx context.Context, addr, name string, partitions int32, configs map[string]string) (*topic, error) {
	c, err := dial(ctx, addr)
	if err != nil {
		return nil, err
	}
	t := &topic{name: name, partitions: partitions, conn: c}
	refused, err := t.request(1, configs)
	if err == nil {
		err = refused
	}
	if err == nil {
		err = t.awaitLeaders(ctx)
	}
	if err != nil {
		c.Close()
		return nil, err
	}
	return t, nil
}

// request asks once for the topic, with so many replicas. refused is the broker's error.
func (t *topic) request(replicas int16, configs map[string]string) (refused, err error) {
	creatable := wire.CreateTopicsRequestCreatableTopic{Name: t.name, NumPartitions: t.partitions, ReplicationFactor: replicas}
	for key, value := range configs {
		creatable.Configs = append(creatable.Configs, wire.CreateTopicsRequestCreatableTopicConfig{Name: key, Value: &value})
	}
	rq := wire.CreateTopicsRequest{Topics: []wire.CreateTopicsRequestCreatableTopic{creatable}, TimeoutMs: int32(topicLimit.Milliseconds())}
	var rs wire.CreateTopicsResponse
	if err := t.conn.ask(7, &rq, &rs); err != nil {
		return nil, fmt.Errorf("create topic %s: %w", t.name, err)
	}
	if len(rs.Topics) != 1 || rs.Topics[0].ErrorCode != 0 {
		return fmt.Errorf("create topic %s: the broker answered %+v", t.name, rs.Topics), nil
	}
	t.id = rs.Topics[0].TopicID
	return nil, nil
}

// awaitLeaders returns when the broker serves every partition.
func (t *topic) awaitLeaders(ctx context.Context) error {
	var all []int32
	for p := range t.partitions {
		all = append(all, p)
	}
	return awaitServing(ctx, t.conn, t.name, all)
}

// awaitServing asks a broker for the end offsets of partitions until each has one.
func awaitServing(ctx context.Context, c *conn, topic string, partitions []int32) error {
	ctx, cancel := context.WithTimeout(ctx, topicLimit)
	defer cancel()
	rq := wire.ListOffsetsRequest{ReplicaID: -1, Topics: []wire.ListOffsetsRequestListOffsetsTopic{{Name: topic}}}
	for _, p := range partitions {
		rq.Topics[0].Partitions = append(rq.Topics[0].Partitions,
			wire.ListOffsetsRequestListOffsetsPartition{PartitionIndex: p, CurrentLeaderEpoch: -1, Timestamp: -1})
	}
	for {
		var rs wire.ListOffsetsResponse
		if err := c.ask(7, &rq, &rs); err != nil {
			return fmt.Errorf("offsets of topic %s: %w", topic, err)
		}
		serving := 0
		for _, partition := range rs.Topics[0].Partitions {
			if partition.ErrorCode == 0 {
				serving++
			}
		}
		if serving == len(partitions) {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("topic %s: %d of %d partitions have a leader: %w", topic, serving, len(partitions), ctx.Err())
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// delete deletes the topic and closes its connection.
func (t *topic) delete() error {
	defer t.conn.Close()
	rq := wire.DeleteTopicsRequest{TimeoutMs: int32(topicLimit.Milliseconds()), Topics: []wire.DeleteTopicsRequestDeleteTopicState{{TopicID: t.id}}}
	var rs wire.DeleteTopicsResponse
	if err := t.conn.ask(6, &rq, &rs); err != nil {
		return fmt.Errorf("delete topic %s: %w", t.name, err)
	}
	if len(rs.Responses) != 1 || rs.Responses[0].ErrorCode != 0 {
		return fmt.Errorf("delete topic %s: the broker answered %+v", t.name, rs.Responses)
	}
	return nil
}

// acknowledgeOne creates a topic and returns when one record in it is acknowledged.
func acknowledgeOne(ctx context.Context, addr string) error {
	t, err := createTopic(ctx, addr, "first", 1, nil)
	if err != nil {
		return err
	}
	defer t.conn.Close()
	rq, err := produceRequest(t.id, 0, batchOf(1))
	if err != nil {
		return err
	}
	var rs wire.ProduceResponse
	if err := t.conn.ask(produceVersion, rq, &rs); err != nil {
		return err
	}
	if code := rs.Responses[0].PartitionResponses[0].ErrorCode; code != 0 {
		return fmt.Errorf("the first record was answered with error code %d", code)
	}
	return nil
}

// reconnect is for a broker that was started again.
func (t *topic) reconnect(ctx context.Context, addr string) (err error) {
	t.conn.Close()
	t.conn, err = dial(ctx, addr)
	return err
}
