package conformance

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
)

// The course: what a beginner does with Kafka, the same steps with every client. The steps of courseBefore run on a freshly
// started broker, then the broker is killed with SIGKILL and started again, and courseAfter looks for what was
// acknowledged and committed. python/course.py is the reference of what each step does.
var (
	courseBefore = []string{
		"create-topic", "produce-json-with-keys", "same-key-same-partition-in-order", "group-reads-and-commits",
		"restart-resumes-at-commit", "second-group-reads-everything", "members-share-partitions", "partitions-grow",
		"latest-skips-what-was-there", "large-message-needs-a-larger-limit",
	}
	courseAfter = []string{"acknowledged-survives", "committed-survives", "group-goes-on"}
)

const courseLimit = 3 * time.Minute // for one half; about 10 s are usual

// courseState is what a program leaves after the first half.
type courseState struct {
	Acknowledged [][3]int64       `json:"acknowledged"` // partition, offset, order id
	Committed    map[string]int64 `json:"committed"`    // by partition
}

// runCourse takes a client's program through both halves of the course.
func runCourse(t *testing.T, p program) {
	t.Helper()
	tg := newTarget(t)
	topic, group := tg.name("order-events"), tg.name("order-processor")
	file := filepath.Join(t.TempDir(), "state.json")
	p = p.on(tg).with("TOPIC="+topic, "GROUP="+group, "STATE="+file)

	expectSteps(t, p.args("before").run(t, courseLimit, ""), courseBefore)
	if t.Failed() {
		return
	}
	state := readState(t, file)
	checkLag(t, tg, topic, group, state)
	tg.crash(t)
	checkLag(t, tg, topic, group, state)
	expectSteps(t, p.args("after").run(t, courseLimit, ""), courseAfter)
}

func readState(t *testing.T, file string) courseState {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var state courseState
	if err := json.Unmarshal(text, &state); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return state
}

// checkLag compares what Ottla's kafka-consumer-groups says of the group with what the program committed and with the
// topic's end offsets.
func checkLag(t *testing.T, tg target, topic, group string, state courseState) {
	t.Helper()
	ends, err := kadm.NewClient(kafkaClient(t, tg)).ListEndOffsets(t.Context(), topic)
	if err != nil {
		t.Fatal(err)
	}
	o := tool(t, "kafka-consumer-groups", "--bootstrap-server", tg.addr, "--describe", "--group", group).run(t, time.Minute, "")
	rows := map[string][]string{}
	for line := range strings.Lines(o.stdout) {
		if f := strings.Fields(line); len(f) == 9 && f[1] == topic {
			rows[f[2]] = f
		}
	}
	for partition, committed := range state.Committed {
		number, _ := strconv.ParseInt(partition, 10, 32)
		end, _ := ends.Lookup(topic, int32(number))
		want := []string{strconv.FormatInt(committed, 10), strconv.FormatInt(end.Offset, 10), strconv.FormatInt(end.Offset-committed, 10)}
		row := rows[partition]
		if row == nil {
			t.Errorf("kafka-consumer-groups --describe shows no row for %s-%s:\n%s%s", topic, partition, o.stdout, o.stderr)
			continue
		}
		if got := row[3:6]; strings.Join(got, " ") != strings.Join(want, " ") {
			t.Errorf("kafka-consumer-groups --describe, %s-%s: CURRENT-OFFSET LOG-END-OFFSET LAG %v, want %v", topic, partition, got, want)
		}
	}
}
