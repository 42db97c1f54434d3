package controller

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/ottla/ottla/internal/config"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/wire"
)

// TestKafkaAnswers replays what a real Kafka 4.3.1 was asked, and compares codes and texts with what it answered.
func TestKafkaAnswers(t *testing.T) {
	recorded, err := os.ReadFile("testdata/kafka_answers.txt")
	if err != nil {
		t.Fatal(err)
	}
	k := newCluster(t)
	k.join(1, "")
	a := asker{cluster: k}
	for block := range strings.SplitSeq("\n"+string(recorded), "\n") {
		if answer, found := strings.CutPrefix(block, "\t"); found {
			a.want = append(a.want, answer)
			continue
		}
		a.compare()
		if block != "" && block[0] != '#' {
			a.ask(block)
		}
	}
	a.compare()
	if a.asked < 150 {
		t.Errorf("only %d requests in the file", a.asked)
	}
}

type asker struct {
	*cluster
	line      string
	asked     int
	got, want []string
}

// compare ends a request: DeleteTopics answers in random order, so that nobody can read anything from it.
func (a *asker) compare() {
	if a.line == "" {
		return
	}
	got, want := slices.Clone(a.got), slices.Clone(a.want)
	if strings.HasPrefix(a.line, "delete") {
		slices.Sort(got)
		slices.Sort(want)
	}
	if !slices.Equal(got, want) {
		a.t.Errorf("%s\n got %s\nwant %s", a.line, strings.Join(got, "\n     "), strings.Join(want, "\n     "))
	}
	a.line, a.got, a.want = "", nil, nil
}

func (a *asker) answer(name string, code int16, message *string, more string) {
	if name != "" {
		name += ": "
	}
	text := ""
	if message != nil {
		text = fmt.Sprintf(" %q", *message)
	}
	a.got = append(a.got, name+kafka.ErrorCode(code).String()+text+more)
}

func (a *asker) ask(line string) {
	a.line = line
	a.asked++
	verb, rest, _ := strings.Cut(line, " ")
	verb, validate := strings.CutSuffix(verb, "?")
	items := strings.Split(rest, " | ")
	switch verb {
	case "create":
		a.createTopics(items, validate)
	case "partitions":
		a.createPartitions(items, validate)
	case "delete":
		a.deleteTopics(items)
	case "alter":
		a.alter(items, validate)
	case "replace":
		a.replace(items, validate)
	case "features":
		a.features(items, validate)
	case "elect":
		a.elect(items)
	case "reassign":
		a.reassign(items, !validate)
	case "reassignments":
		rp, _ := await(a.cluster, func(reply Reply[*wire.ListPartitionReassignmentsResponse]) statemachine.Output {
			return a.c.ListPartitionReassignments(a.now, new(wire.ListPartitionReassignmentsRequest), reply)
		})
		a.answer("", rp.ErrorCode, rp.ErrorMessage, fmt.Sprint(" ", len(rp.Topics)))
	case "unregister":
		_, err := await(a.cluster, func(reply Reply[*wire.UnregisterBrokerResponse]) statemachine.Output {
			return a.c.UnregisterBroker(a.now, &wire.UnregisterBrokerRequest{BrokerID: number(rest)}, reply)
		})
		a.answer("", code(err), text(err), "")
	default:
		a.t.Fatalf("unknown request %q", line)
	}
}

func number(text string) int32 {
	n, _ := strconv.Atoi(text)
	return int32(n)
}

func numbers(text string) []int32 {
	list := []int32{}
	for part := range strings.SplitSeq(text, ",") {
		if part != "" {
			list = append(list, number(part))
		}
	}
	return list
}

func nullable(text string) *string {
	if text == "<null>" {
		return nil
	}
	return &text
}

func (a *asker) createTopics(items []string, validate bool) {
	rq := &wire.CreateTopicsRequest{ValidateOnly: validate}
	for _, item := range items {
		words := strings.Split(item, " ")
		t := wire.CreateTopicsRequestCreatableTopic{Name: strings.Trim(words[0], `"`), NumPartitions: -1, ReplicationFactor: -1}
		if n, found := strings.CutPrefix(t.Name, "<long>"); found {
			t.Name = strings.Repeat("x", int(number(n)))
		}
		for _, word := range words[1:] {
			key, value, _ := strings.Cut(word, "=")
			switch key {
			case "partitions":
				t.NumPartitions = number(value)
			case "rf":
				t.ReplicationFactor = int16(number(value))
			case "assign":
				id, replicas, _ := strings.Cut(value, ":")
				t.Assignments = append(t.Assignments, wire.CreateTopicsRequestCreatableReplicaAssignment{PartitionIndex: number(id), BrokerIDs: numbers(replicas)})
			default:
				t.Configs = append(t.Configs, wire.CreateTopicsRequestCreatableTopicConfig{Name: key, Value: nullable(value)})
			}
		}
		rq.Topics = append(rq.Topics, t)
	}
	rp, err := await(a.cluster, func(reply Reply[*wire.CreateTopicsResponse]) statemachine.Output {
		return a.c.CreateTopics(a.now, rq, reply)
	})
	if err != nil {
		a.t.Fatal(err)
	}
	for _, t := range rp.Topics {
		more := ""
		if t.ErrorCode == 0 {
			more = fmt.Sprintf(" partitions=%d rf=%d", t.NumPartitions, t.ReplicationFactor)
			for _, c := range t.Configs {
				if config.Source(c.ConfigSource) == config.TopicConfig {
					more += " " + c.Name + "=" + *c.Value
				}
			}
		}
		if len(t.Name) > 200 {
			if t.ErrorMessage != nil {
				*t.ErrorMessage = strings.ReplaceAll(*t.ErrorMessage, t.Name, fmt.Sprintf("<long>%d", len(t.Name)))
			}
			t.Name = fmt.Sprintf("<long>%d", len(t.Name))
		}
		a.answer(strconv.Quote(t.Name), t.ErrorCode, t.ErrorMessage, more)
	}
}

