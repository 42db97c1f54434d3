package tools

import (
	"maps"
	"slices"
	"strings"
)

func (t *configsTool) alter() error {
	add, remove, err := t.changes()
	if err != nil {
		return err
	}
	kind, name := t.types[0], t.names[0]
	switch kind {
	case entityUsers, entityClients:
		err = t.alterClients(add, remove)
	case entityIPs:
		if err = onlyKnown(add, remove, isIPQuota, "Only connection quota configs can be added for 'ips' using --bootstrap-server. Unexpected config names: "); err == nil {
			err = t.alterQuotas(add, remove)
		}
	case entityBrokerLoggers:
		err = t.alterLoggers(add, remove)
	default:
		err = inFutureOrNil(t.admin.alterConfigs(resourceType(kind), name, configChanges(add, remove)))
	}
	if err != nil {
		return err
	}
	if name == "" {
		t.println("Completed updating default config for " + kind + " in the cluster.")
	} else {
		t.println("Completed updating config for " + singular(kind) + " " + name + ".")
	}
	return nil
}

func inFutureOrNil(err error) error {
	if err == nil {
		return nil
	}
	return inFuture(err)
}

func configChanges(add map[string]string, remove []string) []configChange {
	var changes []configChange
	for _, name := range remove {
		changes = append(changes, configChange{name: name, delete: true})
	}
	for _, name := range slices.Sorted(maps.Keys(add)) {
		changes = append(changes, configChange{name: name, value: add[name]})
	}
	return changes
}

// alterLoggers changes log levels; loggers that the broker does not list are refused.
func (t *configsTool) alterLoggers(add map[string]string, remove []string) error {
	entries, err := t.entries(entityBrokerLoggers, t.names[0])
	if err != nil {
		return err
	}
	valid := make(map[string]bool)
	for _, e := range entries {
		valid[e.Name] = true
	}
	var invalid []string
	for _, name := range append(slices.Clone(remove), slices.Sorted(maps.Keys(add))...) {
		if !valid[name] {
			invalid = append(invalid, name)
		}
	}
	if invalid != nil {
		return invalidConfiguration("Invalid broker logger(s): " + strings.Join(invalid, ","))
	}
	return inFutureOrNil(t.admin.alterConfigs(resourceType(entityBrokerLoggers), t.names[0], configChanges(add, remove)))
}

func invalidConfiguration(message string) error {
	return &exception{class: "org.apache.kafka.common.errors.InvalidConfigurationException", message: message}
}

func isClientQuota(name string) bool {
	return slices.Contains([]string{"producer_byte_rate", "consumer_byte_rate", "request_percentage", "controller_mutation_rate"}, name)
}

func isIPQuota(name string) bool { return name == "connection_creation_rate" }

func isScram(name string) bool { return name == "SCRAM-SHA-256" || name == "SCRAM-SHA-512" }

// onlyKnown refuses configs that known does not know; message ends where their names follow.
func onlyKnown(add map[string]string, remove []string, known func(string) bool, message string) error {
	var unknown []string
	for _, name := range append(slices.Sorted(maps.Keys(add)), remove...) {
		if !known(name) {
			unknown = append(unknown, name)
		}
	}
	if unknown == nil {
		return nil
	}
	return illegalArgument(message + strings.Join(unknown, ","))
}

// alterClients changes the quotas of clients and users, or the SCRAM credentials of a user.
func (t *configsTool) alterClients(add map[string]string, remove []string) error {
	quotaOrScram := func(name string) bool { return isClientQuota(name) || isScram(name) }
	known, what, kind := quotaOrScram, "quota and SCRAM credential", entityUsers
	if t.types[0] == entityClients || len(t.types) == 2 {
		known, what, kind = isClientQuota, "quota", entityClients
	}
	if names := unknownNames(slices.Sorted(maps.Keys(add)), known); names != nil {
		return illegalArgument("Only " + what + " configs can be added for '" + kind + "' using --bootstrap-server. Unexpected config names: Set(" + strings.Join(names, ", ") + ")")
	}
	if names := unknownNames(remove, known); names != nil {
		return illegalArgument("Only " + what + " configs can be deleted for '" + kind + "' using --bootstrap-server. Unexpected config names: ArrayBuffer(" + strings.Join(names, ", ") + ")")
	}
	all := append(slices.Collect(maps.Keys(add)), remove...)
	scram, quota := slices.ContainsFunc(all, isScram), slices.ContainsFunc(all, isClientQuota)
	switch {
	case scram && slices.Contains(t.names, ""):
		return illegalArgument("The use of --entity-default or --user-defaults is not allowed with User SCRAM Credentials using --bootstrap-server.")
	case scram && quota:
		return illegalArgument("Cannot alter both quota and SCRAM credential configs simultaneously for 'users' using --bootstrap-server.")
	case scram:
		return t.alterScram(add, remove)
	}
	return t.alterQuotas(add, remove)
}

func unknownNames(names []string, known func(string) bool) []string {
	var unknown []string
	for _, name := range names {
		if !known(name) {
			unknown = append(unknown, name)
		}
	}
	return unknown
}
