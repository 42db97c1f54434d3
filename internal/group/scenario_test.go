package group

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/statemachine/script"
)

// TestScenarios runs testdata/*.txt: lines at the margin are commands (commands_test.go explains them), the indented ones
// below each are the records that it wrote ("+") and the answers that it brought about.
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
	start   time.Time
	clients map[string]*client // by "group client"
	printed int                // records of the log that have been printed
	out     *strings.Builder
}

// client is what a client remembers between its requests.
type client struct {
	name       string
	memberID   string
	generation int32      // or member epoch
	given      partitions // by the last heartbeat that told
	tasks      taskSet    // of a streams group, by the last heartbeat that told
}

func newScenario(t *testing.T, out *strings.Builder) *scenario {
	s := &scenario{bench: newBench(t), out: out, clients: map[string]*client{}}
	s.start = s.clock.Now()
	return s
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

// command is a line of a script.
type command = script.Command

// codes are the errors that scripts name.
var codes = map[string]kafka.ErrorCode{
	"NOT_ENOUGH_REPLICAS": kafka.NotEnoughReplicas, "NOT_LEADER_OR_FOLLOWER": kafka.NotLeaderOrFollower,
	"KAFKA_STORAGE_ERROR": kafka.KafkaStorageError, "RECORD_LIST_TOO_LARGE": kafka.RecordListTooLarge,
}
