package tools

import (
	"errors"
	"maps"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"time"
)

// runConsumerGroups is kafka-consumer-groups. Like Kafka's it exits with 0 when an operation fails; stdout tells.
func runConsumerGroups(inv *invocation) int {
	o, err := inv.parseConsumerGroupsOptions()
	if exit, ok := inv.finish(err); ok && err != nil {
		return exit
	}
	if err != nil {
		inv.trace(`Exception in thread "main" `, err)
		return 1
	}
	if o.Has(o.validateRegex) {
		return inv.validateRegex(o)
	}
	err = inv.actOnGroups(o)
	if e, ok := errors.AsType[*exception](err); ok && e.class == "java.lang.IllegalArgumentException" {
		err = &usageError{o.parser, e.message}
	}
	if exit, ok := inv.finish(err); ok {
		return exit
	}
	inv.printGroupError("Executing consumer group command failed due to " + err.Error())
	inv.trace("", err)
	return 0
}

func (inv *invocation) printGroupError(message string) { inv.println("\nError: " + message) }

func (inv *invocation) validateRegex(o *consumerGroupsOptions) int {
	expression, err := o.Value(o.validateRegex)
	if err != nil {
		return 1
	}
	_, err = regexp.Compile(expression)
	if e, ok := errors.AsType[*syntax.Error](err); ok {
		inv.printf("The regular expression `%s` is invalid: %s.\n", expression, e.Code)
	} else {
		inv.printf("The regular expression `%s` is valid.\n", expression)
	}
	return 0
}

// groupsTool is one run of kafka-consumer-groups with a client.
type groupsTool struct {
	resetter
	o *consumerGroupsOptions
}

func (inv *invocation) actOnGroups(o *consumerGroupsOptions) error {
	r := o.Reader()
	file, bootstrap := r.String(o.commandConfig), r.String(o.bootstrap)
	t := &groupsTool{o: o, resetter: resetter{
		invocation: inv, to: &o.resetOptions, limit: time.Duration(r.Long(o.timeout)) * time.Millisecond, plan: o.plan(r),
	}}
	if r.Err() != nil {
		return r.Err()
	}
	s, err := loadSettings(file)
	if err != nil {
		return err
	}
	if t.admin, err = inv.newAdmin(s, bootstrap, ""); err != nil {
		return err
	}
	defer t.admin.close()
	switch {
	case o.Has(o.list):
		return t.list()
	case o.Has(o.describe):
		return t.describe()
	case o.Has(o.delete):
		return t.delete()
	case o.Has(o.reset):
		return t.reset()
	}
	return t.deleteOffsets()
}

// groups returns the groups that the options name.
func (t *groupsTool) groups() ([]string, error) {
	if !t.o.Has(t.o.allGroups) {
		groups := slices.Clone(t.o.Values(t.o.group))
		slices.Sort(groups)
		return slices.Compact(groups), nil
	}
	return t.listed()
}

func (t *groupsTool) listed() ([]string, error) {
	groups, err := t.admin.listConsumerGroups(t.limit, nil, nil)
	if err != nil {
		return nil, inRuntime(inFuture(err))
	}
	var ids []string
	for _, g := range groups {
		ids = append(ids, g.id)
	}
	return ids, nil
}

func (t *groupsTool) list() error {
	withType, withState := t.o.Has(t.o.kind), t.o.Has(t.o.state)
	if !withType && !withState {
		ids, err := t.listed()
		for _, id := range ids {
			t.println(id)
		}
		return err
	}
	types, err := parseFilter(t.o.Values(t.o.kind), []string{"Classic", "Consumer"}, "types")
	if err != nil {
		return err
	}
	states, err := parseFilter(t.o.Values(t.o.state),
		[]string{"PreparingRebalance", "CompletingRebalance", "Stable", "Dead", "Empty", "Assigning", "Reconciling"}, "state")
	if err != nil {
		return err
	}
	groups, err := t.admin.listConsumerGroups(t.limit, types, states)
	if err != nil {
		return inFuture(err)
	}
	t.printListing(groups, withType, withState)
	return nil
}

// parseFilter reads a list of names, in any case.
func parseFilter(values, valid []string, what string) ([]string, error) {
	if len(values) == 0 || values[0] == "" {
		return nil, nil
	}
	var names []string
	for part := range strings.SplitSeq(values[0], ",") {
		i := slices.IndexFunc(valid, func(v string) bool { return strings.EqualFold(v, strings.TrimSpace(part)) })
		if i < 0 {
			return nil, illegalArgument("Invalid " + what + " list '" + values[0] + "'. Valid " +
				strings.TrimSuffix(what, "s") + "s are: " + strings.Join(valid, ", "))
		}
		names = append(names, valid[i])
	}
	return names, nil
}

func (t *groupsTool) printListing(groups []listedGroup, withType, withState bool) {
	width := 15
	for _, g := range groups {
		width = max(width, len(g.id))
	}
	row := func(id, kind, state string) {
		t.printf("%-*s", width+10, id)
		if withType {
			t.printf(" %-20s", kind)
		}
		if withState {
			t.printf(" %-20s", state)
		}
		t.println("")
	}
	row("GROUP", "TYPE", "STATE")
	for _, g := range groups {
		row(g.id, g.kind, g.state)
	}
}

func (t *groupsTool) delete() error {
	groups, err := t.groups()
	if err != nil {
		return err
	}
	results, err := t.admin.deleteGroups(t.limit, groups)
	if err != nil {
		results = make(map[string]error)
		for _, g := range groups {
			results[g] = err
		}
	}
	var deleted, failed []string
	for _, g := range slices.Sorted(maps.Keys(results)) {
		if err := results[g]; err != nil {
			failed = append(failed, "* Group '"+g+"' could not be deleted due to: "+javaString(err))
		} else {
			deleted = append(deleted, "'"+g+"'")
		}
	}
	if len(failed) == 0 {
		t.println("Deletion of requested consumer groups (" + strings.Join(deleted, ", ") + ") was successful.")
		return nil
	}
	t.printGroupError("Deletion of some consumer groups failed:")
	for _, line := range failed {
		t.println(line)
	}
	if len(deleted) > 0 {
		t.println("\nThese consumer groups were deleted successfully: " + strings.Join(deleted, ", "))
	}
	return nil
}
