package tools

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
)

// describeLimit is the default of --partition-size-limit-per-response.
const describeLimit = 2000

type topicConfigs = []kmsg.DescribeConfigsResponseResourceConfig

func (t *topicsTool) describe() error {
	topics, err := t.describedTopics()
	if err != nil {
		return err
	}
	var names []string
	for _, topic := range topics {
		names = append(names, topic.name)
	}
	configs, err := t.admin.describeConfigs(kmsg.ConfigResourceTypeTopic, names, false)
	if err != nil {
		return err
	}
	live, err := t.admin.liveBrokers()
	if err != nil {
		return err
	}
	moves, err := t.admin.reassignments(topics)
	if err != nil {
		return err
	}
	report := topicReport{t, live, moves}
	for _, topic := range topics {
		report.print(topic, configs[topic.name])
	}
	return nil
}

// describedTopics returns the topics that --topic-id or --topic names.
func (t *topicsTool) describedTopics() ([]describedTopic, error) {
	r := t.o.Reader()
	idText, limit := r.String(t.o.topicID), r.Int(t.o.limit)
	if r.Err() != nil {
		return nil, r.Err()
	}
	if !t.o.Has(t.o.limit) {
		limit = describeLimit
	}
	if idText != "" {
		id, err := parseTopicID(idText)
		if err != nil {
			return nil, err
		}
		if !id.IsZero() {
			return t.describedByID(id)
		}
	}
	names, err := t.existing()
	if err != nil {
		return nil, err
	}
	return t.admin.describeTopics(names, int32(limit))
}

func parseTopicID(text string) (kafka.UUID, error) {
	id, err := kafka.ParseUUID(text)
	if err == nil {
		return id, nil
	}
	b, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(text, "="))
	if err != nil {
		return id, illegalArgument("Input string `" + text + "` is not a base64-encoded UUID")
	}
	return id, illegalArgument(fmt.Sprintf("Input string `%s` decoded as %d bytes, which is not equal to the expected 16 bytes of a base64-encoded UUID", text, len(b)))
}

func (t *topicsTool) describedByID(id kafka.UUID) ([]describedTopic, error) {
	topics, err := t.admin.listTopics()
	if err != nil {
		return nil, err
	}
	found := slices.ContainsFunc(topics, func(l listedTopic) bool {
		return l.id == id && (!l.internal || !t.o.Has(t.o.excludeInternal))
	})
	if !found && !t.o.Has(t.o.ifExists) {
		return nil, illegalArgument("TopicId '" + id.String() + "' does not exist as expected")
	}
	if !found {
		return nil, nil
	}
	return t.admin.describeByMetadata(nil, [][16]byte{id})
}

// A reassignment is a move of replicas that goes on.
type reassignment struct{ replicas, adding, removing []int32 }

// reassignments returns the moves that go on in topics.
func (a *admin) reassignments(topics []describedTopic) (map[kafka.TopicPartition]reassignment, error) {
	moves := make(map[kafka.TopicPartition]reassignment)
	if len(topics) == 0 {
		return moves, nil
	}
	rq := kmsg.NewPtrListPartitionReassignmentsRequest()
	rq.TimeoutMillis = createTimeoutMs
	for _, topic := range topics {
		t := kmsg.NewListPartitionReassignmentsRequestTopic()
		t.Topic = topic.name
		for _, p := range topic.partitions {
			t.Partitions = append(t.Partitions, p.index)
		}
		rq.Topics = append(rq.Topics, t)
	}
	response, err := request[*kmsg.ListPartitionReassignmentsResponse](a, "listPartitionReassignments", rq)
	if err == nil {
		err = responseError(response.ErrorCode, response.ErrorMessage)
	}
	if err != nil {
		return nil, inRuntime(inFuture(err))
	}
	for _, t := range response.Topics {
		for _, p := range t.Partitions {
			moves[kafka.TopicPartition{Topic: t.Topic, Partition: p.Partition}] = reassignment{p.Replicas, p.AddingReplicas, p.RemovingReplicas}
		}
	}
	return moves, nil
}

