package tools

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/ottla/ottla/internal/kafka"
)

func (t *streamsTool) reset() error {
	ids, err := t.groups()
	if err != nil {
		return err
	}
	results := make(map[string]offsetsOf)
	for _, id := range ids {
		g, err := t.admin.describeStreamsGroup(t.limit, id)
		switch {
		case err != nil && !isMissingGroup(err):
			return inRuntime(inFuture(err))
		case err == nil && g.State != "Empty" && g.State != "Dead":
			t.printGroupError("Assignments can only be reset if the group '" + id + "' is inactive, but the current state is " + g.State + ".")
			results[id] = offsetsOf{}
		default:
			if results[id], err = t.resetGroup(id); err != nil {
				return err
			}
			t.deleteInternalOf(id)
		}
	}
	if t.o.Has(t.o.export) {
		t.println(exportOffsets(results, len(t.o.Values(t.o.group)) == 1))
		return nil
	}
	t.printReset(results)
	return nil
}

// printReset prints fixed columns, the last one padded as well.
func (t *streamsTool) printReset(results map[string]offsetsOf) {
	row := func(group, topic, partition, offset string) {
		t.printf("\n%-30s %-30s %-10s %-15s", group, topic, partition, offset)
	}
	if len(results) > 0 {
		row("GROUP", "TOPIC", "PARTITION", "NEW-OFFSET")
	}
	for _, group := range slices.Sorted(maps.Keys(results)) {
		for _, tp := range sortPartitions(slices.Collect(maps.Keys(results[group]))) {
			row(group, tp.Topic, itoa(int(tp.Partition)), strconv.FormatInt(results[group][tp], 10))
		}
	}
	t.println("")
}

func (t *streamsTool) resetGroup(group string) (offsetsOf, error) {
	partitions, err := t.partitionsToReset(group)
	if err != nil {
		return nil, err
	}
	offsets, err := t.newOffsets(group, partitions)
	if err == nil && t.o.Has(t.o.execute) {
		err = t.admin.setOffsets(t.limit, group, offsets)
	}
	return offsets, err
}

func (t *streamsTool) partitionsToReset(group string) ([]kafka.TopicPartition, error) {
	switch {
	case t.o.Has(t.o.allInputTopics):
		return t.inputPartitions(group)
	case t.o.Has(t.o.inputTopic):
		partitions, err := t.parseTopics(t.o.Values(t.o.inputTopic))
		if err == nil {
			err = t.checkPartitions(partitions)
		}
		if err != nil {
			return nil, err
		}
		committed, err := t.admin.committedOffsets(t.limit, group)
		if err != nil {
			return nil, inRuntime(inFuture(err))
		}
		for _, tp := range partitions {
			if _, ok := committed[tp]; !ok {
				t.printGroupError("One or more topics are not part of the group '" + group + "'.")
				return nil, nil
			}
		}
		return partitions, nil
	case !t.o.Has(t.o.fromFile):
		return nil, &usageError{t.o.parser, "One of the reset scopes should be defined: --all-topics, --topic."}
	}
	return nil, nil
}

// inputPartitions are the partitions of the topology's input topics for which the group has offsets.
func (t *streamsTool) inputPartitions(group string) ([]kafka.TopicPartition, error) {
	g, err := t.admin.describeStreamsGroup(t.limit, group)
	if err != nil {
		return nil, inRuntime(inFuture(err))
	}
	committed, err := t.admin.committedOffsets(t.limit, group)
	if err != nil {
		return nil, inRuntime(inFuture(err))
	}
	sources := g.sourceTopics(false)
	maps.DeleteFunc(committed, func(tp kafka.TopicPartition, _ committedOffset) bool { return !slices.Contains(sources, tp.Topic) })
	return sortPartitions(slices.Collect(maps.Keys(committed))), nil
}

// deleteInternalOf deletes the internal topics of a group that was reset, as far as the options say so.
func (t *streamsTool) deleteInternalOf(group string) {
	if !t.o.Has(t.o.execute) {
		return
	}
	topics := t.o.Values(t.o.deleteInternalTopic)
	if t.o.Has(t.o.deleteAllInternalTopics) {
		topics = t.internalTopics(group)
	}
	if len(topics) == 0 {
		return
	}
	if err := t.admin.deleteTopics(topics); err != nil {
		t.printGroupError("Deleting internal topics for group '" + group + "' failed due to " + javaString(inFuture(err)))
	}
}

func (t *streamsTool) deleteOffsets() error {
	group, err := t.o.Value(t.o.group)
	if err != nil {
		return err
	}
	results := make(map[kafka.TopicPartition]error)
	var partitions []kafka.TopicPartition
	if t.o.Has(t.o.allInputTopics) {
		partitions, err = t.inputPartitions(group)
	} else {
		partitions, err = t.namedPartitions(t.o.Values(t.o.inputTopic), results)
	}
	if err != nil {
		return err
	}
	t.reportDeletedOffsets(group, t.deletePartitions(group, partitions, results))
	rows := [][]string{{"TOPIC", "PARTITION", "STATUS"}}
	for _, tp := range sortPartitions(slices.Collect(maps.Keys(results))) {
		id, status := missing, "Successful"
		if tp.Partition >= 0 {
			id = itoa(int(tp.Partition))
		}
		if failure := results[tp]; failure != nil {
			status = "Error: " + javaString(failure)
		}
		rows = append(rows, []string{tp.Topic, id, status})
	}
	widest := widths(rows, []int{15, 10, 15})
	for _, row := range rows {
		t.printf("\n%s%s", padded(row, widest), strings.Repeat(" ", max(15-len(row[2]), 0)))
	}
	t.println("")
	return nil
}
