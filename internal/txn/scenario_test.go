package txn

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ottla/ottla/internal/causes"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/statemachine/script"
)

// TestScenarios runs testdata/*.txt: lines at the margin are commands (commands_test.go explains them), the indented ones
// below each are the records that it wrote ("+"), the markers that it had written ("->") and the answers that it brought
// about.
func TestScenarios(t *testing.T) {
	script.Run(t, "testdata/*.txt", func(t *testing.T, out *strings.Builder) func(*command) {
		s := newScenario(t, out)
		return func(c *command) {
			s.run(c)
			s.printRecords()
		}
	})
}

// scenario is a script while it runs.
type scenario struct {
	*bench
	start     time.Time
	producers map[string]statemachine.Producer // what the owner of a transactional id was told last
	printed   int                              // records of the log that have been printed
	out       *strings.Builder
	refusals  map[kafka.TopicPartition]error // of markers; under the zero value: those of all partitions
	held      []func()                       // answers of markers that wait
	hold      bool
}

func newScenario(t *testing.T, out *strings.Builder) *scenario {
	s := &scenario{bench: newBench(t), out: out, producers: map[string]statemachine.Producer{}, refusals: map[kafka.TopicPartition]error{}}
	s.start = s.clock.Now()
	s.markers = s.write
	return s
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
	fmt.Fprintf(s.out, "\t"+format+"\n", args...)
}

// printRecords prints what has been appended since the last call.
func (s *scenario) printRecords() {
	records := must[[]statemachine.Record](s.t)(s.log.Records())
	for _, r := range records[s.printed:] {
		s.out.WriteString("\t+ " + printRecord(s.t, r, s.clock.Now(), s.start) + "\n")
	}
	s.printed = len(records)
}

// command is a line of a script.
type command = script.Command

// producerOf reads an option of the form id/epoch.
func producerOf(t testing.TB, c *command, option string, otherwise statemachine.Producer) statemachine.Producer {
	if !c.Has(option) {
		return otherwise
	}
	var p statemachine.Producer
	if _, err := fmt.Sscanf(c.Text(option, ""), "%d/%d", &p.ID, &p.Epoch); err != nil {
		t.Fatal(err)
	}
	return p
}

// partitionsOf reads the operands from the i-th on.
func partitionsOf(t testing.TB, c *command, i int) []kafka.TopicPartition {
	var all []kafka.TopicPartition
	for _, text := range c.Operands[i:] {
		all = append(all, must[kafka.TopicPartition](t)(kafka.ParseTopicPartition(text)))
	}
	return all
}

// clientOf is who sends the request; nobody that is known without from=.
func clientOf(c *command) causes.Client {
	if !c.Has("from") {
		return causes.Client{}
	}
	return causes.Client{ID: c.Text("from", ""), Host: "/host", Software: "lib", SoftwareVersion: "1"}
}