// A topicReport prints topics.
type topicReport struct {
	*topicsTool
	live  []int32
	moves map[kafka.TopicPartition]reassignment
}

func (r topicReport) print(topic describedTopic, configs topicConfigs) {
	if len(topic.partitions) == 0 {
		return
	}
	own := inJavaMapOrder(configs, func(c kmsg.DescribeConfigsResponseResourceConfig) string { return c.Name })
	own = slices.DeleteFunc(own, func(c kmsg.DescribeConfigsResponseResourceConfig) bool {
		return c.IsDefault || c.Source == kmsg.ConfigSourceDefaultConfig
	})
	filtered := r.o.Has(r.o.underReplicated) || r.o.Has(r.o.unavailable) || r.o.Has(r.o.underMinISR) || r.o.Has(r.o.atMinISR)
	if !filtered && (len(own) > 0 || !r.o.Has(r.o.withOverrides)) {
		r.printSummary(topic, own)
	}
	if r.o.Has(r.o.withOverrides) {
		return
	}
	for _, p := range topic.partitions {
		if !filtered || r.wanted(topic.name, p, configs) {
			r.printPartition(topic.name, p)
		}
	}
}

func (r topicReport) printSummary(topic describedTopic, own topicConfigs) {
	var texts []string
	for _, c := range own {
		texts = append(texts, c.Name+"="+orNull(c.Value))
	}
	line := "Topic: " + topic.name
	if id := kafka.UUID(topic.id); !id.IsZero() {
		line += "\tTopicId: " + id.String()
	}
	r.printf("%s\tPartitionCount: %d\tReplicationFactor: %d\tConfigs: %s\n", line, len(topic.partitions),
		r.replicationFactor(topic.name, topic.partitions[0]), strings.Join(texts, ","))
}

// replicationFactor is the number of replicas that a partition has, or will have once its move is over.
func (r topicReport) replicationFactor(topic string, p describedPartition) int {
	move := r.moves[kafka.TopicPartition{Topic: topic, Partition: p.index}]
	changing := append(slices.Clone(move.adding), move.removing...)
	if slices.ContainsFunc(p.replicas, func(id int32) bool { return slices.Contains(changing, id) }) {
		return len(move.replicas) - len(move.adding)
	}
	return len(p.replicas)
}

// wanted decides for the options that ask for partitions in trouble.
func (r topicReport) wanted(topic string, p describedPartition, configs topicConfigs) bool {
	least := 1
	for _, c := range configs {
		if n, err := strconv.Atoi(orNull(c.Value)); err == nil && c.Name == "min.insync.replicas" {
			least = n
		}
	}
	led := p.leader >= 0
	return r.o.Has(r.o.underReplicated) && r.replicationFactor(topic, p) > len(p.isr) ||
		r.o.Has(r.o.unavailable) && (!led || !slices.Contains(r.live, p.leader)) ||
		r.o.Has(r.o.underMinISR) && (!led || len(p.isr) < least) ||
		r.o.Has(r.o.atMinISR) && len(p.isr) == least
}

func (r topicReport) printPartition(topic string, p describedPartition) {
	leader := "none"
	if p.leader >= 0 {
		leader = strconv.Itoa(int(p.leader))
	}
	r.printf("\tTopic: %s\tPartition: %d\tLeader: %s\tReplicas: %s\tIsr: %s", topic, p.index, leader, joinNumbers(p.replicas), joinNumbers(p.isr))
	if move, ok := r.moves[kafka.TopicPartition{Topic: topic, Partition: p.index}]; ok {
		r.printf("\tAdding Replicas: %s\tRemoving Replicas: %s", joinNumbers(move.adding), joinNumbers(move.removing))
	}
	if p.tellsEligible {
		r.printf("\tElr: %s\tLastKnownElr: %s\n", joinNumbers(p.elr), joinNumbers(p.lastKnownElr))
	} else {
		r.printf("\tElr: N/A\tLastKnownElr: N/A\n")
	}
}

// orNull is the text of a value that may be missing, as Java prints it.
func orNull(value *string) string {
	if value == nil {
		return "null"
	}
	return *value
}
