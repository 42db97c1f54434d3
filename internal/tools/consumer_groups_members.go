package tools

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/ottla/ottla/internal/kafka"
)

// printMembers prints the members of a group; the head comes also without members, as in Kafka.
func (t *groupsTool) printMembers(g describedGroup, verbose bool) error {
	if _, err := t.announce(g, len(g.members)); err != nil {
		return err
	}
	table := memberTable{verbose: verbose}
	var classic, modern bool
	for _, m := range g.members {
		table.instances = table.instances || m.instance != ""
		classic = classic || m.upgraded != nil && !*m.upgraded
		modern = modern || m.upgraded != nil && *m.upgraded
	}
	table.upgraded = classic && modern
	rows := [][]string{table.head()}
	for _, m := range g.members {
		rows = append(rows, table.row(g, m))
	}
	widest := widths(rows, table.least())
	t.println("")
	for _, row := range rows {
		line := padded(row, widest)
		if !verbose {
			line += strings.Repeat(" ", max(16-len(row[len(row)-1]), 0))
		}
		t.println(line)
	}
	return nil
}

// A memberTable says which columns there are.
type memberTable struct{ instances, verbose, upgraded bool }

func (m memberTable) columns(instance string, first, last []string, upgraded string) []string {
	row := slices.Clone(first[:2])
	if m.instances {
		row = append(row, instance)
	}
	row = append(row, first[2:]...)
	if m.verbose {
		row = append(row, last...)
	}
	if m.verbose && m.upgraded {
		row = append(row, upgraded)
	}
	return row
}

func (m memberTable) head() []string {
	return m.columns("GROUP-INSTANCE-ID", []string{"GROUP", "CONSUMER-ID", "HOST", "CLIENT-ID", "#PARTITIONS"},
		[]string{"CURRENT-EPOCH", "CURRENT-ASSIGNMENT", "TARGET-EPOCH", "TARGET-ASSIGNMENT"}, "UPGRADED")
}

func (m memberTable) least() []int {
	texts := m.columns("17", []string{"15", "15", "15", "15", "15"}, []string{"15", "20", "15", "20"}, "0")
	var widths []int
	for _, text := range texts {
		n, _ := strconv.Atoi(text)
		widths = append(widths, n)
	}
	return widths
}

func (m memberTable) row(g describedGroup, d describedMember) []string {
	upgraded := missing
	if d.upgraded != nil {
		upgraded = strconv.FormatBool(*d.upgraded)
	}
	return m.columns(d.instance, []string{g.id, d.id, d.host, d.clientID, itoa(len(d.assigned))},
		[]string{optionalNumber(d.epoch), assignmentText(d.assigned), optionalNumber(g.targetEpoch), assignmentText(d.target)}, upgraded)
}

// assignmentText prints partitions as topic:0,1;other:2.
func assignmentText(partitions []kafka.TopicPartition) string {
	if len(partitions) == 0 {
		return missing
	}
	topics := byTopic(partitions)
	var texts []string
	for _, topic := range slices.Sorted(maps.Keys(topics)) {
		texts = append(texts, topic+":"+joinNumbers(slices.Sorted(slices.Values(topics[topic]))))
	}
	return strings.Join(texts, ";")
}
