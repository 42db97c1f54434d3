package tools

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

const createTimeoutMs = 60000

func (t *topicsTool) create() error {
	r := t.o.Reader()
	name, partitions, factor := r.String(t.o.topic), r.Int(t.o.partitions), r.Int(t.o.replicationFactor)
	assignmentText := r.String(t.o.replicaAssignment)
	if r.Err() != nil {
		return r.Err()
	}
	assignment, err := parseAssignment(assignmentText)
	if err != nil {
		return err
	}
	configs, err := parseTopicConfigs(t.o.Values(t.o.config))
	if err != nil {
		return err
	}
	if strings.ContainsAny(name, "._") {
		t.println("WARNING: Due to limitations in metric names, topics with a period ('.') or underscore ('_') could " +
			"collide. To avoid issues it is best to use either, but not both.")
	}
	if t.o.Has(t.o.replicationFactor) && (factor < 1 || factor > 32767) {
		return illegalArgument("The replication factor must be between 1 and 32767 inclusive")
	}
	if t.o.Has(t.o.partitions) && partitions < 1 {
		return illegalArgument("The partitions must be greater than 0")
	}
	if name == "" {
		return illegalArgument("The given topic name '' cannot be represented in a request.")
	}
	topic := kmsg.NewCreateTopicsRequestTopic()
	topic.Topic, topic.NumPartitions, topic.ReplicationFactor = name, -1, -1
	if t.o.Has(t.o.partitions) {
		topic.NumPartitions = int32(partitions)
	}
	if t.o.Has(t.o.replicationFactor) {
		topic.ReplicationFactor = int16(factor)
	}
	for i, replicas := range assignment {
		a := kmsg.NewCreateTopicsRequestTopicReplicaAssignment()
		a.Partition, a.Replicas = int32(i), replicas
		topic.ReplicaAssignment = append(topic.ReplicaAssignment, a)
	}
	topic.Configs = configs
	return t.sendCreate(topic)
}

func (t *topicsTool) sendCreate(topic kmsg.CreateTopicsRequestTopic) error {
	rq := kmsg.NewPtrCreateTopicsRequest()
	rq.TimeoutMillis = createTimeoutMs
	rq.Topics = append(rq.Topics, topic)
	response, err := request[*kmsg.CreateTopicsResponse](t.admin, "createTopics", rq)
	if err != nil {
		return err
	}
	for _, answer := range response.Topics {
		err := responseError(answer.ErrorCode, answer.ErrorMessage)
		if hasCode(err, kerr.TopicAlreadyExists) && t.o.Has(t.o.ifNotExists) {
			return nil
		}
		if err != nil {
			return err
		}
	}
	t.println("Created topic " + topic.Topic + ".")
	return nil
}

// parseTopicConfigs reads the values of --config.
func parseTopicConfigs(args []string) ([]kmsg.CreateTopicsRequestTopicConfig, error) {
	var configs []kmsg.CreateTopicsRequestTopicConfig
	for _, arg := range args {
		name, value, ok := strings.Cut(arg, "=")
		if !ok || value == "" || strings.Contains(value, "=") {
			return nil, illegalArgument(`requirement failed: Invalid topic config: all configs to be added must be in the format "key=val".`)
		}
		c := kmsg.NewCreateTopicsRequestTopicConfig()
		c.Name, c.Value = strings.TrimSpace(name), kmsg.StringPtr(strings.TrimSpace(value))
		configs = slices.DeleteFunc(configs, func(old kmsg.CreateTopicsRequestTopicConfig) bool { return old.Name == c.Name })
		configs = append(configs, c)
	}
	return configs, nil
}

// parseAssignment reads broker:broker,broker:broker,...: the replicas of each partition.
func parseAssignment(text string) ([][]int32, error) {
	if text == "" {
		return nil, nil
	}
	var assignment [][]int32
	for i, part := range strings.Split(strings.TrimRight(text, ","), ",") {
		var replicas []int32
		for _, id := range strings.Split(strings.TrimRight(part, ":"), ":") {
			id = strings.TrimSpace(id)
			n, err := strconv.ParseInt(id, 10, 32)
			if err != nil {
				return nil, &exception{class: "java.lang.NumberFormatException", message: `For input string: "` + id + `"`}
			}
			if slices.Contains(replicas, int32(n)) {
				return nil, &exception{class: "org.apache.kafka.tools.AdminCommandFailedException",
					message: fmt.Sprintf("Partition replica lists may not contain duplicate entries: %d", n)}
			}
			replicas = append(replicas, int32(n))
		}
		if i > 0 && len(replicas) != len(assignment[0]) {
			return nil, &exception{class: "org.apache.kafka.tools.AdminOperationException",
				message: fmt.Sprintf("Partition %d has different replication factor: %s", i, javaList(replicas))}
		}
		assignment = append(assignment, replicas)
	}
	return assignment, nil
}

// javaList prints numbers as Java prints a list.
func javaList(numbers []int32) string {
	return "[" + strings.ReplaceAll(joinNumbers(numbers), ",", ", ") + "]"
}

func joinNumbers(numbers []int32) string {
	var texts []string
	for _, n := range numbers {
		texts = append(texts, strconv.Itoa(int(n)))
	}
	return strings.Join(texts, ",")
}

func (t *topicsTool) alter() error {
	r := t.o.Reader()
	partitions, assignmentText := r.Int(t.o.partitions), r.String(t.o.replicaAssignment)
	if r.Err() != nil {
		return r.Err()
	}
	assignment, err := parseAssignment(assignmentText)
	if err != nil {
		return err
	}
	names, err := t.existing()
	if err != nil || len(names) == 0 {
		return err
	}
	topics, err := t.admin.describeTopics(names, describeLimit)
	if err != nil {
		return err
	}
	rq := kmsg.NewPtrCreatePartitionsRequest()
	rq.TimeoutMillis = createTimeoutMs
	for _, topic := range topics {
		more := kmsg.NewCreatePartitionsRequestTopic()
		more.Topic, more.Count = topic.name, int32(partitions)
		if t.o.Has(t.o.replicaAssignment) {
			more.Assignment = []kmsg.CreatePartitionsRequestTopicAssignment{} // not nil, with which the controller would choose
		}
		for _, replicas := range assignment[min(len(topic.partitions), len(assignment)):] {
			a := kmsg.NewCreatePartitionsRequestTopicAssignment()
			a.Replicas = replicas
			more.Assignment = append(more.Assignment, a)
		}
		rq.Topics = append(rq.Topics, more)
	}
	response, err := request[*kmsg.CreatePartitionsResponse](t.admin, "createPartitions", rq)
	if err != nil {
		return err
	}
	for _, answer := range response.Topics {
		if err := responseError(answer.ErrorCode, answer.ErrorMessage); err != nil {
			return err
		}
	}
	return nil
}

func (t *topicsTool) delete() error {
	names, err := t.existing()
	if err != nil || len(names) == 0 {
		return err
	}
	return t.admin.deleteTopics(names)
}
