package tools

import (
	"cmp"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
)

func (t *streamsTool) describe() error {
	ids, err := t.groups()
	if err != nil {
		return err
	}
	verbose := t.o.Has(t.o.verbose)
	for _, id := range ids {
		g, err := t.admin.describeStreamsGroup(t.limit, id)
		if err != nil {
			return inFuture(err)
		}
		switch {
		case t.o.Has(t.o.members):
			t.printMembers(g, verbose)
		case t.o.Has(t.o.state):
			t.printState(g, verbose)
		default:
			err = t.printOffsets(g, verbose)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// announce says what is special about a group's state.
func (t *streamsTool) announce(g *streamsGroup) {
	switch g.State {
	case "Dead":
		t.printGroupError("Streams group '" + g.Group + "' does not exist.")
	case "Empty":
		t.printGroupError("Streams group '" + g.Group + "' has no active members.")
	}
}

// table prints rows; the last column is not padded.
func (t *streamsTool) table(rows [][]string, least []int) {
	widest := widths(rows, least)
	for _, row := range rows {
		t.println(padded(row, widest))
	}
}

func (t *streamsTool) printState(g *streamsGroup, verbose bool) {
	t.announce(g)
	place := g.coordinator.host + ":" + itoa(int(g.coordinator.port)) + " (" + itoa(int(g.coordinator.id)) + ")"
	head, row, least := []string{"GROUP", "COORDINATOR (ID)", "STATE"}, []string{g.Group, place, g.State}, []int{15, 25, 25}
	if verbose {
		head = append(head, "GROUP-EPOCH", "TARGET-ASSIGNMENT-EPOCH")
		row = append(row, itoa(int(g.Epoch)), itoa(int(g.AssignmentEpoch)))
		least = append(least, 15, 25)
	}
	t.table([][]string{append(head, "#MEMBERS"), append(row, itoa(len(g.Members)))}, append(least, 0))
}

func (t *streamsTool) printMembers(g *streamsGroup, verbose bool) {
	if g.State == "Dead" || len(g.Members) == 0 {
		return
	}
	t.announce(g)
	if !verbose {
		rows := [][]string{{"GROUP", "MEMBER", "PROCESS", "CLIENT-ID", "ASSIGNMENTS"}}
		for _, m := range g.Members {
			rows = append(rows, []string{g.Group, m.MemberID, m.ProcessID, m.ClientID, tasksText("", m.Assignment)})
		}
		t.table(rows, []int{15, 15, 15, 15, 0})
		return
	}
	// Kafka leaves no space between the columns TOPOLOGY-EPOCH and MEMBER.
	rows := [][]string{{"GROUP", "TARGET-ASSIGNMENT-EPOCH", "TOPOLOGY-EPOCH", "MEMBER", "MEMBER-PROTOCOL", "MEMBER-EPOCH", "PROCESS", "CLIENT-ID", "ASSIGNMENTS"}}
	for _, m := range g.Members {
		protocol, topology := "streams", 0
		if m.IsClassic {
			protocol = "classic"
		}
		topology = int(m.TopologyEpoch)
		rows = append(rows, []string{g.Group, itoa(int(g.AssignmentEpoch)), itoa(topology), m.MemberID, protocol, itoa(int(m.MemberEpoch)), m.ProcessID, m.ClientID,
			tasksText("", m.Assignment) + tasksText("TARGET-", m.TargetAssignment)})
	}
	widest := widths(rows, []int{15, 25, 15, 15, 15, 15, 15, 15, 0})
	for _, row := range rows {
		t.println(padded(row[:2], widest) + strings.Repeat(" ", widest[1]-len(row[1])+1) + row[2] +
			strings.Repeat(" ", widest[2]-len(row[2])) + padded(row[3:], widest[3:]))
	}
}

// tasksText lists the tasks of an assignment.
func tasksText(prefix string, a kmsg.StreamsAssignment) string {
	var b strings.Builder
	add := func(kind string, tasks []kmsg.TaskIDs) {
		if len(tasks) == 0 {
			return
		}
		b.WriteString(prefix + kind + ": ")
		for _, task := range tasks {
			ids := make([]string, len(task.Partitions))
			for i, id := range task.Partitions {
				ids[i] = itoa(int(id))
			}
			b.WriteString(task.SubtopologyID + ":[" + strings.Join(ids, ",") + "]; ")
		}
	}
	add("ACTIVE", a.ActiveTasks)
	add("STANDBY", a.StandbyTasks)
	add("WARMUP", a.WarmupTasks)
	return b.String()
}

func (t *streamsTool) printOffsets(g *streamsGroup, verbose bool) error {
	partitions, err := g.activePartitions()
	if err != nil {
		return err
	}
	starts, err := t.bounds(partitions, earliestTimestamp, "starting")
	if err != nil {
		return err
	}
	ends, err := t.bounds(partitions, latestTimestamp, "ending")
	if err != nil {
		return err
	}
	committed, err := t.admin.committedOffsets(t.limit, g.Group)
	if err != nil {
		return inRuntime(inFuture(err))
	}
	if g.State == "Dead" || len(g.Members) == 0 {
		return nil
	}
	t.announce(g)
	rows := [][]string{{"GROUP", "TOPIC", "PARTITION", "OFFSET-LAG"}}
	least := []int{15, 15, 10, 0}
	if verbose {
		rows = [][]string{{"GROUP", "TOPIC", "PARTITION", "CURRENT-OFFSET", "LEADER-EPOCH", "LOG-END-OFFSET", "OFFSET-LAG"}}
		least = []int{15, 15, 10, 15, 15, 15, 15}
	}
	for _, tp := range partitions {
		rows = append(rows, streamsOffsetRow(g.Group, tp, committed, starts[tp], ends[tp], verbose))
	}
	if !verbose {
		t.table(rows, least)
		return nil
	}
	widest := widths(rows, least)
	for _, row := range rows { // the last column is padded as well
		line := padded(row, widest)
		t.println(line + strings.Repeat(" ", max(widest[6]-len(row[6]), 0)))
	}
	return nil
}

func streamsOffsetRow(group string, tp kafka.TopicPartition, committed map[kafka.TopicPartition]committedOffset, start, end int64, verbose bool) []string {
	c, ok := committed[tp]
	current, epoch := missing, missing
	if ok {
		start, current = c.offset, strconv.FormatInt(c.offset, 10)
		if c.epoch >= 0 {
			epoch = itoa(int(c.epoch))
		}
	}
	lag := strconv.FormatInt(end-start, 10)
	row := []string{group, tp.Topic, itoa(int(tp.Partition))}
	if verbose {
		return append(row, current, epoch, strconv.FormatInt(end, 10), lag)
	}
	return append(row, cmp.Or(lag, missing))
}