func (a *asker) createPartitions(items []string, validate bool) {
	rq := &wire.CreatePartitionsRequest{ValidateOnly: validate}
	for _, item := range items {
		words := strings.Split(item, " ")
		t := wire.CreatePartitionsRequestCreatePartitionsTopic{Name: words[0]}
		for _, word := range words[1:] {
			if key, value, _ := strings.Cut(word, "="); key == "count" {
				t.Count = number(value)
			} else {
				t.Assignments = append(t.Assignments, wire.CreatePartitionsRequestCreatePartitionsAssignment{BrokerIDs: numbers(value)})
			}
		}
		rq.Topics = append(rq.Topics, t)
	}
	rp, _ := await(a.cluster, func(reply Reply[*wire.CreatePartitionsResponse]) statemachine.Output {
		return a.c.CreatePartitions(a.now, rq, reply)
	})
	for _, t := range rp.Results {
		a.answer(t.Name, t.ErrorCode, t.ErrorMessage, "")
	}
}

func (a *asker) deleteTopics(items []string) {
	rq := new(wire.DeleteTopicsRequest)
	names := map[kafka.UUID]string{}
	for _, item := range items {
		name, idOf, _ := strings.Cut(item, "@")
		var t wire.DeleteTopicsRequestDeleteTopicState
		if name != "" {
			t.Name = &name
		}
		if known := a.c.Image().Topic(idOf); known != nil {
			t.TopicID = known.ID
		} else if idOf != "" {
			t.TopicID = kafka.UUID{0: 9, 15: 9}
		}
		names[t.TopicID] = idOf
		rq.Topics = append(rq.Topics, t)
	}
	for known := range a.c.Image().Topics() {
		names[known.ID] = known.Name
	}
	rp, _ := await(a.cluster, func(reply Reply[*wire.DeleteTopicsResponse]) statemachine.Output {
		return a.c.DeleteTopics(a.now, rq, reply)
	})
	for _, t := range rp.Responses {
		name := "<null>"
		if t.Name != nil {
			name = *t.Name
		}
		if !t.TopicID.IsZero() {
			name += "@" + names[t.TopicID]
		}
		a.answer(name, t.ErrorCode, t.ErrorMessage, "")
	}
}

var resourceTypes = map[string]int8{"topic": 2, "broker": 4, "client-metrics": 16, "group": 32, "unknown": 77}

func (a *asker) alter(items []string, validate bool) {
	ops := map[string]int8{"set": 0, "delete": 1, "append": 2, "subtract": 3, "op9": 9}
	rq := &wire.IncrementalAlterConfigsRequest{ValidateOnly: validate}
	for _, item := range items {
		words := strings.Split(item, " ")
		kind, name, _ := strings.Cut(words[0], "/")
		r := wire.IncrementalAlterConfigsRequestAlterConfigsResource{ResourceType: resourceTypes[kind], ResourceName: name}
		for _, word := range words[1:] {
			op, setting, _ := strings.Cut(word, ":")
			key, value, _ := strings.Cut(setting, "=")
			c := wire.IncrementalAlterConfigsRequestAlterableConfig{Name: key, ConfigOperation: ops[op]}
			if op != "delete" {
				c.Value = nullable(value)
			}
			r.Configs = append(r.Configs, c)
		}
		rq.Resources = append(rq.Resources, r)
	}
	rp, err := await(a.cluster, func(reply Reply[*wire.IncrementalAlterConfigsResponse]) statemachine.Output {
		return a.c.IncrementalAlterConfigs(a.now, a.c.broker(), rq, reply)
	})
	if err != nil {
		a.t.Fatal(err)
	}
	for _, r := range rp.Responses {
		a.answer(fmt.Sprintf("%d/%s", r.ResourceType, r.ResourceName), r.ErrorCode, r.ErrorMessage, "")
	}
}

