package tools

import (
	"cmp"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/ottla/ottla/internal/kafka"
)

// missing stands in a table for what is not there.
const missing = "-"

func (t *groupsTool) describe() error {
	ids, err := t.groups()
	if err != nil {
		return err
	}
	groups, failures, err := t.admin.describeGroups(t.limit, ids)
	if err != nil {
		return inFuture(err)
	}
	for _, id := range slices.Sorted(maps.Keys(failures)) {
		return inFuture(failures[id])
	}
	sorted := slices.SortedFunc(maps.Values(groups), func(a, b describedGroup) int { return cmp.Compare(a.id, b.id) })
	verbose := t.o.Has(t.o.verbose)
	if !t.o.Has(t.o.members) && !t.o.Has(t.o.state) {
		return t.describeOffsets(sorted, verbose)
	}
	for _, g := range sorted {
		var err error
		if t.o.Has(t.o.members) {
			err = t.printMembers(g, verbose)
		} else {
			err = t.printState(g, verbose)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// announce says what is special about a group's state, and reports whether its rows are to be shown.
func (t *groupsTool) announce(g describedGroup, rows int) (show bool, err error) {
	known, rebalancing := isConsumerState(g.state)
	switch {
	case !known:
		return false, kafkaException("Expected a valid consumer group state, but found '" + g.state + "'.")
	case g.state == "Dead":
		t.printGroupError("Consumer group '" + g.id + "' does not exist.")
	case g.state == "Empty":
		t.complain("\nConsumer group '" + g.id + "' has no active members.")
	case rebalancing:
		t.complain("\nWarning: Consumer group '" + g.id + "' is rebalancing.")
	}
	return g.state != "Dead" && rows > 0, nil
}

// describeOffsets collects the rows of all groups before it prints the first, so that a failure leaves no half table.
func (t *groupsTool) describeOffsets(groups []describedGroup, verbose bool) error {
	tables := make([][][]string, len(groups))
	for i, g := range groups {
		rows, err := t.offsetRows(g)
		if err != nil {
			return err
		}
		tables[i] = rows
	}
	for i, g := range groups {
		show, err := t.announce(g, len(tables[i]))
		if err != nil {
			return err
		}
		if show {
			t.printOffsetTable(tables[i], verbose)
		}
	}
	return nil
}

// offsetRows are the rows of one group: of members with most partitions first, then of partitions that nobody reads.
func (t *groupsTool) offsetRows(g describedGroup) ([][]string, error) {
	committed, err := t.admin.committedOffsets(t.limit, g.id)
	if err != nil {
		return nil, inRuntime(inFuture(err))
	}
	all := slices.Collect(maps.Keys(committed))
	for _, m := range g.members {
		all = append(all, m.assigned...)
	}
	ends, err := t.endOffsets(all)
	if err != nil {
		return nil, inRuntime(inFuture(err))
	}
	var rows [][]string
	read := make(map[kafka.TopicPartition]bool)
	members := slices.DeleteFunc(slices.Clone(g.members), func(m describedMember) bool { return len(m.assigned) == 0 })
	slices.SortStableFunc(members, func(a, b describedMember) int { return cmp.Compare(len(b.assigned), len(a.assigned)) })
	for _, m := range members {
		for _, tp := range sortPartitions(slices.Clone(m.assigned)) {
			read[tp] = true
			rows = append(rows, offsetRow(g.id, tp, committed, ends, m.id, m.host, m.clientID))
		}
	}
	for _, tp := range sortPartitions(slices.Collect(maps.Keys(committed))) {
		if !read[tp] {
			rows = append(rows, offsetRow(g.id, tp, committed, ends, missing, missing, missing))
		}
	}
	return rows, nil
}

// endOffsets asks for the ends of partitions. A partition without a leader, or of a topic that is gone, has none.
func (t *groupsTool) endOffsets(partitions []kafka.TopicPartition) (map[kafka.TopicPartition]int64, error) {
	led, _, err := t.admin.splitByLeader(slices.Compact(sortPartitions(partitions)))
	if err != nil {
		return nil, err
	}
	answers := make(map[kafka.TopicPartition]partitionOffset)
	if err := t.admin.listOffsetsOf(led, latestTimestamp, answers); err != nil {
		return nil, err
	}
	ends := make(map[kafka.TopicPartition]int64)
	for tp, answer := range answers {
		switch {
		case answer.err == nil && answer.offset >= 0:
			ends[tp] = answer.offset
		case answer.err != nil && !kerr.IsRetriable(errors.Unwrap(answer.err)):
			return nil, answer.err
		}
	}
	return ends, nil
}

func offsetRow(group string, tp kafka.TopicPartition, committed map[kafka.TopicPartition]committedOffset, ends map[kafka.TopicPartition]int64, member, host, client string) []string {
	epoch, offset, end, lag := missing, missing, missing, missing
	c, hasOffset := committed[tp]
	e, hasEnd := ends[tp]
	if hasOffset {
		offset = strconv.FormatInt(c.offset, 10)
		if c.epoch >= 0 {
			epoch = itoa(int(c.epoch))
		}
	}
	if hasEnd {
		end = strconv.FormatInt(e, 10)
	}
	if hasOffset && hasEnd {
		lag = strconv.FormatInt(e-c.offset, 10)
	}
	return []string{group, tp.Topic, itoa(int(tp.Partition)), epoch, offset, end, lag, member, host, client}
}

func (t *groupsTool) printOffsetTable(rows [][]string, verbose bool) {
	rows = append([][]string{{"GROUP", "TOPIC", "PARTITION", "LEADER-EPOCH", "CURRENT-OFFSET", "LOG-END-OFFSET", "LAG", "CONSUMER-ID", "HOST", "CLIENT-ID"}}, rows...)
	least := []int{15, 15, 10, 15, 15, 15, 15, 15, 15, 0}
	widest := widths(rows, least)
	for _, fixed := range []int{2, 3, 4, 5, 6} {
		widest[fixed] = least[fixed]
	}
	if !verbose {
		widest = slices.Delete(widest, 3, 4)
	}
	for _, row := range rows {
		if !verbose {
			row = slices.Delete(slices.Clone(row), 3, 4)
		}
		t.printf("\n%s", padded(row, widest))
	}
	t.println("")
}

// widths returns how wide each column has to be, and at least.
func widths(rows [][]string, least []int) []int {
	widest := slices.Clone(least)
	for _, row := range rows {
		for i, cell := range row {
			widest[i] = max(widest[i], len(cell))
		}
	}
	return widest
}

// padded joins cells; the last is not padded.
func padded(cells []string, widths []int) string {
	var b strings.Builder
	for i, cell := range cells {
		b.WriteString(cell)
		if i < len(cells)-1 {
			b.WriteString(strings.Repeat(" ", max(widths[i]-len(cell), 0)+1))
		}
	}
	return b.String()
}

func (t *groupsTool) printState(g describedGroup, verbose bool) error {
	show, err := t.announce(g, 1)
	if err != nil || !show {
		return err
	}
	assignor := cmp.Or(g.assignor, missing)
	place := g.coordinator.host + ":" + itoa(int(g.coordinator.port)) + "  (" + itoa(int(g.coordinator.id)) + ")"
	head := []string{"GROUP", "COORDINATOR (ID)", "ASSIGNMENT-STRATEGY", "STATE"}
	row := []string{g.id, place, assignor, g.state}
	widest := []int{max(15, len(g.id)), max(25, len(place)), 20, 20}
	if verbose {
		head = append(head, "GROUP-EPOCH", "TARGET-ASSIGNMENT-EPOCH")
		row = append(row, optionalNumber(g.epoch), optionalNumber(g.targetEpoch))
		widest = append(widest, 15, 25)
	}
	t.printf("\n%s\n%s\n", padded(append(head, "#MEMBERS"), widest), padded(append(row, itoa(len(g.members))), widest))
	return nil
}

func optionalNumber(n *int32) string {
	if n == nil {
		return missing
	}
	return itoa(int(*n))
}
