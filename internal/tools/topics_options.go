package tools

import (
	"github.com/ottla/ottla/internal/tools/options"
)

const seeKafkaConfigs = " (To alter topic configurations, the kafka-configs tool can be used.)"

// topicsOptions are the options of kafka-topics.
type topicsOptions struct {
	*options.Set
	parser *options.Parser

	bootstrap, commandConfig                                     *options.Option
	list, create, delete, alter, describe                        *options.Option
	topic, topicID, config, deleteConfig, partitions             *options.Option
	replicationFactor, replicaAssignment                         *options.Option
	underReplicated, unavailable, underMinISR, atMinISR          *options.Option
	withOverrides, ifExists, ifNotExists, excludeInternal, limit *options.Option
}

func newTopicsOptions() *topicsOptions {
	p := options.NewParser()
	o := &topicsOptions{parser: p}
	o.bootstrap = p.Value("bootstrap-server", "host:port,...", "REQUIRED: the brokers to connect to.")
	o.commandConfig = p.Value("command-config", "file", "Properties file for the client.")
	o.list = p.Flag("list", "List topics.")
	o.create = p.Flag("create", "Create a topic.")
	o.delete = p.Flag("delete", "Delete topics.")
	o.alter = p.Flag("alter", "Add partitions to topics."+seeKafkaConfigs)
	o.describe = p.Flag("describe", "Show the partitions of topics.")
	o.topic = p.Value("topic", "topic", "The topic. With --list, --describe, --alter and --delete a regular expression; a comma stands for '|'.")
	o.topicID = p.Value("topic-id", "topic-id", "Describe the topic with this id.")
	o.config = p.Value("config", "name=value", "With --create: a config of the new topic. May be repeated."+seeKafkaConfigs)
	o.deleteConfig = p.Value("delete-config", "name", "Has had no effect since Kafka 4.0.")
	o.partitions = p.Value("partitions", "number", "With --create and --alter: the number of partitions. More partitions on a topic with keys send keys elsewhere.").Integer()
	o.replicationFactor = p.Value("replication-factor", "number", "With --create: the number of replicas of each partition.").Integer()
	o.replicaAssignment = p.Value("replica-assignment", "broker:broker,broker:broker,...", "With --create and --alter: the brokers of each partition.")
	o.underReplicated = p.Flag("under-replicated-partitions", "Describe only partitions with replicas that are not in sync.")
	o.unavailable = p.Flag("unavailable-partitions", "Describe only partitions without a leader that is there.")
	o.underMinISR = p.Flag("under-min-isr-partitions", "Describe only partitions with fewer replicas in sync than min.insync.replicas.")
	o.atMinISR = p.Flag("at-min-isr-partitions", "Describe only partitions with as many replicas in sync as min.insync.replicas.")
	o.withOverrides = p.Flag("topics-with-overrides", "Describe only topics with configs of their own.")
	o.ifExists = p.Flag("if-exists", "With --alter, --delete and --describe: a topic that is not there is no error.")
	o.ifNotExists = p.Flag("if-not-exists", "With --create: a topic that is there is no error.")
	o.excludeInternal = p.Flag("exclude-internal", "Leave out internal topics when listing and describing.")
	o.limit = p.Value("partition-size-limit-per-response", "number", "The greatest number of partitions in one DescribeTopicPartitions response.").Integer()
	return o
}

func (inv *invocation) parseTopicsOptions() (*topicsOptions, error) {
	o := newTopicsOptions()
	var err error
	if o.Set, err = o.parser.Parse(inv.args); err != nil {
		return nil, err
	}
	if len(inv.args) == 0 {
		return nil, &usageError{o.parser, "Create, delete, describe, or change a topic."}
	}
	if err := inv.helpOrVersion(o.parser, o.Set, "This tool helps to create, delete, describe, or change a topic."); err != nil {
		return nil, err
	}
	return o, o.check(inv)
}

func (o *topicsOptions) check(inv *invocation) error {
	r := &rules{parser: o.parser, set: o.Set}
	r.failIf(r.count(o.create, o.list, o.alter, o.describe, o.delete) != 1,
		"Command must include exactly one action: --list, --describe, --create, --alter or --delete")
	if r.err == nil && o.Has(o.deleteConfig) {
		inv.complain("--delete-config has had no effect since Kafka 4.0 and will be removed." + seeKafkaConfigs)
	}
	if r.err == nil && !o.Has(o.bootstrap) {
		return illegalArgument("--bootstrap-server must be specified")
	}
	o.checkActions(inv, r)
	o.checkReports(r)
	return r.err
}

func (o *topicsOptions) checkActions(inv *invocation, r *rules) {
	if o.Has(o.describe) && o.Has(o.ifExists) {
		r.failIf(!o.Has(o.topic) && !o.Has(o.topicID), "--topic or --topic-id is required to describe a topic")
		if r.err == nil && o.Has(o.topic) && o.Has(o.topicID) {
			inv.println("Only topic id will be used when both --topic and --topic-id are specified and topicId is not Uuid.ZERO_UUID")
		}
	}
	if !o.Has(o.list) && !o.Has(o.describe) {
		r.require(o.topic)
	}
	if o.Has(o.alter) {
		r.failIf(o.Has(o.config), `Option combination "[[config], [bootstrap-server]]" can't be used with option "[alter]"%s`, seeKafkaConfigs)
		r.require(o.partitions)
	}
	r.forbid(o.config, o.describe, o.list, o.delete)
	r.forbid(o.partitions, o.describe, o.list, o.delete)
	r.forbid(o.replicationFactor, o.alter, o.describe, o.list, o.delete)
	r.forbid(o.replicaAssignment, o.describe, o.list, o.delete)
	if o.Has(o.create) {
		r.forbid(o.replicaAssignment, o.partitions, o.replicationFactor)
	}
}

func (o *topicsOptions) checkReports(r *rules) {
	reports := []*options.Option{o.underReplicated, o.underMinISR, o.atMinISR, o.unavailable}
	for _, report := range reports {
		r.forbid(report, o.alter, o.create, o.list, o.delete, o.withOverrides)
	}
	r.forbid(o.withOverrides, append(reports, o.alter, o.create, o.list, o.delete)...)
	r.forbid(o.ifExists, o.create, o.list)
	r.forbid(o.ifNotExists, o.alter, o.describe, o.list, o.delete)
	r.forbid(o.excludeInternal, o.alter, o.create, o.delete)
}
