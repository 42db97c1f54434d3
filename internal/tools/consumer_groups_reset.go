package tools

import (
	"cmp"
	"encoding/csv"
	"errors"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/ottla/ottla/internal/kafka"
)

// offsetsOf are new offsets of one group.
type offsetsOf map[kafka.TopicPartition]int64

func (t *groupsTool) reset() error {
	ids, err := t.groups()
	if err != nil {
		return err
	}
	groups, failures, err := t.admin.describeGroups(t.limit, ids)
	if err != nil {
		return inRuntime(inFuture(err))
	}
	results := make(map[string]offsetsOf)
	for _, id := range ids {
		g, known := groups[id]
		switch failure := failures[id]; {
		case failure != nil && !isMissingGroup(failure):
			return inRuntime(inFuture(failure))
		case known && g.state != "Empty" && g.state != "Dead":
			t.printGroupError("Assignments can only be reset if the group '" + id + "' is inactive, but the current state is " + g.state + ".")
			results[id] = offsetsOf{}
		default: // a group that is not there is made by its first offset
			if results[id], err = t.resetGroup(id); err != nil {
				return err
			}
		}
	}
	if t.o.Has(t.o.export) {
		t.println(exportOffsets(results, len(t.o.Values(t.o.group)) == 1))
		return nil
	}
	t.printReset(results)
	return nil
}

func (t *groupsTool) resetGroup(group string) (offsetsOf, error) {
	partitions, err := t.partitionsToReset(group)
	if err != nil {
		return nil, err
	}
	if err := t.checkPartitions(partitions); err != nil {
		return nil, err
	}
	offsets, err := t.newOffsets(group, partitions)
	if err != nil {
		return nil, err
	}
	if t.o.Has(t.o.execute) {
		err = t.admin.setOffsets(t.limit, group, offsets)
	}
	return offsets, err
}

func (t *groupsTool) partitionsToReset(group string) ([]kafka.TopicPartition, error) {
	switch {
	case t.o.Has(t.o.allTopics):
		committed, err := t.admin.committedOffsets(t.limit, group)
		if err != nil {
			return nil, inRuntime(inFuture(err))
		}
		return sortPartitions(slices.Collect(maps.Keys(committed))), nil
	case t.o.Has(t.o.topic):
		return t.parseTopics(t.o.Values(t.o.topic))
	case !t.o.Has(t.o.fromFile):
		return nil, &usageError{t.o.parser, "One of the reset scopes should be defined: --all-topics, --topic."}
	}
	return nil, nil
}

// parseTopics reads values of --topic: a topic with all its partitions, or topic:0,1,2.
func (t *resetter) parseTopics(args []string) ([]kafka.TopicPartition, error) {
	var partitions []kafka.TopicPartition
	var whole []string
	for _, arg := range args {
		if !strings.Contains(arg, ":") {
			whole = append(whole, arg)
			continue
		}
		some, err := parseTopicPartitions(arg)
		if err != nil {
			return nil, err
		}
		partitions = append(partitions, some...)
	}
	topics, err := t.admin.describeTopics(whole, describeLimit)
	if err != nil {
		return nil, err
	}
	return append(partitions, partitionsOf(topics)...), nil
}

func parseTopicPartitions(arg string) ([]kafka.TopicPartition, error) {
	parts := strings.Split(strings.TrimRight(arg, ":"), ":")
	if len(parts) != 2 {
		return nil, illegalArgument("Invalid topic arg '" + arg + "', expected topic name and partitions")
	}
	var partitions []kafka.TopicPartition
	for id := range strings.SplitSeq(strings.TrimRight(parts[1], ","), ",") {
		n, err := parseInt32(id)
		if err != nil {
			return nil, illegalArgument("Invalid partition '" + id + "' specified in topic arg '" + arg + "''")
		}
		partitions = append(partitions, kafka.TopicPartition{Topic: parts[0], Partition: n})
	}
	return partitions, nil
}

