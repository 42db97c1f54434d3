package txn

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ottla/ottla/internal/causes"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/statemachine"
)

var update = flag.Bool("update", false, "write what the scenarios print into testdata/*.txt")

// TestScenarios runs testdata/*.txt: lines at the margin are commands (commands_test.go explains them), the indented ones
// below each are the records that it wrote ("+"), the markers that it had written ("->") and the answers that it brought
// about.
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
	start     time.Time
	producers map[string]statemachine.Producer // what the owner of a transactional id was told last
	printed   int                              // records of the log that have been printed
	out       strings.Builder
	refusals  map[kafka.TopicPartition]error // of markers; under the zero value: those of all partitions
	held      []func()                       // answers of markers that wait
	hold      bool
}

func playScenario(t *testing.T, script string) string {
	s := &scenario{bench: newBench(t), producers: map[string]statemachine.Producer{}, refusals: map[kafka.TopicPartition]error{}}
	s.start = s.clock.now
	s.markers = s.write
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

// write is what the partitions do with markers.
func (s *scenario) write(m Marker, done func([]error)) {
	s.say("-> %s", printMarker(m))
	errs := make([]error, len(m.Partitions))
	for i, tp := range m.Partitions {
		errs[i] = either(s.refusals[tp], s.refusals[kafka.TopicPartition{}])
	}
	if s.hold {
		s.held = append(s.held, func() { done(errs) })
		return
	}
	done(errs)
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
		s.out.WriteString("\t+ " + printRecord(s.t, r, s.clock.now, s.start) + "\n")
	}
	s.printed = len(records)
}

// command is a line of a script: a verb, operands, and options of the form name=value.
type command struct {
	t        testing.TB
	verb     string
	operands []string
	options  map[string]string
}

func newCommand(t testing.TB, line string) *command {
	words := strings.Fields(line)
	c := &command{t: t, verb: words[0], options: map[string]string{}}
	for _, w := range words[1:] {
		if name, value, ok := strings.Cut(w, "="); ok {
			c.options[name] = value
		} else {
			c.operands = append(c.operands, w)
		}
	}
	return c
}

// operand is the i-th operand.
func (c *command) operand(i int) string {
	if i >= len(c.operands) {
		c.t.Fatalf("%s wants more than %d operands", c.verb, len(c.operands))
	}
	return c.operands[i]
}

func (c *command) is(operand string) bool { return slices.Contains(c.operands, operand) }

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

// producer reads an option of the form id/epoch.
func (c *command) producer(option string, otherwise statemachine.Producer) statemachine.Producer {
	v, ok := c.options[option]
	if !ok {
		return otherwise
	}
	var p statemachine.Producer
	if _, err := fmt.Sscanf(v, "%d/%d", &p.ID, &p.Epoch); err != nil {
		c.t.Fatal(err)
	}
	return p
}

// partitions reads the operands from the i-th on.
func (c *command) partitions(i int) []kafka.TopicPartition {
	var all []kafka.TopicPartition
	for _, text := range c.operands[i:] {
		all = append(all, must[kafka.TopicPartition](c.t)(kafka.ParseTopicPartition(text)))
	}
	return all
}

// client is who sends the request; nobody that is known without from=.
func (c *command) client() causes.Client {
	if c.options["from"] == "" {
		return causes.Client{}
	}
	return causes.Client{ID: c.options["from"], Host: "/host", Software: "lib", SoftwareVersion: "1"}
}
