package tools

import (
	"cmp"
	"errors"
	"slices"
	"strconv"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/tools/options"
)

// getOffsetsOptions are the options of kafka-get-offsets.
type getOffsetsOptions struct {
	*options.Set
	parser                                   *options.Parser
	bootstrap, commandConfig                 *options.Option
	topic, partitions, topicPartitions, time *options.Option
	excludeInternal                          *options.Option
}

const getOffsetsPurpose = "An interactive shell for getting topic-partition offsets."

func newGetOffsetsOptions() *getOffsetsOptions {
	p := options.NewParser()
	return &getOffsetsOptions{
		parser:          p,
		bootstrap:       p.Value("bootstrap-server", "host:port,...", "REQUIRED: the brokers to connect to."),
		topicPartitions: p.Value("topic-partitions", "topic:1,topic:0-3,topic,topic:5-,topic:-3", "Patterns of partitions, separated by commas: a regular expression for the topic (all if empty), then a number, a range (its end not included), or nothing for all partitions."),
		topic:           p.Value("topic", "topic", "The topic, as a regular expression; all topics without it. Not with --topic-partitions."),
		partitions:      p.Value("partitions", "ids", "Partition numbers, separated by commas; all partitions without it. Not with --topic-partitions."),
		time:            p.Value("time", "timestamp / -1 or latest / -2 or earliest / -3 or max-timestamp / -4 or earliest-local / -5 or latest-tiered / -6 or earliest-pending-upload", "The first offset whose timestamp is not before this one; a partition without such an offset is left out.").Default("latest"),
		commandConfig:   p.Value("command-config", "file", "Properties file for the client."),
		excludeInternal: p.Flag("exclude-internal-topics", "Leave out internal topics."),
	}
}

// runGetOffsets is kafka-get-offsets.
func runGetOffsets(inv *invocation) int {
	err := inv.getOffsets()
	if exit, ok := inv.finish(err); ok {
		return exit
	}
	inv.complain("Error occurred: " + err.Error())
	if e, ok := errors.AsType[*exception](err); !ok || e.class != "org.apache.kafka.tools.TerseException" {
		inv.trace("", err)
	}
	return 1
}

func (inv *invocation) getOffsets() error {
	o := newGetOffsetsOptions()
	if len(inv.args) == 0 {
		return &usageError{o.parser, getOffsetsPurpose}
	}
	var err error
	if o.Set, err = o.parser.Parse(inv.args); err != nil {
		return terse(err.Error())
	}
	if err := inv.helpOrVersion(o.parser, o.Set, getOffsetsPurpose); err != nil {
		return err
	}
	r := o.Reader()
	rule := &rules{parser: o.parser, set: o.Set}
	rule.require(o.bootstrap)
	bootstrap := r.String(o.bootstrap)
	if fault := checkBootstrapOption(bootstrap); fault != "" {
		rule.fail("%s", fault)
	}
	if rule.err != nil {
		return rule.err
	}
	if o.Has(o.topicPartitions) && (o.Has(o.topic) || o.Has(o.partitions)) {
		return terse("--topic-partitions cannot be used with --topic or --partitions")
	}
	timestamp, err := parseOffsetTime(r.String(o.time))
	if err != nil {
		return err
	}
	filters, err := o.filters(r)
	if err = cmp.Or(r.Err(), err); err != nil {
		return err
	}
	return inv.printOffsets(o, bootstrap, r.String(o.commandConfig), filters, timestamp)
}

func (o *getOffsetsOptions) filters(r *options.Reader) ([]partitionFilter, error) {
	if o.Has(o.topicPartitions) {
		return newPartitionFilters(r.String(o.topicPartitions))
	}
	f, err := newPartitionFilter(r.String(o.topic), r.String(o.partitions))
	return []partitionFilter{f}, err
}

// parseOffsetTime reads --time.
func parseOffsetTime(text string) (int64, error) {
	names := []string{"latest", "earliest", "max-timestamp", "earliest-local", "latest-tiered", "earliest-pending-upload"}
	if i := slices.Index(names, text); i >= 0 {
		return int64(-1 - i), nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, terse("Malformed time argument " + text + ". Please use -1 or latest / -2 or earliest / -3 or max-timestamp / " +
			"-4 or earliest-local / -5 or latest-tiered / -6 or earliest-pending-upload, or a specified long format timestamp")
	}
	return n, nil
}

func (inv *invocation) printOffsets(o *getOffsetsOptions, bootstrap, file string, filters []partitionFilter, timestamp int64) error {
	s, err := loadSettings(file)
	if err != nil {
		return err
	}
	a, err := inv.newAdmin(s, bootstrap, "GetOffsetShell")
	if err != nil {
		return err
	}
	defer a.close()
	partitions, err := a.matchingPartitions(filters, o.Has(o.excludeInternal))
	if err != nil {
		return inFuture(err)
	}
	if len(partitions) == 0 {
		return terse("Could not match any topic-partitions with the specified filters")
	}
	offsets, err := a.listOffsets(partitions, timestamp)
	if err != nil {
		return inFuture(err)
	}
	slices.SortFunc(partitions, func(x, y kafka.TopicPartition) int { return cmp.Compare(x.String(), y.String()) })
	for _, tp := range partitions {
		if answer := offsets[tp]; answer.err != nil {
			inv.complain("Skip getting offsets for topic-partition " + tp.String() + " due to error: " + javaString(answer.err))
		}
	}
	for _, tp := range partitions {
		if answer, ok := offsets[tp]; ok && answer.err == nil && answer.offset != -1 {
			inv.printf("%s:%d:%d\n", tp.Topic, tp.Partition, answer.offset)
		}
	}
	return nil
}

// matchingPartitions lists the partitions that one of filters allows.
func (a *admin) matchingPartitions(filters []partitionFilter, excludeInternal bool) ([]kafka.TopicPartition, error) {
	topics, err := a.listTopics()
	if err != nil {
		return nil, err
	}
	var names []string
	for _, t := range topics {
		wanted := slices.ContainsFunc(filters, func(f partitionFilter) bool { return f.topics.allows(t.name) })
		if wanted && (!t.internal || !excludeInternal) {
			names = append(names, t.name)
		}
	}
	described, err := a.describeTopics(names, describeLimit)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(partitionsOf(described), func(tp kafka.TopicPartition) bool {
		return !slices.ContainsFunc(filters, func(f partitionFilter) bool { return f.allows(tp) })
	}), nil
}
