package tools

import (
	"context"
	"net"
	"slices"
	"strings"

	"github.com/ottla/ottla/internal/tools/options"
)

const configsPurpose = "This tool helps to manipulate and describe entity config for a topic, client, user, broker, ip, client-metrics or group"

// The types of things that have configs.
const (
	entityTopics        = "topics"
	entityClients       = "clients"
	entityUsers         = "users"
	entityBrokers       = "brokers"
	entityIPs           = "ips"
	entityClientMetrics = "client-metrics"
	entityGroups        = "groups"
	entityBrokerLoggers = "broker-loggers"
)

var entityTypes = []string{entityTopics, entityClients, entityUsers, entityBrokers, entityIPs, entityClientMetrics, entityGroups, entityBrokerLoggers}

// An entityFlag names a thing of a type directly: --topic NAME; or the defaults of the type: --client-defaults.
type entityFlag struct {
	option   *options.Option
	kind     string
	defaults bool
}

// configsOptions are the options of kafka-configs.
type configsOptions struct {
	*options.Set
	parser *options.Parser

	bootstrap, controller, commandConfig, alter, describe, all *options.Option
	entityType, entityName, entityDefault                      *options.Option
	add, addFile, delete                                       *options.Option
	flags                                                      []entityFlag
}

func newConfigsOptions() *configsOptions {
	p := options.NewParser()
	o := &configsOptions{parser: p}
	o.bootstrap = p.Value("bootstrap-server", "host:port,...", "The brokers to connect to.")
	o.controller = p.Value("bootstrap-controller", "host:port,...", "Controllers to connect to, in place of brokers.")
	o.commandConfig = p.Value("command-config", "file", "Properties file for the client.")
	o.alter = p.Flag("alter", "Change configs.")
	o.describe = p.Flag("describe", "Show configs.")
	o.all = p.Flag("all", "With --describe: also configs that were not set.")
	o.entityType = p.Value("entity-type", "", strings.Join(entityTypes, ", "))
	o.entityName = p.Value("entity-name", "", "The name of the thing: of a topic, client, user, broker, ip, group.")
	o.entityDefault = p.Flag("entity-default", "The defaults of clients, users, brokers or ips.")
	o.add = p.Value("add-config", "", "Configs to set: k1=v1,k2=[v1,v2],k3=v3. Brackets hold values with commas.")
	o.addFile = p.Value("add-config-file", "", "Properties file with configs to set.")
	o.delete = p.Value("delete-config", "", "Configs to delete: k1,k2.").SeparatedBy(',')
	direct := func(name, kind, help string) {
		o.flags = append(o.flags, entityFlag{p.Value(name, "", help), kind, false})
	}
	defaults := func(name, kind, help string) {
		o.flags = append(o.flags, entityFlag{p.Flag(name, help), kind, true})
	}
	direct("topic", entityTopics, "A topic.")
	direct("client", entityClients, "A client id.")
	direct("user", entityUsers, "A user's name.")
	direct("broker", entityBrokers, "A broker's id.")
	direct("broker-logger", entityBrokerLoggers, "A broker's id, for its log levels.")
	direct("ip", entityIPs, "An IP address.")
	direct("client-metrics", entityClientMetrics, "The name of a client metrics subscription.")
	direct("group", entityGroups, "A group.")
	defaults("client-defaults", entityClients, "The defaults of clients.")
	defaults("user-defaults", entityUsers, "The defaults of users.")
	defaults("broker-defaults", entityBrokers, "The defaults of brokers.")
	defaults("ip-defaults", entityIPs, "The defaults of IP addresses.")
	return o
}

// An entitySelection is what the options name: types, and names in the same order; "" stands for defaults. There may be fewer names.
type entitySelection struct{ types, names []string }

func (o *configsOptions) selection() (entitySelection, error) {
	s := entitySelection{types: slices.Clone(o.Values(o.entityType))}
	names := o.Values(o.entityName)
	for _, option := range o.Order() {
		switch option {
		case o.entityName:
			s.names = append(s.names, names[0])
			names = names[1:]
		case o.entityDefault:
			s.names = append(s.names, "")
		}
	}
	r := o.Reader()
	for _, f := range o.flags {
		if o.Has(f.option) {
			s.types = append(s.types, f.kind)
			s.names = append(s.names, r.String(f.option))
		}
	}
	return s, r.Err()
}

