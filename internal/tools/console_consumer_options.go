package tools

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"

	"github.com/ottla/ottla/internal/tools/options"
)

const consoleConsumerPurpose = "This tool helps to read data from Kafka topics and outputs it to standard output."

// consoleConsumerOptions are the options of kafka-console-consumer.
type consoleConsumerOptions struct {
	*options.Set
	parser *options.Parser

	topic, include, partition, offset, fromBeginning, group, isolation *options.Option
	maxMessages, timeout, skipOnError, systestEvents, bootstrap        *options.Option
	formatter, property, formatterProperty, formatterConfig            *options.Option
	keyDeserializer, valueDeserializer                                 *options.Option
	consumerProperty, commandProperty, consumerConfig, commandConfig   *options.Option
}

func newConsoleConsumerOptions() *consoleConsumerOptions {
	p := options.NewParser()
	o := &consoleConsumerOptions{parser: p}
	o.topic = p.Value("topic", "topic", "The topic to read.")
	o.include = p.Value("include", "regular expression", "The topics to read, as a regular expression.")
	o.partition = p.Value("partition", "partition", "The partition to read, from its end unless --offset says otherwise.").Integer()
	o.offset = p.Value("offset", "offset", "With --partition: where to begin, an offset, earliest or latest.").Default("latest")
	o.consumerProperty = p.Value("consumer-property", "key=value", "DEPRECATED: use --command-property.")
	o.commandProperty = p.Value("command-property", "key=value", "A property of the consumer.")
	o.consumerConfig = p.Value("consumer.config", "file", "DEPRECATED: use --command-config.")
	o.commandConfig = p.Value("command-config", "file", "Properties file for the consumer; --command-property goes first.")
	o.formatter = p.Value("formatter", "class", "How records are printed: "+strings.Join(formatterNames(), ", ")).Default(defaultFormatter)
	properties := "print.timestamp, print.key, print.offset, print.epoch, print.partition, print.headers, print.value (true or false), " +
		"key.separator, line.separator, headers.separator, null.literal, key.deserializer, value.deserializer, headers.deserializer"
	o.property = p.Value("property", "key=value", "DEPRECATED: use --formatter-property.")
	o.formatterProperty = p.Value("formatter-property", "key=value", "A property of the formatter: "+properties)
	o.formatterConfig = p.Value("formatter-config", "file", "Properties file for the formatter; --formatter-property goes first.")
	o.fromBeginning = p.Flag("from-beginning", "Begin at the first record if the group has no offset yet.")
	o.maxMessages = p.Value("max-messages", "number", "Stop after so many records.").Integer()
	o.timeout = p.Value("timeout-ms", "ms", "Stop if no record comes for so long.").Long()
	o.skipOnError = p.Flag("skip-message-on-error", "Skip a record that cannot be printed instead of stopping.")
	o.bootstrap = p.Value("bootstrap-server", "host:port,...", "REQUIRED: the brokers to connect to.")
	o.keyDeserializer = p.Value("key-deserializer", "class", "How keys are read.")
	o.valueDeserializer = p.Value("value-deserializer", "class", "How values are read.")
	o.systestEvents = p.Flag("enable-systest-events", "Print shutdown_complete at the end, for system tests.")
	o.isolation = p.Value("isolation-level", "level", "read_committed leaves out records of transactions that were not committed; read_uncommitted does not.").Default("read_uncommitted")
	o.group = p.Value("group", "group", "The consumer group; a new one without it.")
	return o
}

// A consumerPlan is what the options of kafka-console-consumer ask for.
type consumerPlan struct {
	topic, include  string
	partition       int32 // -1: of a group
	start           int64 // for a partition: an offset, latestTimestamp or earliestTimestamp
	timeoutMs       int64 // -1: none
	maxMessages     func() (int, error)
	skipOnError     bool
	systestEvents   bool
	classicProtocol bool
	settings        *settings
	formatter       formatter
}

