package tools

import (
	"math"
	"regexp"
	"slices"
	"strings"

	"github.com/ottla/ottla/internal/kafka"
)

// A partitionFilter tells which partitions of which topics are meant.
type partitionFilter struct {
	topics topicFilter
	ids    []int32 // all if empty
	from   int32
	below  int32
}

func (f partitionFilter) allows(tp kafka.TopicPartition) bool {
	return f.topics.allows(tp.Topic) && tp.Partition >= f.from && tp.Partition < f.below &&
		(len(f.ids) == 0 || slices.Contains(f.ids, tp.Partition))
}

// newPartitionFilter is for --topic and --partitions of kafka-get-offsets; empty texts stand for all.
func newPartitionFilter(topics, partitions string) (partitionFilter, error) {
	f := partitionFilter{below: math.MaxInt32}
	if topics == "" {
		topics = ".*"
	}
	if partitions != "" {
		for id := range strings.SplitSeq(strings.TrimRight(partitions, ","), ",") {
			n, err := parseInt32(id)
			if err != nil {
				return f, terse("--partitions expects a comma separated list of numeric partition ids, but received: " + partitions)
			}
			f.ids = append(f.ids, n)
		}
	}
	var err error
	f.topics, err = newTopicFilter(topics)
	return f, err
}

// newPartitionFilters is for --topic-partitions: topic, topic:3, topic:1-4 (4 not included), topic:1-, topic:-4, :0.
func newPartitionFilters(text string) ([]partitionFilter, error) {
	rule := regexp.MustCompile(`^([^:,]*)(?::(?:([0-9]*)|(?:([0-9]*)-([0-9]*))))?$`)
	var filters []partitionFilter
	for spec := range strings.SplitSeq(strings.TrimRight(text, ","), ",") {
		m := rule.FindStringSubmatch(spec)
		if m == nil {
			return nil, inRuntime(terse("Invalid rule specification: " + spec))
		}
		f, err := newPartitionFilter(m[1], "")
		if err != nil {
			return nil, err
		}
		for _, bound := range []struct {
			text string
			set  func(int32)
		}{
			{m[2], func(n int32) { f.ids = []int32{n} }},
			{m[3], func(n int32) { f.from = n }},
			{m[4], func(n int32) { f.below = n }},
		} {
			if bound.text == "" {
				continue
			}
			n, err := parseInt32(bound.text)
			if err != nil {
				return nil, &exception{class: "java.lang.NumberFormatException", message: `For input string: "` + bound.text + `"`}
			}
			bound.set(n)
		}
		filters = append(filters, f)
	}
	return filters, nil
}

// terse is a failure that is reported without its name.
func terse(message string) error {
	return &exception{class: "org.apache.kafka.tools.TerseException", message: message}
}
