package tools

import (
	"cmp"
	"maps"
	"slices"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/ottla/ottla/internal/kafka"
)

func (t *groupsTool) deleteOffsets() error {
	group, err := t.o.Value(t.o.group)
	if err != nil {
		return err
	}
	results := make(map[kafka.TopicPartition]error)
	partitions, err := t.namedPartitions(t.o.Values(t.o.topic), results)
	if err != nil {
		return err
	}
	t.reportDeletedOffsets(group, t.deletePartitions(group, partitions, results))
	t.printDeletedOffsets(results)
	return nil
}

// namedPartitions reads the topics whose offsets are to be deleted. One that does not exist stands in results with its failure.
func (t *resetter) namedPartitions(args []string, results map[kafka.TopicPartition]error) (partitions []kafka.TopicPartition, err error) {
	for _, arg := range args {
		some, err := t.parseTopics([]string{arg})
		if _, isBroker := err.(*brokerError); isBroker {
			results[kafka.TopicPartition{Topic: arg, Partition: -1}] = err
			continue
		}
		if err != nil {
			return nil, err
		}
		partitions = append(partitions, some...)
	}
	return partitions, nil
}

// deletePartitions deletes offsets and returns the first failure; each partition's own goes to results.
func (t *resetter) deletePartitions(group string, partitions []kafka.TopicPartition, results map[kafka.TopicPartition]error) error {
	if len(partitions) == 0 {
		return nil
	}
	answers, first := t.admin.deleteOffsets(t.limit, group, partitions)
	for _, tp := range partitions {
		if results[tp] = first; answers != nil {
			results[tp] = answers[tp]
		}
	}
	for _, tp := range partitions {
		if first == nil {
			first = results[tp]
		}
	}
	return first
}

func (t *resetter) reportDeletedOffsets(group string, first error) {
	switch {
	case first == nil:
		t.println("Request succeeded for deleting offsets from group " + group + ".")
	case hasCode(first, kerr.InvalidGroupID), hasCode(first, kerr.GroupIDNotFound), hasCode(first, kerr.GroupAuthorizationFailed), hasCode(first, kerr.NonEmptyGroup):
		t.printGroupError(first.Error())
	case hasCode(first, kerr.GroupSubscribedToTopic), hasCode(first, kerr.TopicAuthorizationFailed), hasCode(first, kerr.UnknownTopicOrPartition):
		t.printGroupError("Encountered some partition-level error, see the follow-up details.")
	default:
		t.printGroupError("Encountered some unknown error: " + javaString(first))
	}
}

func (t *groupsTool) printDeletedOffsets(results map[kafka.TopicPartition]error) {
	rows := [][]string{{"TOPIC", "PARTITION", "STATUS"}}
	name := func(tp kafka.TopicPartition) string { return tp.Topic + itoa(int(tp.Partition)) }
	for _, tp := range slices.SortedFunc(maps.Keys(results), func(a, b kafka.TopicPartition) int { return cmp.Compare(name(a), name(b)) }) {
		id, status := missing, "Successful"
		if tp.Partition >= 0 {
			id = itoa(int(tp.Partition))
		}
		if err := results[tp]; err != nil {
			status = "Error: " + javaString(err)
		}
		rows = append(rows, []string{tp.Topic, id, status})
	}
	widest := widths(rows, []int{15, 10, 0})
	for _, row := range rows {
		t.printf("\n%s", padded(row, widest))
	}
	t.println("")
}
