package tools

import (
	"slices"

	"github.com/ottla/ottla/internal/tools/options"
)

// reassignOptions are the options of kafka-reassign-partitions.
type reassignOptions struct {
	*options.Set
	parser *options.Parser

	verify, generate, execute, cancel, list                  *options.Option
	bootstrap, controller, commandConfig, file, topics       *options.Option
	brokers, noRacks, throttle, dirThrottle, timeout         *options.Option
	additional, preserveThrottles, disallowReplicationFactor *options.Option
}

func newReassignOptions() *reassignOptions {
	p := options.NewParser()
	return &reassignOptions{
		parser:        p,
		verify:        p.Flag("verify", "Tell how far the reassignment of --reassignment-json-file is; remove its throttles if it is done."),
		generate:      p.Flag("generate", "Propose a reassignment; nothing is changed."),
		execute:       p.Flag("execute", "Begin the reassignment of --reassignment-json-file."),
		cancel:        p.Flag("cancel", "Cancel an active reassignment."),
		list:          p.Flag("list", "List all active reassignments."),
		bootstrap:     p.OptionalValue("bootstrap-server", "Server(s) to use for bootstrapping", "The brokers to connect to."),
		commandConfig: p.Value("command-config", "Admin client property file", "Properties file for the client."),
		file:          p.Value("reassignment-json-file", "manual assignment json file path", `{"partitions": [{"topic": "foo", "partition": 1, "replicas": [1,2,3], "log_dirs": ["any","any","/data"]}], "version": 1}. Without log_dirs brokers choose.`),
		topics:        p.Value("topics-to-move-json-file", "topics to reassign json file path", `With --generate: {"topics": [{"topic": "foo"}], "version": 1}.`),
		brokers:       p.Value("broker-list", "brokerlist", "With --generate: the brokers that get the partitions, 0,1,2."),
		controller:    p.OptionalValue("bootstrap-controller", "bootstrap controller to connect to", "With --cancel and --list: the controllers to connect to, in place of brokers."),
		noRacks:       p.Flag("disable-rack-aware", "With --generate: do not look at racks."),
		throttle:      p.Value("throttle", "throttle", "With --execute: the most bytes per second that move between brokers.").Long().Default("-1"),
		dirThrottle:   p.Value("replica-alter-log-dirs-throttle", "replicaAlterLogDirsThrottle", "With --execute: the most bytes per second that move between log directories of a broker.").Long().Default("-1"),
		timeout:       p.Value("timeout", "timeout", "How many ms to wait for moves between log directories to begin.").Long().Default("10000"),
		additional:    p.Flag("additional", "With --execute: although other reassignments are active; also changes their throttle."),

		preserveThrottles:         p.Flag("preserve-throttles", "Leave throttles as they are."),
		disallowReplicationFactor: p.Flag("disallow-replication-factor-change", "With --execute: refuse to change a partition's number of replicas."),
	}
}

func (inv *invocation) parseReassignOptions() (*reassignOptions, error) {
	o := newReassignOptions()
	var err error
	if o.Set, err = o.parser.Parse(inv.args); err != nil {
		return nil, err
	}
	if err := inv.helpOrVersion(o.parser, o.Set, "This tool helps to move topic partitions between replicas."); err != nil {
		return nil, err
	}
	return o, o.check()
}

func (o *reassignOptions) check() error {
	r := &rules{parser: o.parser, set: o.Set}
	var action *options.Option
	for _, a := range []*options.Option{o.generate, o.execute, o.verify, o.cancel, o.list} {
		if o.Has(a) {
			action = a
		}
	}
	r.failIf(r.count(o.generate, o.execute, o.verify, o.cancel, o.list) != 1, "Command must include exactly one action: --generate, --execute, --verify, --cancel, --list")
	r.failIf(o.Has(o.bootstrap) && o.Has(o.controller), "Please don't specify both --bootstrap-server and --bootstrap-controller")
	r.failIf(!o.Has(o.bootstrap) && !o.Has(o.controller), "Please specify either --bootstrap-server or --bootstrap-controller")
	if r.err != nil {
		return r.err
	}
	connection := o.bootstrap
	if o.Has(o.controller) && (action == o.cancel || action == o.list) {
		connection = o.controller
	}
	required := map[*options.Option][]*options.Option{
		o.verify: {o.file}, o.generate: {o.topics, o.brokers}, o.execute: {o.file}, o.cancel: {o.file},
	}[action]
	permitted := map[*options.Option][]*options.Option{
		o.verify:   {o.preserveThrottles},
		o.generate: {o.noRacks},
		o.execute:  {o.additional, o.throttle, o.dirThrottle, o.timeout, o.disallowReplicationFactor},
		o.cancel:   {o.preserveThrottles, o.timeout},
	}[action]
	r.require(required...)
	for _, used := range o.Order() {
		r.failIf(used != action && used != connection && used != o.commandConfig && !slices.Contains(required, used) && !slices.Contains(permitted, used),
			`Option "%s" can't be used with action "%s"`, used, action)
	}
	return r.err
}
