package conformance

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// A toolbox gives the program of a Kafka tool by its name: Ottla's own, or Kafka's.
type toolbox func(t *testing.T, name string, args ...string) program

const toolLimit = time.Minute

// A console is a terminal on a broker: it runs tools and keeps what the course needs to know.
type console struct {
	t            *testing.T
	tg           target
	tools        toolbox
	topic, group string
}

func newConsole(t *testing.T, tools toolbox) *console {
	tg := newTarget(t)
	return &console{t, tg, tools, tg.name("order-events"), tg.name("order-processor")}
}

// run runs a tool on the broker and fails the test unless it exits with 0.
func (c *console) run(stdin, name string, args ...string) string {
	c.t.Helper()
	o := c.tools(c.t, name, append([]string{"--bootstrap-server", c.tg.addr}, args...)...).run(c.t, toolLimit, stdin)
	if o.err != nil {
		c.t.Fatalf("%s %s: %v\n%s%s", name, strings.Join(args, " "), o.err, o.stdout, o.stderr)
	}
	return o.stdout
}

// want fails the test unless the text matches the regular expression.
func (c *console) want(text, pattern string) {
	c.t.Helper()
	if !regexp.MustCompile("(?m)" + pattern).MatchString(text) {
		c.t.Errorf("want a line that matches %s in\n%s", pattern, text)
	}
}

// read reads n messages as a member of a group and returns them sorted.
func (c *console) read(group string, n int) []string {
	c.t.Helper()
	out := c.run("", "kafka-console-consumer", "--topic", c.topic, "--from-beginning", "--group", group, "--max-messages", fmt.Sprint(n), "--timeout-ms", "30000")
	return sortedLines(out)
}

// sum adds up a column of kafka-consumer-groups --describe for the group.
func (c *console) sum(column int) (total int) {
	c.t.Helper()
	for line := range strings.Lines(c.run("", "kafka-consumer-groups", "--describe", "--group", c.group)) {
		if f := strings.Fields(line); len(f) == 9 && f[0] == c.group {
			var n int
			if _, err := fmt.Sscan(f[column], &n); err != nil {
				c.t.Errorf("column %d of %q: %v", column, line, err)
			}
			total += n
		}
	}
	return total
}

const columnCommitted, columnEnd, columnLag = 3, 4, 5

func (c *console) wantProgress(committed, end, lag int) {
	c.t.Helper()
	if got, want := [3]int{c.sum(columnCommitted), c.sum(columnEnd), c.sum(columnLag)}, [3]int{committed, end, lag}; got != want {
		c.t.Errorf("kafka-consumer-groups --describe: sums of CURRENT-OFFSET, LOG-END-OFFSET and LAG are %v, want %v", got, want)
	}
}

func (c *console) wantLines(what string, got, want []string) {
	c.t.Helper()
	want = slices.Sorted(slices.Values(want))
	if !slices.Equal(got, want) {
		c.t.Errorf("%s: read %q, want %q", what, got, want)
	}
}

func sortedLines(text string) []string {
	return slices.Sorted(strings.SplitSeq(strings.TrimSuffix(text, "\n"), "\n"))
}

