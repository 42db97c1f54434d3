package differential

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/wire"
)

// The commands of this file set the stage. Their answers are not compared: they wait until a broker is where the scenario
// wants it, however long each broker takes for that.

const (
	stageLimit = 30 * time.Second
	stagePause = 10 * time.Millisecond
)

// until repeats a request until good says so.
func (r *run) until(version int16, request wire.Message, good func(wire.Message) bool) error {
	deadline := time.Now().Add(stageLimit)
	for {
		answer, err := r.exchange(version, request)
		if err != nil {
			return err
		}
		if good(answer) {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("not within %v; the last answer: %v", stageLimit, leaves(answer, newNames(r.addr, r.now)))
		}
		time.Sleep(stagePause)
	}
}

// exchange asks on a connection of the stage's own.
func (r *run) exchange(version int16, request wire.Message) (wire.Message, error) {
	before := r.on
	r.on = "stage"
	defer func() { r.on = before }()
	connection, err := r.connection()
	if err != nil {
		return nil, err
	}
	frame, err := connection.frame(version, request)
	if err != nil {
		return nil, err
	}
	if err := connection.write(frame, request.Key(), version, true); err != nil {
		return nil, err
	}
	o := connection.read(patience)
	if o.says != "" {
		return nil, fmt.Errorf("%T version %d: %s", request, version, o.says)
	}
	return o.answer, nil
}

// topic creates a topic, "topic NAME PARTITIONS [config=value ...]", and waits until the broker leads its partitions. Its id
// is then in $NAME (with _ for - and .).
func (r *run) topic(words []string) error {
	partitions, err := strconv.Atoi(words[1])
	if err != nil {
		return err
	}
	wanted := wire.CreateTopicsRequestCreatableTopic{Name: words[0], NumPartitions: int32(partitions), ReplicationFactor: 1}
	for _, w := range words[2:] {
		key, value, _ := strings.Cut(w, "=")
		wanted.Configs = append(wanted.Configs, wire.CreateTopicsRequestCreatableTopicConfig{Name: key, Value: &value})
	}
	if err := r.create(wanted); err != nil {
		return err
	}
	return r.awaitTopic(words[0], partitions)
}

// create creates a topic, and remembers its id.
func (r *run) create(wanted wire.CreateTopicsRequestCreatableTopic) error {
	answer, err := r.exchange(7, &wire.CreateTopicsRequest{Topics: []wire.CreateTopicsRequestCreatableTopic{wanted}, TimeoutMs: 30000})
	if err != nil {
		return err
	}
	created := answer.(*wire.CreateTopicsResponse).Topics[0]
	if created.ErrorCode != 0 {
		return fmt.Errorf("create %s: %v", wanted.Name, kafka.ErrorCode(created.ErrorCode))
	}
	r.vars[strings.NewReplacer("-", "_", ".", "_").Replace(wanted.Name)] = created.TopicID.String()
	r.names.topic(created.TopicID.String(), wanted.Name)
	return nil
}

func (r *run) awaitTopic(name string, partitions int) error {
	rq := &wire.ListOffsetsRequest{ReplicaID: -1, Topics: []wire.ListOffsetsRequestListOffsetsTopic{{Name: name}}}
	for p := range partitions {
		rq.Topics[0].Partitions = append(rq.Topics[0].Partitions, wire.ListOffsetsRequestListOffsetsPartition{PartitionIndex: int32(p), CurrentLeaderEpoch: -1, Timestamp: -1})
	}
	return r.until(5, rq, func(m wire.Message) bool {
		for _, t := range m.(*wire.ListOffsetsResponse).Topics {
			for _, p := range t.Partitions {
				if p.ErrorCode != 0 {
					return false
				}
			}
		}
		return true
	})
}