func (inv *invocation) parseConsoleConsumerOptions() (*consumerPlan, error) {
	o := newConsoleConsumerOptions()
	var err error
	if o.Set, err = o.parser.Parse(inv.args); err != nil {
		return nil, &usageError{o.parser, err.Error()}
	}
	if err := inv.helpOrVersion(o.parser, o.Set, consoleConsumerPurpose); err != nil {
		return nil, err
	}
	read := o.Reader()
	partition := read.Int(o.partition)
	if read.Err() != nil {
		return nil, read.Err()
	}
	if err := o.check(); err != nil {
		return nil, err
	}
	inv.renameDeprecated(o)
	s, err := inv.consumerSettings(o)
	if err != nil {
		return nil, err
	}
	plan := &consumerPlan{topic: read.String(o.topic), include: read.String(o.include), partition: -1, settings: s, timeoutMs: -1}
	if o.Has(o.partition) {
		plan.partition = int32(partition)
	}
	if plan.start, err = o.startOffset(read); err != nil {
		return nil, err
	}
	if o.Has(o.timeout) {
		plan.timeoutMs = max(read.Long(o.timeout), -1)
	}
	plan.maxMessages = func() (int, error) {
		if !o.Has(o.maxMessages) {
			return -1, nil
		}
		r := o.Reader()
		return r.Int(o.maxMessages), r.Err()
	}
	plan.skipOnError, plan.systestEvents = o.Has(o.skipOnError), o.Has(o.systestEvents)
	plan.classicProtocol = !strings.EqualFold(s.values["group.protocol"], "consumer")
	if read.Err() != nil {
		return nil, read.Err()
	}
	plan.formatter, err = inv.buildFormatter(o)
	return plan, err
}

func (o *consoleConsumerOptions) check() error {
	r := &rules{parser: o.parser, set: o.Set}
	r.oneOf(o.topic, o.include)
	if o.Has(o.partition) {
		r.failIf(!o.Has(o.topic), "The topic is required when partition is specified.")
		r.failIf(o.Has(o.fromBeginning) && o.Has(o.offset), "Options from-beginning and offset cannot be specified together.")
	} else {
		r.failIf(o.Has(o.offset), "The partition is required when offset is specified.")
	}
	r.require(o.bootstrap)
	r.together(o.consumerProperty, o.commandProperty)
	r.together(o.consumerConfig, o.commandConfig)
	return r.err
}

func (inv *invocation) renameDeprecated(o *consoleConsumerOptions) {
	for _, old := range []struct{ option, instead *options.Option }{
		{o.consumerProperty, o.commandProperty}, {o.consumerConfig, o.commandConfig},
	} {
		if o.Has(old.option) {
			inv.warnDeprecated(old.option, old.instead)
			o.Rename(old.option, old.instead)
		}
	}
}

func (inv *invocation) warnDeprecated(old, instead *options.Option) {
	inv.println("Option --" + old.Name() + " is deprecated and will be removed in a future version. Use --" + instead.Name() + " instead.")
}

// consumerSettings merges the properties of the file, of --command-property and of the options.
func (inv *invocation) consumerSettings(o *consoleConsumerOptions) (*settings, error) {
	r := o.Reader()
	file, bootstrap, group := r.String(o.commandConfig), r.String(o.bootstrap), r.String(o.group)
	isolation := r.String(o.isolation)
	if r.Err() != nil {
		return nil, r.Err()
	}
	s, err := loadSettings(file)
	if err != nil {
		return nil, err
	}
	extra := keyValues(o.Values(o.commandProperty))
	groups, err := o.groups(group, s.values, extra)
	if err != nil {
		return nil, err
	}
	maps.Copy(s.values, extra)
	if err := inv.setReset(o, s); err != nil {
		return nil, err
	}
	s.values["bootstrap.servers"] = bootstrap
	if o.Has(o.isolation) || !s.has("isolation.level") {
		s.values["isolation.level"] = isolation
	}
	if len(groups) > 0 {
		s.values["group.id"] = groups[0]
		return s, nil
	}
	s.values["group.id"] = fmt.Sprintf("console-consumer-%d", rand.IntN(100000))
	if !s.has("enable.auto.commit") {
		s.values["enable.auto.commit"] = "false" // nobody will ask for the offsets of such a group
	}
	return s, nil
}