// consoleCourse is the course in a terminal.
func consoleCourse(t *testing.T, tools toolbox) {
	c := newConsole(t, tools)

	c.want(c.run("", "kafka-topics", "--create", "--topic", c.topic, "--partitions", "3", "--replication-factor", fmt.Sprint(c.tg.replicas())), `^Created topic `+c.topic+`\.$`)
	described := c.run("", "kafka-topics", "--describe", "--topic", c.topic)
	c.want(described, `^Topic: `+c.topic+`\s+TopicId: \S{22}\s+PartitionCount: 3\s+ReplicationFactor: `+fmt.Sprint(c.tg.replicas())+`\s+Configs: `)
	for p := range 3 {
		c.want(described, fmt.Sprintf(`^\tTopic: %s\tPartition: %d\tLeader: (\d+)\tReplicas: ([\d,]+)\tIsr: ([\d,]+)`, c.topic, p))
	}
	c.want(c.run("", "kafka-topics", "--list"), `^`+c.topic+`$`)

	// Lines without keys may share a partition; keyed JSON spreads.
	sent := []string{"first order", "second order", "주문"}
	c.run(strings.Join(sent, "\n")+"\n", "kafka-console-producer", "--topic", c.topic)
	var keyed strings.Builder
	for i := range 12 {
		value := fmt.Sprintf(`{"id":%d,"customer":"customer-%d","total":%d.5}`, i, i%5, i)
		fmt.Fprintf(&keyed, "customer-%d|%s\n", i%5, value)
		sent = append(sent, value)
	}
	c.run(keyed.String(), "kafka-console-producer", "--topic", c.topic, "--reader-property", "parse.key=true", "--reader-property", "key.separator=|")

	c.wantLines("the group", c.read(c.group, len(sent)), sent)
	c.want(c.run("", "kafka-consumer-groups", "--list"), `^`+c.group+`$`)
	c.wantProgress(len(sent), len(sent), 0)

	more := []string{"late 1", "late 2"}
	c.run(strings.Join(more, "\n")+"\n", "kafka-console-producer", "--topic", c.topic)
	all := slices.Concat(sent, more)
	c.wantProgress(len(sent), len(all), len(more))
	c.tg.crash(t)
	c.wantProgress(len(sent), len(all), len(more))
	c.wantLines("the group, started again", c.read(c.group, len(more)), more)
	c.wantProgress(len(all), len(all), 0)
	c.wantLines("a second group", c.read(c.group+"-audit", len(all)), all)

	c.keepKeys(keyed.String())
	c.grow(len(all))
}

// keepKeys checks that every key's values are in one partition, in the order in which they were sent.
func (c *console) keepKeys(keyed string) {
	c.t.Helper()
	out := c.run("", "kafka-console-consumer", "--topic", c.topic, "--from-beginning", "--group", c.group+"-keys", "--max-messages", "17", "--timeout-ms", "30000",
		"--formatter-property", "print.key=true", "--formatter-property", "print.partition=true", "--formatter-property", "key.separator=|")
	place, values := map[string]string{}, map[string]string{}
	for line := range strings.Lines(out) {
		f := strings.SplitN(line, "|", 3)
		if len(f) != 3 || f[1] == "null" {
			continue
		}
		if p := place[f[1]]; p != "" && p != f[0] {
			c.t.Errorf("key %s is in %s and in %s", f[1], p, f[0])
		}
		place[f[1]] = f[0]
		values[f[1]] += f[2]
	}
	want := map[string]string{}
	for line := range strings.Lines(keyed) {
		key, value, _ := strings.Cut(line, "|")
		want[key] += value
	}
	for key, lines := range want {
		if values[key] != lines {
			c.t.Errorf("values of %s:\n%swant, in this order:\n%s", key, values[key], lines)
		}
	}
}

// grow raises the partitions from 3 to 6 and looks at the offsets of all.
func (c *console) grow(records int) {
	c.t.Helper()
	c.run("", "kafka-topics", "--alter", "--topic", c.topic, "--partitions", "6")
	c.want(c.run("", "kafka-topics", "--describe", "--topic", c.topic), `PartitionCount: 6\s`)
	total, partitions := 0, 0
	for line := range strings.Lines(c.run("", "kafka-get-offsets", "--topic", c.topic)) {
		f := strings.Split(strings.TrimSpace(line), ":")
		var n int
		if _, err := fmt.Sscan(f[len(f)-1], &n); err != nil || f[0] != c.topic {
			c.t.Errorf("kafka-get-offsets printed %q", line)
		}
		total, partitions = total+n, partitions+1
	}
	if total != records || partitions != 6 {
		c.t.Errorf("kafka-get-offsets: %d records in %d partitions, want %d in 6", total, partitions, records)
	}
	c.run("", "kafka-configs", "--alter", "--entity-type", "topics", "--entity-name", c.topic, "--add-config", "max.message.bytes=2000000,retention.ms=3600000")
	configs := c.run("", "kafka-configs", "--describe", "--entity-type", "topics", "--entity-name", c.topic)
	c.want(configs, `^\s+max.message.bytes=2000000\s`)
	c.want(configs, `^\s+retention.ms=3600000\s`)
}

func TestCourseWithOttlasTools(t *testing.T) {
	t.Parallel()
	consoleCourse(t, tool)
}