// produce appends a batch to a partition: "produce TOPIC PARTITION" and the words of a batch, or @name.
func (r *run) produce(words []string) error {
	partition, err := strconv.Atoi(words[1])
	if err != nil {
		return err
	}
	batch, ok := r.batches[strings.TrimPrefix(words[2], "@")]
	if !ok {
		if batch, err = buildBatch(words[2:], r.now); err != nil {
			return err
		}
	}
	answer, err := r.exchange(8, &wire.ProduceRequest{Acks: -1, TimeoutMs: 30000, TopicData: []wire.ProduceRequestTopicProduceData{{
		Name: words[0], PartitionData: []wire.ProduceRequestPartitionProduceData{{Index: int32(partition), Records: batch}},
	}}})
	if err != nil {
		return err
	}
	if p := answer.(*wire.ProduceResponse).Responses[0].PartitionResponses[0]; p.ErrorCode != 0 {
		return fmt.Errorf("produce to %s-%d: %v", words[0], partition, kafka.ErrorCode(p.ErrorCode))
	}
	return nil
}

// nextMillisecond is "tick": what a broker stamps from now on is later than all that it has stamped. Both brokers have
// the clock of this machine.
func nextMillisecond() {
	for now := time.Now().UnixMilli(); time.Now().UnixMilli() == now; {
		time.Sleep(100 * time.Microsecond)
	}
}

// awaitCoordinator waits until the group's coordinator has loaded: "group NAME".
func (r *run) awaitCoordinator(group string) error {
	find := &wire.FindCoordinatorRequest{CoordinatorKeys: []string{group}}
	err := r.until(4, find, func(m wire.Message) bool { return m.(*wire.FindCoordinatorResponse).Coordinators[0].ErrorCode == 0 })
	if err != nil {
		return err
	}
	return r.until(7, &wire.OffsetFetchRequest{GroupID: group}, func(m wire.Message) bool {
		switch kafka.ErrorCode(m.(*wire.OffsetFetchResponse).ErrorCode) {
		case kafka.CoordinatorNotAvailable, kafka.CoordinatorLoadInProgress, kafka.NotCoordinator:
			return false
		}
		return true
	})
}

// awaitTransactionCoordinator waits until the coordinator of a transactional id has loaded: "txn ID".
func (r *run) awaitTransactionCoordinator(id string) error {
	find := &wire.FindCoordinatorRequest{KeyType: 1, CoordinatorKeys: []string{id}}
	err := r.until(4, find, func(m wire.Message) bool { return m.(*wire.FindCoordinatorResponse).Coordinators[0].ErrorCode == 0 })
	if err != nil {
		return err
	}
	return r.until(0, &wire.DescribeTransactionsRequest{TransactionalIDs: []string{id}}, func(m wire.Message) bool {
		switch kafka.ErrorCode(m.(*wire.DescribeTransactionsResponse).TransactionStates[0].ErrorCode) {
		case kafka.CoordinatorNotAvailable, kafka.CoordinatorLoadInProgress, kafka.NotCoordinator:
			return false
		}
		return true
	})
}

// wait repeats a request until the answer has a value at a path: "wait API VERSION {request} PATH = VALUE".
func (r *run) wait(c Command) error {
	name, rest, _ := strings.Cut(c.Rest, " ")
	list, rest, _ := strings.Cut(strings.TrimSpace(rest), " ")
	end := strings.LastIndex(rest, "}")
	path, value, ok := strings.Cut(r.expand(rest[end+1:]), " = ")
	if end < 0 || !ok {
		return fmt.Errorf("want: API VERSION {request} PATH = VALUE")
	}
	api, err := apiNamed(name)
	if err != nil {
		return err
	}
	versions, err := versionsOf(api, r.expand(list))
	if err != nil {
		return err
	}
	request, _, err := r.request(api, versions[0], rest[:end+1])
	if err != nil {
		return err
	}
	return r.until(versions[0], request, func(m wire.Message) bool {
		for _, leaf := range leaves(m, newNames(r.addr, r.now)) {
			if leaf.Path == strings.TrimSpace(path) {
				return leaf.Value == strings.TrimSpace(value)
			}
		}
		return false
	})
}
