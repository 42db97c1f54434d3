package group

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/statemachine"
)

var update = flag.Bool("update", false, "write what the scenarios print into testdata/*.txt")

// TestScenarios runs testdata/*.txt: lines at the margin are commands (commands_test.go explains them), the indented ones
// below each are the records that it wrote ("+") and the answers that it brought about.
func TestScenarios(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no scenarios", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			script, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := playScenario(t, string(script))
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			} else if got != string(script) {
				t.Errorf("%s: the run printed\n%s", file, firstDifference(string(script), got))
			}
		})
	}
}

func firstDifference(want, got string) string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range min(len(w), len(g)) {
		if w[i] != g[i] {
			return fmt.Sprintf("line %d\n got %s\nwant %s", i+1, g[i], w[i])
		}
	}
	return fmt.Sprintf("%d lines instead of %d", len(g), len(w))
}

// scenario is a script while it runs.
type scenario struct {
	*bench
	start   time.Time
	clients map[string]*client // by "group client"
	printed int                // records of the log that have been printed
	out     strings.Builder
}

// client is what a client remembers between its requests.
type client struct {
	name       string
	memberID   string
	generation int32      // or member epoch
	given      partitions // by the last heartbeat that told
	tasks      taskSet    // of a streams group, by the last heartbeat that told
}

func playScenario(t *testing.T, script string) string {
	s := &scenario{bench: newBench(t), clients: map[string]*client{}}
	s.start = s.clock.now
	for line := range strings.Lines(script) {
		line = strings.TrimSuffix(line, "\n")
		if strings.HasPrefix(line, "\t") {
			continue
		}
		s.out.WriteString(line + "\n")
		if line != "" && line[0] != '#' {
			s.run(newCommand(t, line))
			s.printRecords()
		}
	}
	return s.out.String()
}

// say prints an answer.
func (s *scenario) say(format string, args ...any) {
	s.printRecords()
	fmt.Fprintf(&s.out, "\t"+format+"\n", args...)
}

// printRecords prints what has been appended since the last call.
func (s *scenario) printRecords() {
	records := must[[]statemachine.Record](s.t)(s.log.Records())
	for _, r := range records[s.printed:] {
		s.out.WriteString("\t+ " + printRecord(s.t, r, s.start) + "\n")
	}
	s.printed = len(records)
}

func (s *scenario) client(group, name string) *client {
	key := group + " " + name
	if s.clients[key] == nil {
		s.clients[key] = &client{name: name, generation: -1}
	}
	return s.clients[key]
}

// command is a line of a script: a verb, operands, and options of the form name=value.
type command struct {
	t        testing.TB
	verb     string
	operands []string
	options  map[string]string
	pairs    [][2]string // the options in order
}

func newCommand(t testing.TB, line string) *command {
	words := strings.Fields(line)
	c := &command{t: t, verb: words[0], options: map[string]string{}}
	for _, w := range words[1:] {
		if name, value, ok := strings.Cut(w, "="); ok {
			c.options[name] = value
			c.pairs = append(c.pairs, [2]string{name, value})
		} else {
			c.operands = append(c.operands, w)
		}
	}
	return c
}

// operand is the i-th operand; `""` stands for the empty text.
func (c *command) operand(i int) string {
	if i >= len(c.operands) {
		c.t.Fatalf("%s wants more than %d operands", c.verb, len(c.operands))
	}
	if c.operands[i] == `""` {
		return ""
	}
	return c.operands[i]
}

func (c *command) has(option string) bool { _, ok := c.options[option]; return ok }

func (c *command) text(option, otherwise string) string {
	if v, ok := c.options[option]; ok {
		if v == `""` {
			return ""
		}
		return v
	}
	return otherwise
}

func (c *command) pointer(option string) *string {
	if !c.has(option) {
		return nil
	}
	v := c.text(option, "")
	return &v
}

func (c *command) duration(option string, otherwise time.Duration) time.Duration {
	if v, ok := c.options[option]; ok {
		return must[time.Duration](c.t)(time.ParseDuration(v))
	}
	return otherwise
}

func (c *command) number(option string, otherwise int) int {
	if v, ok := c.options[option]; ok {
		var n int
		if _, err := fmt.Sscan(v, &n); err != nil {
			c.t.Fatal(err)
		}
		return n
	}
	return otherwise
}

// codes are the errors that scripts name.
var codes = map[string]kafka.ErrorCode{
	"NOT_ENOUGH_REPLICAS": kafka.NotEnoughReplicas, "NOT_LEADER_OR_FOLLOWER": kafka.NotLeaderOrFollower,
	"KAFKA_STORAGE_ERROR": kafka.KafkaStorageError, "RECORD_LIST_TOO_LARGE": kafka.RecordListTooLarge,
}