// groups collects the group ids from everywhere; they must agree.
func (o *consoleConsumerOptions) groups(option string, file, extra map[string]string) ([]string, error) {
	r := &rules{parser: o.parser, set: o.Set}
	var groups []string
	if o.Has(o.group) {
		groups = append(groups, option)
	}
	for _, properties := range []map[string]string{file, extra} {
		if g, ok := properties["group.id"]; ok && !slices.Contains(groups, g) {
			groups = append(groups, g)
		}
	}
	var quoted []string
	for _, g := range inJavaMapOrder(groups, func(g string) string { return g }) {
		quoted = append(quoted, "'"+g+"'")
	}
	r.failIf(len(groups) > 1, "The group ids provided in different places (directly using '--group', "+
		"via '--consumer-property', or via '--consumer.config') do not match. Detected group ids: %s", strings.Join(quoted, ", "))
	r.failIf(len(groups) > 0 && o.Has(o.partition), "Options group and partition cannot be specified together.")
	return groups, r.err
}

func (inv *invocation) setReset(o *consoleConsumerOptions, s *settings) error {
	reset, asked := s.values["auto.offset.reset"]
	switch {
	case asked && o.Has(o.fromBeginning) && reset != "earliest":
		return &plainError{"Can't simultaneously specify --from-beginning and 'auto.offset.reset=" + reset + "', please remove one option"}
	case asked:
	case o.Has(o.fromBeginning):
		s.values["auto.offset.reset"] = "earliest"
	default:
		s.values["auto.offset.reset"] = "latest"
	}
	return nil
}

func (o *consoleConsumerOptions) startOffset(r *options.Reader) (int64, error) {
	text := r.String(o.offset)
	switch lower := strings.ToLower(text); {
	case !o.Has(o.offset) && o.Has(o.fromBeginning), o.Has(o.offset) && lower == "earliest":
		return earliestTimestamp, nil
	case !o.Has(o.offset), lower == "latest":
		return latestTimestamp, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return 0, &usageError{o.parser, "The provided offset value '" + text + "' is incorrect. Valid values are " +
			"'earliest', 'latest', or a non-negative long."}
	}
	return n, nil
}

// buildFormatter makes the formatter with its properties; what is wrong with them is a usage error.
func (inv *invocation) buildFormatter(o *consoleConsumerOptions) (formatter, error) {
	r := o.Reader()
	class, file := r.String(o.formatter), r.String(o.formatterConfig)
	key, value := r.String(o.keyDeserializer), r.String(o.valueDeserializer)
	if r.Err() != nil {
		return nil, &usageError{o.parser, r.Err().Error()}
	}
	if !slices.Contains(formatterNames(), class) {
		return nil, &usageError{o.parser, class}
	}
	rule := &rules{parser: o.parser, set: o.Set}
	rule.together(o.property, o.formatterProperty)
	if rule.err != nil {
		return nil, rule.err
	}
	if o.Has(o.property) {
		inv.warnDeprecated(o.property, o.formatterProperty)
		o.Rename(o.property, o.formatterProperty)
	}
	properties := make(map[string]string)
	if file != "" {
		loaded, err := loadProperties(file)
		if err != nil {
			return nil, &usageError{o.parser, err.Error()}
		}
		properties = loaded
	}
	if key != "" {
		properties["key.deserializer"] = key
	}
	if value != "" {
		properties["value.deserializer"] = value
	}
	maps.Copy(properties, keyValues(o.Values(o.formatterProperty)))
	return newFormatter(class, properties, inv.log()), nil
}
