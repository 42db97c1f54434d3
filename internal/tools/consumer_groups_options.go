package tools

import "github.com/ottla/ottla/internal/tools/options"

const consumerGroupsPurpose = "This tool helps to list all consumer groups, describe a consumer group, delete consumer group info, " +
	"or reset consumer group offsets."

const dryRunWarning = "WARN: No action will be performed as the --execute option is missing. " +
	"In version 5.0, this command will require either --dry-run or --execute to be specified. " +
	"You should add the --dry-run option explicitly if you are scripting this command and want to " +
	"keep the current default behavior without prompting."

// consumerGroupsOptions are the options of kafka-consumer-groups.
type consumerGroupsOptions struct {
	resetOptions

	bootstrap, commandConfig, topic, allTopics, allGroups, timeout *options.Option
	list, describe, delete, deleteOffsets, validateRegex           *options.Option
	members, verbose, offsets, state, kind                         *options.Option
}

func newConsumerGroupsOptions() *consumerGroupsOptions {
	p := options.NewParser()
	o := &consumerGroupsOptions{resetOptions: resetOptions{parser: p}}
	o.bootstrap = p.Value("bootstrap-server", "host:port,...", "REQUIRED, but for --validate-regex: the brokers to connect to.")
	o.group = p.Value("group", "group", "The group. May be repeated.")
	o.topic = p.Value("topic", "topic", "With --reset-offsets and --delete-offsets: a topic, or topic:0,1,2. May be repeated.")
	o.allTopics = p.Flag("all-topics", "With --reset-offsets: all topics in which the group has offsets.")
	o.list = p.Flag("list", "List groups.")
	o.describe = p.Flag("describe", "Show how far groups have come and how far behind they are.")
	o.allGroups = p.Flag("all-groups", "All groups.")
	o.delete = p.Flag("delete", "Delete groups and their offsets.")
	o.timeout = p.Value("timeout", "ms", "How long a request may take.").Long().Default("30000")
	o.commandConfig = p.Value("command-config", "file", "Properties file for the client.")
	o.reset = p.Flag("reset-offsets", "Set the offsets of groups without members. Say where to with one of --to-datetime, --by-duration, --to-earliest, --to-latest, --shift-by, --from-file, --to-current, --to-offset, and of what with --topic or --all-topics.")
	o.deleteOffsets = p.Flag("delete-offsets", "Delete the offsets of a group in topics.")
	o.addTargets()
	o.members = p.Flag("members", "With --describe: the members.").AvailableIf(o.describe)
	o.verbose = p.Flag("verbose", "With --describe: more columns.").AvailableIf(o.describe)
	o.offsets = p.Flag("offsets", "With --describe: the offsets, as without it.").AvailableIf(o.describe)
	o.state = p.OptionalValue("state", "states", "With --describe: the state. With --list: show states, or only groups in these, separated by commas.").AvailableIf(o.describe, o.list)
	o.kind = p.OptionalValue("type", "types", "With --list: show types, or only groups of these: classic, consumer.").AvailableIf(o.list)
	o.validateRegex = p.Value("validate-regex", "regex", "Tell whether this is a regular expression in RE2's syntax.")
	return o
}

func (inv *invocation) parseConsumerGroupsOptions() (*consumerGroupsOptions, error) {
	o := newConsumerGroupsOptions()
	var err error
	if o.Set, err = o.parser.Parse(inv.args); err != nil {
		return nil, err
	}
	if err := inv.helpOrVersion(o.parser, o.Set, consumerGroupsPurpose); err != nil {
		return nil, err
	}
	r := &rules{parser: o.parser, set: o.Set}
	if !o.Has(o.validateRegex) {
		r.require(o.bootstrap)
	}
	o.checkScope(r)
	if o.Has(o.reset) {
		o.checkReset(inv, r)
	}
	r.forbid(o.group, o.allGroups, o.list)
	r.forbid(o.topic, o.list, o.describe)
	r.failIf(r.count(o.list, o.describe, o.delete, o.reset, o.deleteOffsets, o.validateRegex) != 1,
		"Command must include exactly one action: --list, --describe, --delete, --reset-offsets, --delete-offsets, --validate-regex")
	return o, r.err
}

func (o *consumerGroupsOptions) checkScope(r *rules) {
	groups := []*options.Option{o.group, o.allGroups}
	if o.Has(o.describe) {
		r.failIf(r.count(groups...) == 0, "Option %s takes one of these options: %s", o.describe, join(groups))
		views := []*options.Option{o.members, o.offsets, o.state}
		r.failIf(r.count(views...) > 1, "Option %s takes at most one of these options: %s", o.describe, join(views))
		r.failIf(o.HasValue(o.state), "Option %s does not take a value for %s", o.describe, o.state)
	}
	if o.Has(o.delete) {
		r.failIf(r.count(groups...) == 0, "Option %s takes one of these options: %s", o.delete, join(groups))
		r.failIf(o.Has(o.topic), "The consumer does not support topic-specific offset deletion from a consumer group.")
	}
	if o.Has(o.deleteOffsets) {
		both := []*options.Option{o.group, o.topic}
		r.failIf(r.count(both...) < 2, "Option %s takes the following options: %s", o.deleteOffsets, join(both))
	}
}

func (o *consumerGroupsOptions) checkReset(inv *invocation, r *rules) {
	r.failIf(o.Has(o.dryRun) && o.Has(o.execute), "Option %s only accepts one of %s and %s", o.reset, o.execute, o.dryRun)
	if r.err == nil && !o.Has(o.dryRun) && !o.Has(o.execute) {
		inv.complain(dryRunWarning)
	}
	r.failIf(!o.Has(o.group) && !o.Has(o.allGroups), "Option %s takes one of these options: %s", o.reset, join([]*options.Option{o.group, o.allGroups}))
	o.forbidTwoTargets(r)
}