func (a *asker) replace(items []string, validate bool) {
	rq := &wire.AlterConfigsRequest{ValidateOnly: validate}
	for _, item := range items {
		words := strings.Split(item, " ")
		kind, name, _ := strings.Cut(words[0], "/")
		r := wire.AlterConfigsRequestAlterConfigsResource{ResourceType: resourceTypes[kind], ResourceName: name}
		for _, word := range words[1:] {
			key, value, _ := strings.Cut(word, "=")
			r.Configs = append(r.Configs, wire.AlterConfigsRequestAlterableConfig{Name: key, Value: nullable(value)})
		}
		rq.Resources = append(rq.Resources, r)
	}
	rp, _ := await(a.cluster, func(reply Reply[*wire.AlterConfigsResponse]) statemachine.Output {
		return a.c.AlterConfigs(a.now, a.c.broker(), rq, reply)
	})
	for _, r := range rp.Responses {
		a.answer(fmt.Sprintf("%d/%s", r.ResourceType, r.ResourceName), r.ErrorCode, r.ErrorMessage, "")
	}
}

func (a *asker) features(items []string, validate bool) {
	rq := &wire.UpdateFeaturesRequest{ValidateOnly: validate}
	for _, item := range items {
		words := strings.Fields(item)
		rq.FeatureUpdates = append(rq.FeatureUpdates, wire.UpdateFeaturesRequestFeatureUpdateKey{
			Feature: words[0], MaxVersionLevel: int16(number(words[1])), UpgradeType: int8(number(words[2])),
		})
	}
	rp, _ := await(a.cluster, func(reply Reply[*wire.UpdateFeaturesResponse]) statemachine.Output {
		return a.c.UpdateFeatures(a.now, rq, reply)
	})
	a.answer("", rp.ErrorCode, rp.ErrorMessage, "")
}

func (a *asker) elect(items []string) {
	rq := &wire.ElectLeadersRequest{ElectionType: int8(number(items[0]))}
	for _, item := range items[1:] {
		name, ids, _ := strings.Cut(item, "=")
		rq.TopicPartitions = append(rq.TopicPartitions, wire.ElectLeadersRequestTopicPartitions{Topic: name, Partitions: numbers(ids)})
	}
	rp, _ := await(a.cluster, func(reply Reply[*wire.ElectLeadersResponse]) statemachine.Output {
		return a.c.ElectLeaders(a.now, rq, reply)
	})
	a.answer("", rp.ErrorCode, nil, "")
	for _, t := range rp.ReplicaElectionResults {
		for _, p := range t.PartitionResult {
			a.answer(fmt.Sprintf("%s-%d", t.Topic, p.PartitionID), p.ErrorCode, p.ErrorMessage, "")
		}
	}
}

func (a *asker) reassign(items []string, anyFactor bool) {
	rq := &wire.AlterPartitionReassignmentsRequest{AllowReplicationFactorChange: anyFactor}
	for _, item := range items {
		place, replicas, _ := strings.Cut(item, "=")
		name, id, _ := strings.Cut(place, ":")
		p := wire.AlterPartitionReassignmentsRequestReassignablePartition{PartitionIndex: number(id)}
		if replicas != "<null>" {
			p.Replicas = numbers(replicas)
		}
		rq.Topics = append(rq.Topics, wire.AlterPartitionReassignmentsRequestReassignableTopic{
			Name: name, Partitions: []wire.AlterPartitionReassignmentsRequestReassignablePartition{p},
		})
	}
	rp, _ := await(a.cluster, func(reply Reply[*wire.AlterPartitionReassignmentsResponse]) statemachine.Output {
		return a.c.AlterPartitionReassignments(a.now, rq, reply)
	})
	a.answer("", rp.ErrorCode, rp.ErrorMessage, "")
	for _, t := range rp.Responses {
		for _, p := range t.Partitions {
			a.answer(fmt.Sprintf("%s-%d", t.Name, p.PartitionIndex), p.ErrorCode, p.ErrorMessage, "")
		}
	}
}

func TestInternalTopicsCanBeCreated(t *testing.T) {
	k := newCluster(t, "offsets.topic.replication.factor=1", "transaction.state.log.replication.factor=1", "share.coordinator.state.topic.replication.factor=1",
		"transaction.state.log.min.isr=2", "share.coordinator.state.topic.min.isr=2")
	k.join(1, "")
	want := map[string]map[string]string{
		kafka.OffsetsTopic:      {"cleanup.policy": "compact", "compression.type": "producer", "segment.bytes": "104857600"},
		kafka.TransactionsTopic: {"cleanup.policy": "compact", "compression.type": "uncompressed", "min.insync.replicas": "2", "segment.bytes": "104857600", "unclean.leader.election.enable": "false"},
		kafka.ShareStateTopic:   {"cleanup.policy": "delete", "compression.type": "producer", "min.insync.replicas": "2", "retention.ms": "-1", "segment.bytes": "104857600"},
	}
	for name, configs := range want {
		topic, ok := InternalTopic(name, k.cfg)
		if !ok || topic.NumPartitions != 50 {
			t.Fatalf("%s: %+v, %v", name, topic, ok)
		}
		if err := k.create(topic); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got := k.c.Image().TopicConfig(name); !maps.Equal(got, configs) {
			t.Errorf("%s has %v, want %v", name, got, configs)
		}
	}
	if _, ok := InternalTopic("foo", k.cfg); ok {
		t.Error("foo is taken for an internal topic")
	}
}
