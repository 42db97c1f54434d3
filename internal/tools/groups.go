package tools

import (
	"strings"
	"time"

	"github.com/ottla/ottla/internal/tools/options"
)

const groupsPurpose = "This tool helps to list groups of all types."

// groupsOptions are the options of kafka-groups.
type groupsOptions struct {
	*options.Set
	parser                                                                        *options.Parser
	bootstrap, commandConfig, list, groupType, protocol, consumer, share, streams *options.Option
}

func newGroupsOptions() *groupsOptions {
	p := options.NewParser()
	return &groupsOptions{
		parser:        p,
		bootstrap:     p.Value("bootstrap-server", "host:port,...", "REQUIRED: the brokers to connect to.").Required(),
		commandConfig: p.Value("command-config", "file", "Properties file for the client."),
		list:          p.Flag("list", "List the groups."),
		groupType:     p.Value("group-type", "type", "Only groups of this type: classic, consumer, share or streams."),
		protocol:      p.Value("protocol", "protocol", "Only groups of this protocol type."),
		consumer:      p.Flag("consumer", "Only groups of consumers, of both protocols, and groups that only hold offsets."),
		share:         p.Flag("share", "Only share groups."),
		streams:       p.Flag("streams", "Only streams groups."),
	}
}

// runGroups is kafka-groups.
func runGroups(inv *invocation) int {
	o, kind, err := inv.parseGroupsOptions()
	if exit, ok := inv.finish(err); ok && err != nil {
		return exit
	}
	var a *admin
	if err == nil {
		var s *settings
		r := o.Reader()
		file, bootstrap := r.String(o.commandConfig), r.String(o.bootstrap)
		if err = r.Err(); err == nil {
			if s, err = loadSettings(file); err == nil {
				a, err = inv.newAdmin(s, bootstrap, "")
			}
		}
	}
	if err != nil {
		inv.complain(err.Error())
		inv.trace("", err)
		return 1
	}
	defer a.close()
	groups, err := a.listGroups(min(a.timeout, 30*time.Second), nil, nil)
	if err != nil {
		inv.println("Error while executing groups command : " + err.Error())
		return 1
	}
	inv.printGroups(o, kind, groups)
	return 0
}

func (inv *invocation) parseGroupsOptions() (o *groupsOptions, kind string, err error) {
	o = newGroupsOptions()
	if o.Set, err = o.parser.Parse(inv.args); err != nil {
		return nil, "", &usageError{o.parser, err.Error()}
	}
	if err := inv.helpOrVersion(o.parser, o.Set, groupsPurpose); err != nil {
		return nil, "", err
	}
	r := &rules{parser: o.parser, set: o.Set}
	r.failIf(!o.Has(o.list), "Command must include exactly one action: --list.")
	if r.err != nil {
		return nil, "", r.err
	}
	kind, err = o.Value(o.groupType)
	if err != nil {
		return nil, "", err
	}
	if o.Has(o.groupType) && !wantedIn([]string{"classic", "consumer", "share", "streams"}, kind) {
		return nil, "", illegalArgument("--group-type must be a valid group type.")
	}
	r.forbid(o.consumer, o.groupType, o.protocol, o.share, o.streams)
	r.forbid(o.share, o.groupType, o.protocol, o.consumer, o.streams)
	r.forbid(o.streams, o.groupType, o.protocol, o.consumer, o.share)
	return o, kind, r.err
}

func (inv *invocation) printGroups(o *groupsOptions, kind string, groups []listedGroup) {
	protocol, _ := o.Value(o.protocol)
	width := 20
	var shown []listedGroup
	for _, g := range groups {
		if o.wants(g, kind, protocol) {
			shown = append(shown, g)
			width = max(width, len(g.id), len(g.kind), len(g.protocol))
		}
	}
	inv.printf("%-*s %-*s %-*s\n", width, "GROUP", width, "TYPE", width, "PROTOCOL")
	for _, g := range shown {
		inv.printf("%-*s %-*s %-*s \n", width, g.id, width, g.kind, width, g.protocol)
	}
}

func (o *groupsOptions) wants(g listedGroup, kind, protocol string) bool {
	switch {
	case o.Has(o.groupType):
		return strings.EqualFold(g.kind, kind) && (!o.Has(o.protocol) || g.protocol == protocol)
	case o.Has(o.protocol):
		return g.protocol == protocol
	case o.Has(o.consumer):
		return g.protocol == "consumer" || g.protocol == "" || g.kind == "Consumer"
	case o.Has(o.share):
		return g.kind == "Share"
	case o.Has(o.streams):
		return g.kind == "Streams"
	}
	return true
}
