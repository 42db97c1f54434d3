package tools

import (
	"errors"
	"os"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
)

// reassignTool is one run of kafka-reassign-partitions.
type reassignTool struct {
	*invocation
	*admin
	o *reassignOptions
}

// errTerse ends kafka-reassign-partitions with a text alone, on stdout.
type errTerse struct{ text string }

func (e *errTerse) Error() string { return e.text }

// runReassignPartitions is kafka-reassign-partitions. Failures go to stdout, as those of Kafka's tool do.
func runReassignPartitions(inv *invocation) int {
	o, err := inv.parseReassignOptions()
	if err != nil {
		if exit, ok := inv.finish(err); ok {
			return exit
		}
		inv.complain(err.Error())
		inv.trace("", err)
		return 1
	}
	if err := inv.reassign(o); err != nil {
		if terse, ok := errors.AsType[*errTerse](err); ok {
			inv.println(terse.text)
			return 1
		}
		inv.println("Error: " + err.Error())
		inv.println(javaString(err))
		return 1
	}
	return 0
}

func (inv *invocation) reassign(o *reassignOptions) error {
	r := o.Reader()
	config, brokers, controllers := r.String(o.commandConfig), r.String(o.bootstrap), r.String(o.controller)
	if r.Err() != nil {
		return r.Err()
	}
	s, err := loadSettings(config)
	if err != nil {
		return err
	}
	a, err := inv.newAdminOfEither(s, brokers, controllers, "reassign-partitions-tool")
	if err != nil {
		return err
	}
	defer a.close()
	t := &reassignTool{inv, a, o}
	switch {
	case o.Has(o.verify):
		return t.verify()
	case o.Has(o.generate):
		return t.generate()
	case o.Has(o.execute):
		return t.execute()
	case o.Has(o.cancel):
		return t.cancel()
	}
	return t.list()
}

func commandFailed(message string) error {
	return &exception{class: "org.apache.kafka.tools.AdminCommandFailedException", message: message}
}

func operationFailed(message string) error {
	return &exception{class: "org.apache.kafka.tools.AdminOperationException", message: message}
}

func readInput(path string) ([]byte, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, &exception{class: "java.io.IOException", message: "Unable to read file " + path, cause: err}
	}
	return text, nil
}

// list shows the active reassignments.
func (t *reassignTool) list() error {
	current, err := t.activeReassignments(nil)
	if err != nil {
		return inFuture(err)
	}
	if len(current) == 0 {
		t.println("No partition reassignments found.")
		return nil
	}
	t.println("Current partition reassignments:")
	for _, tp := range sortedPartitions(current) {
		r := current[tp]
		line := tp.String() + ": replicas: " + joinIDs(r.Replicas) + "."
		if len(r.AddingReplicas) > 0 {
			line += " adding: " + joinIDs(r.AddingReplicas) + "."
		}
		if len(r.RemovingReplicas) > 0 {
			line += " removing: " + joinIDs(r.RemovingReplicas) + "."
		}
		t.println(line)
	}
	return nil
}

// sortedPartitions returns the keys of a map by topic and number.
func sortedPartitions[V any](of map[kafka.TopicPartition]V) []kafka.TopicPartition {
	var all []kafka.TopicPartition
	for tp := range of {
		all = append(all, tp)
	}
	slices.SortFunc(all, comparePartitions)
	return all
}

func comparePartitions(a, b kafka.TopicPartition) int {
	if c := strings.Compare(a.Topic, b.Topic); c != 0 {
		return c
	}
	return int(a.Partition) - int(b.Partition)
}

func joinPartitions(all []kafka.TopicPartition) string {
	var names []string
	for _, tp := range all {
		names = append(names, tp.String())
	}
	return strings.Join(names, ",")
}

// activeReassignments returns the active reassignments of some partitions, of all if there are none.
func (a *admin) activeReassignments(of []kafka.TopicPartition) (map[kafka.TopicPartition]kmsg.ListPartitionReassignmentsResponseTopicPartition, error) {
	rq := kmsg.NewPtrListPartitionReassignmentsRequest()
	for topic, ids := range byTopic(of) {
		t := kmsg.NewListPartitionReassignmentsRequestTopic()
		t.Topic, t.Partitions = topic, ids
		rq.Topics = append(rq.Topics, t)
	}
	response, err := request[*kmsg.ListPartitionReassignmentsResponse](a, "listPartitionReassignments", rq)
	if err == nil {
		err = responseError(response.ErrorCode, response.ErrorMessage)
	}
	if err != nil {
		return nil, err
	}
	current := map[kafka.TopicPartition]kmsg.ListPartitionReassignmentsResponseTopicPartition{}
	for _, t := range response.Topics {
		for _, p := range t.Partitions {
			current[kafka.TopicPartition{Topic: t.Topic, Partition: p.Partition}] = p
		}
	}
	return current, nil
}

// alterReassignments begins reassignments, or cancels those whose replicas are nil; the failures come by partition.
func (a *admin) alterReassignments(wanted map[kafka.TopicPartition][]int32, anyFactor bool) (map[kafka.TopicPartition]error, error) {
	rq := kmsg.NewPtrAlterPartitionAssignmentsRequest()
	rq.TimeoutMillis, rq.AllowReplicationFactorChange = createTimeoutMs, anyFactor
	for topic, ids := range byTopic(sortedPartitions(wanted)) {
		t := kmsg.NewAlterPartitionAssignmentsRequestTopic()
		t.Topic = topic
		for _, id := range ids {
			p := kmsg.NewAlterPartitionAssignmentsRequestTopicPartition()
			p.Partition, p.Replicas = id, wanted[kafka.TopicPartition{Topic: topic, Partition: id}]
			t.Partitions = append(t.Partitions, p)
		}
		rq.Topics = append(rq.Topics, t)
	}
	response, err := request[*kmsg.AlterPartitionAssignmentsResponse](a, "alterPartitionReassignments", rq)
	if err == nil {
		err = responseError(response.ErrorCode, response.ErrorMessage)
	}
	if err != nil {
		return nil, err
	}
	failed := map[kafka.TopicPartition]error{}
	for _, t := range response.Topics {
		for _, p := range t.Partitions {
			if err := responseError(p.ErrorCode, p.ErrorMessage); err != nil {
				failed[kafka.TopicPartition{Topic: t.Topic, Partition: p.Partition}] = err
			}
		}
	}
	return failed, nil
}

// failures lists failed partitions, one a line.
func failures(headline string, failed map[kafka.TopicPartition]error) error {
	lines := []string{headline}
	for _, tp := range sortedPartitions(failed) {
		lines = append(lines, tp.String()+": "+failed[tp].Error())
	}
	return &errTerse{strings.Join(lines, "\n")}
}

func plural(n int) string {
	if n == 1 {
		return ""
	}
	return "s"
}

// assignments returns the replicas of all partitions of topics.
func (a *admin) assignments(topics []string) (map[kafka.TopicPartition][]int32, error) {
	all := map[kafka.TopicPartition][]int32{}
	for _, name := range topics {
		described, err := a.describeTopics([]string{name}, describedAtOnce)
		if e, ok := errors.AsType[*brokerError](err); ok && e.code == int16(kafka.UnknownTopicOrPartition) {
			e.message = "Topic " + name + " not found."
		}
		if err != nil {
			return nil, inFuture(err)
		}
		for _, t := range described {
			for _, p := range t.partitions {
				all[kafka.TopicPartition{Topic: t.name, Partition: p.index}] = p.replicas
			}
		}
	}
	return all, nil
}

// describedAtOnce is how many partitions one response describes.
const describedAtOnce = 2000
