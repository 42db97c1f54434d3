package tools

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"time"
)

// runStreamsGroups is kafka-streams-groups.
func runStreamsGroups(inv *invocation) int {
	o, err := inv.parseStreamsGroupsOptions()
	if err == nil {
		err = inv.actOnStreamsGroups(o)
		if e, ok := errors.AsType[*exception](err); ok && e.class == "java.lang.IllegalArgumentException" {
			err = &usageError{o.parser, e.message}
		}
	}
	if exit, ok := inv.finish(err); ok {
		return exit
	}
	inv.printGroupError("Executing streams group command failed due to " + err.Error())
	inv.trace("", err)
	return 1
}

// streamsTool is one run of kafka-streams-groups with a client.
type streamsTool struct {
	resetter
	o *streamsGroupsOptions
}

func (inv *invocation) actOnStreamsGroups(o *streamsGroupsOptions) error {
	r := o.Reader()
	file, bootstrap := r.String(o.commandConfig), r.String(o.bootstrap)
	t := &streamsTool{o: o, resetter: resetter{
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
	case o.Has(o.reset):
		return t.reset()
	case o.Has(o.delete):
		return t.delete()
	}
	return t.deleteOffsets()
}

const streamsKind = "Streams"

// groups returns the groups that the options name.
func (t *streamsTool) groups() ([]string, error) {
	if !t.o.Has(t.o.allGroups) {
		return t.o.Values(t.o.group), nil
	}
	listed, err := t.admin.listGroups(t.limit, []string{streamsKind}, nil)
	if err != nil {
		return nil, inRuntime(inFuture(err))
	}
	var ids []string
	for _, g := range listed {
		ids = append(ids, g.id)
	}
	return ids, nil
}

func (t *streamsTool) list() error {
	var states []string
	if t.o.Has(t.o.state) {
		var err error
		states, err = parseFilter(t.o.Values(t.o.state), []string{"NotReady", "Assigning", "Reconciling", "Stable", "Dead", "Empty"}, "state")
		if err != nil {
			return err
		}
	}
	groups, err := t.admin.listGroups(t.limit, []string{streamsKind}, states)
	if err != nil {
		return inRuntime(inFuture(err))
	}
	if !t.o.Has(t.o.state) {
		for _, g := range groups {
			t.println(g.id)
		}
		return nil
	}
	width := 15
	for _, g := range groups {
		width = max(width, len(g.id))
	}
	t.printf("%-*s %s\n", width, "GROUP", "STATE")
	for _, g := range groups {
		t.printf("%-*s %s\n", width, g.id, g.state)
	}
	return nil
}

func (t *streamsTool) delete() error {
	ids, err := t.groups()
	if err != nil {
		return err
	}
	failed, err := t.undeletable(ids)
	if err != nil {
		return err
	}
	ids = slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return failed[id] != nil })
	slices.Sort(ids)
	ids = slices.Compact(ids)
	internal := make(map[string][]string)
	if t.o.Has(t.o.deleteAllInternalTopics) {
		for _, id := range ids {
			internal[id] = t.internalTopics(id)
		}
	}
	results, err := t.admin.deleteGroups(t.limit, ids)
	var deleted []string
	for _, id := range ids {
		failure := err
		if err == nil {
			failure = results[id]
		}
		if failure != nil {
			failed[id] = failure
			continue
		}
		deleted = append(deleted, id)
	}
	t.reportDeleted(deleted, failed)
	t.deleteInternal(deleted, internal)
	return nil
}

// undeletable tells why groups cannot be deleted: they are no streams groups, or have members.
func (t *streamsTool) undeletable(ids []string) (map[string]error, error) {
	listed, err := t.admin.listGroups(t.limit, []string{streamsKind}, nil)
	if err != nil {
		return nil, inRuntime(inFuture(err))
	}
	states := make(map[string]string)
	for _, g := range listed {
		states[g.id] = g.state
	}
	failed := make(map[string]error)
	for _, id := range ids {
		switch state, ok := states[id]; {
		case !ok:
			failed[id] = illegalArgument("Group '" + id + "' does not exist or is not a streams group.")
		case state == "Dead":
			failed[id] = &exception{class: "java.lang.IllegalStateException", message: "Streams group '" + id + "' group state is DEAD."}
		case state != "Empty":
			failed[id] = &exception{class: "org.apache.kafka.common.errors.GroupNotEmptyException", message: "Streams group '" + id + "' is not EMPTY."}
		}
	}
	return failed, nil
}

func (t *streamsTool) reportDeleted(deleted []string, failed map[string]error) {
	names := "'" + strings.Join(deleted, "', '") + "'"
	if len(failed) == 0 {
		t.println("Deletion of requested streams groups (" + names + ") was successful.")
		return
	}
	t.printGroupError("Deletion of some streams groups failed:")
	for _, id := range slices.Sorted(maps.Keys(failed)) {
		t.println("* Group '" + id + "' could not be deleted due to: " + javaString(failed[id]))
	}
	if len(deleted) > 0 {
		t.println("\nThese streams groups were deleted successfully: " + names + ".")
	}
}

// internalTopics are the internal topics of a group; those that are not called like ones are named and left out.
func (t *streamsTool) internalTopics(group string) []string {
	g, err := t.admin.describeStreamsGroup(t.limit, group)
	if err != nil {
		t.printGroupError("Retrieving internal topics failed due to " + javaString(err))
		return nil
	}
	internal, others := g.internalTopics()
	for _, topic := range others {
		t.printGroupError("The internal topic '" + topic + "' is not inferred as internal and thus will not be deleted with the group '" + group + "'.")
	}
	return internal
}

// deleteInternal deletes the internal topics of groups that are gone.
func (t *streamsTool) deleteInternal(deleted []string, internal map[string][]string) {
	var done []string
	failed := make(map[string]error)
	for _, id := range deleted {
		if len(internal[id]) == 0 {
			continue
		}
		if err := t.admin.deleteTopics(internal[id]); err != nil {
			failed[id] = err
			continue
		}
		done = append(done, id)
	}
	switch {
	case len(failed) > 0:
		t.println("Deletion of some associated internal topics failed:")
		for _, id := range slices.Sorted(maps.Keys(failed)) {
			t.println("* Internal topics of the streams group '" + id + "' could not be deleted due to: " + javaString(failed[id]))
		}
	case len(done) > 0:
		t.println("Deletion of associated internal topics of the streams groups ('" + strings.Join(done, "', '") + "') was successful.")
	}
}