// checkPartitions wants partitions that are there and have a leader.
func (t *resetter) checkPartitions(partitions []kafka.TopicPartition) error {
	topics, err := t.admin.describeTopics(slices.Sorted(maps.Keys(byTopic(partitions))), describeLimit)
	if err != nil {
		return inRuntime(inFuture(err))
	}
	leaders := make(map[kafka.TopicPartition]int32)
	for _, topic := range topics {
		for _, p := range topic.partitions {
			leaders[kafka.TopicPartition{Topic: topic.name, Partition: p.index}] = p.leader
		}
	}
	var absent, leaderless []string
	for _, tp := range partitions {
		if leader, ok := leaders[tp]; !ok {
			absent = append(absent, tp.String())
		} else if leader < 0 {
			leaderless = append(leaderless, tp.String())
		}
	}
	quoted := func(names []string, what string) *string {
		text := `The partitions "` + strings.Join(names, ",") + `" ` + what
		return &text
	}
	if absent != nil {
		return responseError(kerr.UnknownTopicOrPartition.Code, quoted(absent, "do not exist"))
	}
	if leaderless != nil {
		return responseError(kerr.LeaderNotAvailable.Code, quoted(leaderless, "have no leader"))
	}
	return nil
}

func (t *groupsTool) printReset(results map[string]offsetsOf) {
	rows := [][]string{}
	if len(results) > 0 {
		rows = append(rows, []string{"GROUP", "TOPIC", "PARTITION", "NEW-OFFSET"})
	}
	for _, group := range slices.Sorted(maps.Keys(results)) {
		for _, tp := range sortPartitions(slices.Collect(maps.Keys(results[group]))) {
			rows = append(rows, []string{group, tp.Topic, itoa(int(tp.Partition)), strconv.FormatInt(results[group][tp], 10)})
		}
	}
	widest := widths(rows, []int{15, 15, 10, 0})
	for _, row := range rows {
		t.printf("\n%s", padded(row, widest))
	}
	t.println("")
}

// exportOffsets writes topic,partition,offset lines, with the group in front unless there is one group only.
func exportOffsets(results map[string]offsetsOf, single bool) string {
	var b strings.Builder
	for _, group := range slices.Sorted(maps.Keys(results)) {
		for _, tp := range sortPartitions(slices.Collect(maps.Keys(results[group]))) {
			if !single {
				b.WriteString(quoteCSV(group) + ",")
			}
			b.WriteString(quoteCSV(tp.Topic) + "," + itoa(int(tp.Partition)) + "," + strconv.FormatInt(results[group][tp], 10) + "\n")
		}
	}
	return b.String()
}

// quoteCSV quotes where Kafka's tool does: long texts, and those with special characters.
func quoteCSV(text string) string {
	if len(text) <= 24 && !strings.ContainsAny(text, ",\"\r\n") {
		return text
	}
	return `"` + strings.ReplaceAll(text, `"`, `""`) + `"`
}

// readPlan reads the file of --from-file. Its lines have a group in front, unless one group was named and the first line has none.
func readPlan(path string, groups []string) (map[string]offsetsOf, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		message := "Unable to read file " + path
		if !errors.Is(err, fs.ErrNotExist) {
			message = err.Error()
		}
		return nil, inRuntime(&exception{class: "java.io.IOException", message: message, cause: err})
	}
	r := csv.NewReader(strings.NewReader(string(text)))
	r.FieldsPerRecord, r.LazyQuotes = -1, true
	lines, err := r.ReadAll()
	if err != nil {
		return nil, inRuntime(&exception{class: "java.io.IOException", message: err.Error(), cause: err})
	}
	plan := make(map[string]offsetsOf)
	bare := len(groups) == 1 && len(lines) > 0
	if bare {
		_, _, err := parsePlanLine(lines[0])
		bare = err == nil
	}
	for _, line := range lines {
		group := cmp.Or(groups...)
		if !bare {
			group, line = line[0], line[1:]
		}
		tp, offset, err := parsePlanLine(line)
		if err != nil {
			return nil, inRuntime(&exception{class: "java.io.IOException", message: err.Error(), cause: err})
		}
		if plan[group] == nil {
			plan[group] = offsetsOf{}
		}
		plan[group][tp] = offset
	}
	return plan, nil
}

// parsePlanLine reads topic,partition,offset; what is missing at the end is 0, as in Kafka.
func parsePlanLine(fields []string) (tp kafka.TopicPartition, offset int64, err error) {
	if len(fields) > 3 {
		return tp, 0, errors.New("too many columns: want topic,partition,offset or group,topic,partition,offset")
	}
	fields = append(slices.Clone(fields), "", "", "")
	tp.Topic = fields[0]
	if text := strings.TrimSpace(fields[1]); text != "" {
		if tp.Partition, err = parseInt32(text); err != nil {
			return tp, 0, err
		}
	}
	if text := strings.TrimSpace(fields[2]); text != "" {
		offset, err = strconv.ParseInt(text, 10, 64)
	}
	return tp, offset, err
}
