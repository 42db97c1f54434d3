package tools

import "github.com/ottla/ottla/internal/tools/options"

const (
	streamsGroupsPurpose   = "This tool helps to list, or describe streams groups."
	oneStreamsGroupsAction = "Command must include exactly one action: --list, --describe, --delete, --reset-offsets, or --delete-offsets."
)

// streamsGroupsOptions are the options of kafka-streams-groups.
type streamsGroupsOptions struct {
	resetOptions

	bootstrap, commandConfig, allGroups, timeout *options.Option
	inputTopic, allInputTopics                   *options.Option
	list, describe, delete, deleteOffsets        *options.Option
	deleteInternalTopic, deleteAllInternalTopics *options.Option
	members, verbose, offsets, state             *options.Option
}

func newStreamsGroupsOptions() *streamsGroupsOptions {
	p := options.NewParser()
	o := &streamsGroupsOptions{resetOptions: resetOptions{parser: p}}
	o.bootstrap = p.Value("bootstrap-server", "host:port,...", "REQUIRED: the brokers to connect to.")
	o.commandConfig = p.Value("command-config", "file", "Properties file for the client.")
	o.group = p.Value("group", "group", "The group. May be repeated.")
	o.allGroups = p.Flag("all-groups", "All streams groups.")
	o.inputTopic = p.Value("input-topic", "topic", "With --reset-offsets and --delete-offsets: an input topic, or topic:0,1,2. May be repeated.")
	o.allInputTopics = p.Flag("all-input-topics", "With --reset-offsets and --delete-offsets: all input topics of the group's topology.")
	o.list = p.Flag("list", "List streams groups.")
	o.describe = p.Flag("describe", "Show how far groups have come and how far behind they are.")
	o.delete = p.Flag("delete", "Delete groups and their offsets.")
	o.reset = p.Flag("reset-offsets", "Set the offsets of groups without members. Say where to with one of --to-datetime, --by-duration, --to-earliest, --to-latest, --shift-by, --from-file, --to-current, --to-offset, and of what with --input-topic or --all-input-topics.")
	o.deleteOffsets = p.Flag("delete-offsets", "Delete the offsets of a group in input topics.")
	o.addTargets()
	o.deleteInternalTopic = p.Value("delete-internal-topic", "topic", "With --reset-offsets --execute: an internal topic of the group to delete. May be repeated.")
	o.deleteAllInternalTopics = p.Flag("delete-all-internal-topics", "With --delete, and with --reset-offsets --execute: delete all internal topics of the groups.")
	o.timeout = p.Value("timeout", "ms", "How long a request may take.").Long().Default("30000")
	o.members = p.Flag("members", "With --describe: the members.").AvailableIf(o.describe)
	o.verbose = p.Flag("verbose", "With --describe: more columns.").AvailableIf(o.describe)
	o.offsets = p.Flag("offsets", "With --describe: the offsets, as without it.").AvailableIf(o.describe)
	o.state = p.OptionalValue("state", "states", "With --describe: the state. With --list: show states, or only groups in these, separated by commas.").AvailableIf(o.list, o.describe)
	return o
}

func (inv *invocation) parseStreamsGroupsOptions() (*streamsGroupsOptions, error) {
	o := newStreamsGroupsOptions()
	var err error
	if o.Set, err = o.parser.Parse(inv.args); err != nil {
		return nil, &plainError{err.Error()}
	}
	if err := inv.helpOrVersion(o.parser, o.Set, streamsGroupsPurpose); err != nil {
		return nil, err
	}
	r := &rules{parser: o.parser, set: o.Set}
	r.require(o.bootstrap)
	o.checkScope(r)
	if o.Has(o.reset) {
		o.checkReset(r)
	}
	o.checkInternalTopics(r)
	r.failIf((o.Has(o.dryRun) || o.Has(o.execute)) && !o.Has(o.reset), "Only Option %s accepts %s or %s", o.reset, o.execute, o.dryRun)
	r.forbid(o.list, o.members, o.offsets)
	r.forbid(o.group, o.allGroups, o.list)
	r.forbid(o.inputTopic, o.list, o.describe, o.delete)
	r.failIf(r.count(o.list, o.describe, o.reset, o.delete, o.deleteOffsets) != 1, oneStreamsGroupsAction)
	return o, r.err
}

func (o *streamsGroupsOptions) checkScope(r *rules) {
	groups := []*options.Option{o.allGroups, o.group}
	if o.Has(o.describe) {
		r.failIf(r.count(groups...) == 0, "Option %s takes one of these options: %s", o.describe, join(groups))
		views := []*options.Option{o.members, o.offsets, o.state}
		r.failIf(r.count(views...) > 1, "Option %s takes at most one of these options: %s", o.describe, join(views))
		r.failIf(o.HasValue(o.state), "Option %s does not take a value for %s", o.describe, o.state)
	}
	if o.Has(o.delete) {
		r.failIf(r.count(groups...) == 0, "Option %s takes one of these options: %s", o.delete, join(groups))
		r.failIf(r.count(o.inputTopic, o.allInputTopics) > 0, "Kafka Streams does not support topic-specific offset deletion from a streams group.")
	}
	if o.Has(o.deleteOffsets) {
		topics := []*options.Option{o.allInputTopics, o.inputTopic}
		r.failIf(r.count(topics...) == 0 || !o.Has(o.group), "Option %s takes the %s and one of these options: %s", o.deleteOffsets, o.group, join(topics))
		r.failIf(len(o.Values(o.group)) > 1, "Option %s supports only one %s at a time, but found: [%s]", o.deleteOffsets, o.group, joinValues(o.Values(o.group)))
	}
}

func (o *streamsGroupsOptions) checkReset(r *rules) {
	r.failIf(o.Has(o.dryRun) && o.Has(o.execute), "Option %s only accepts one of %s and %s", o.reset, o.execute, o.dryRun)
	r.failIf(!o.Has(o.dryRun) && !o.Has(o.execute), "Option %s takes the option: %s or %s", o.reset, o.execute, o.dryRun)
	r.failIf(!o.Has(o.group) && !o.Has(o.allGroups), "Option %s takes one of these options: %s", o.reset, join([]*options.Option{o.allGroups, o.group}))
	o.forbidTwoTargets(r)
}

func (o *streamsGroupsOptions) checkInternalTopics(r *rules) {
	switch {
	case o.Has(o.deleteAllInternalTopics):
		r.failIf(!o.Has(o.reset) && !o.Has(o.delete), "Option %s takes one of these options: %s", o.deleteAllInternalTopics, join([]*options.Option{o.delete, o.reset}))
		r.failIf(o.Has(o.reset) && !o.Has(o.execute), "Option %s takes %s when %s is used.", o.deleteAllInternalTopics, o.execute, o.reset)
	case o.Has(o.deleteInternalTopic):
		r.failIf(!o.Has(o.reset) || !o.Has(o.execute), "Option %s takes %s when %s is used.", o.deleteInternalTopic, o.reset, o.execute)
	}
}