// check says what is wrong with a command line, in Kafka's order.
func (o *configsOptions) check(s entitySelection) error {
	r := &rules{parser: o.parser, set: o.Set}
	r.failIf(r.count(o.alter, o.describe) != 1, "Command must include exactly one action: --describe, --alter")
	r.forbid(o.describe, o.add, o.delete)
	if r.err != nil {
		return r.err
	}
	if message := o.breach(s); message != "" {
		return &plainError{message}
	}
	return nil
}

func (o *configsOptions) breach(s entitySelection) string {
	seen := make(map[string]bool)
	var twice []string
	for _, kind := range s.types {
		if seen[kind] {
			twice = append(twice, kind)
		}
		seen[kind] = true
	}
	unknown := slices.IndexFunc(s.types, func(kind string) bool { return !slices.Contains(entityTypes, kind) })
	isEntity := func(f entityFlag) bool { return o.Has(f.option) }
	switch {
	case twice != nil:
		return "Duplicate entity type(s) specified: " + strings.Join(twice, ",")
	case !o.Has(o.bootstrap) && !o.Has(o.controller):
		return "Either --bootstrap-server or --bootstrap-controller must be specified."
	case unknown >= 0:
		return "Invalid entity type " + s.types[unknown] + ", the entity type must be one of " + strings.Join(entityTypes, ", ") +
			" with a --bootstrap-server or --bootstrap-controller argument"
	case len(s.types) == 0:
		return "At least one entity type must be specified"
	case len(s.types) > 1 && (len(s.types) != 2 || !seen[entityUsers] || !seen[entityClients]):
		return "Only 'users' and 'clients' entity types may be specified together"
	case (o.Has(o.entityName) || o.Has(o.entityType) || o.Has(o.entityDefault)) && slices.ContainsFunc(o.flags, isEntity):
		return "--entity-{type,name,default} should not be used in conjunction with specific entity flags"
	case o.Has(o.bootstrap) && o.Has(o.controller):
		return "Only one of --bootstrap-server or --bootstrap-controller can be specified"
	}
	if message := o.nameBreach(s); message != "" {
		return message
	}
	if o.Has(o.describe) {
		return o.describeBreach(s)
	}
	return o.alterBreach(s)
}

// nameBreach checks the names of brokers and IP addresses.
func (o *configsOptions) nameBreach(s entitySelection) string {
	for _, name := range s.names {
		switch {
		case name == "":
		case slices.Contains(s.types, entityBrokers) || slices.Contains(s.types, entityBrokerLoggers):
			if _, err := parseInt32(name); err != nil {
				return "The entity name for " + s.types[0] + " must be a valid integer broker id, but it is: " + name
			}
		case slices.Contains(s.types, entityIPs):
			if !resolvable(name) {
				return "The entity name for ips must be a valid IP or resolvable host, but it is: " + name
			}
		}
	}
	return ""
}

func resolvable(name string) bool {
	if net.ParseIP(name) != nil {
		return true
	}
	_, err := net.DefaultResolver.LookupHost(context.Background(), name)
	return err == nil
}

// hasDefaults reports whether one of the types has defaults.
func (s entitySelection) hasDefaults() bool {
	return slices.ContainsFunc(s.types, func(kind string) bool {
		return kind == entityUsers || kind == entityClients || kind == entityBrokers || kind == entityIPs
	})
}

func (s entitySelection) hasName() bool {
	return slices.ContainsFunc(s.names, func(name string) bool { return name != "" })
}

func (o *configsOptions) describeBreach(s entitySelection) string {
	types := strings.Join(s.types, ",")
	switch {
	case !s.hasDefaults() && o.Has(o.entityDefault):
		return "--entity-default must not be specified with --describe of " + types
	case slices.Contains(s.types, entityBrokerLoggers) && !s.hasName():
		return "An entity name must be specified with --describe of " + types
	}
	return ""
}

func (o *configsOptions) alterBreach(s entitySelection) string {
	switch {
	case s.hasDefaults() && len(s.names) == 0:
		return "An entity-name or default entity must be specified with --alter of users, clients, brokers or ips"
	case !s.hasDefaults() && !s.hasName():
		return "An entity name must be specified with --alter of " + strings.Join(s.types, ",")
	case o.Has(o.add) && o.Has(o.addFile):
		return "Only one of --add-config or --add-config-file must be specified"
	case !o.Has(o.add) && !o.Has(o.addFile) && !o.Has(o.delete):
		return "At least one of --add-config, --add-config-file, or --delete-config must be specified with --alter"
	case len(s.types) != len(s.names):
		return "An entity name must be specified for every entity type"
	}
	return ""
}
