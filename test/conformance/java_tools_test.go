package conformance

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"
)

// javaTools are the main classes of Kafka's tools.
var javaTools = map[string]string{
	"kafka-configs":             "kafka.admin.ConfigCommand",
	"kafka-console-consumer":    "org.apache.kafka.tools.consumer.ConsoleConsumer",
	"kafka-console-producer":    "org.apache.kafka.tools.ConsoleProducer",
	"kafka-consumer-groups":     "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand",
	"kafka-dump-log":            "org.apache.kafka.tools.DumpLogSegments",
	"kafka-get-offsets":         "org.apache.kafka.tools.GetOffsetShell",
	"kafka-producer-perf-test":  "org.apache.kafka.tools.ProducerPerformance",
	"kafka-topics":              "org.apache.kafka.tools.TopicCommand",
	"kafka-verifiable-consumer": "org.apache.kafka.tools.VerifiableConsumer",
	"kafka-verifiable-producer": "org.apache.kafka.tools.VerifiableProducer",
}

// javaTool is the toolbox of Kafka's own tools.
func javaTool(t *testing.T, name string, args ...string) program {
	t.Helper()
	return java(t, javaTools[name], args...)
}

func TestCourseWithKafkasTools(t *testing.T) {
	t.Parallel()
	consoleCourse(t, javaTool)
}

// kafka-producer-perf-test sends as fast as it can; what it says it sent must be there.
func TestKafkasProducerPerfTest(t *testing.T) {
	t.Parallel()
	const records = 50000
	c := newConsole(t, javaTool)
	c.run("", "kafka-topics", "--create", "--topic", c.topic, "--partitions", "3")
	for _, codec := range []string{"none", "lz4"} {
		out := c.run("", "kafka-producer-perf-test", "--topic", c.topic, "--num-records", strconv.Itoa(records), "--record-size", "200", "--throughput", "-1",
			"--command-property", "acks=all", "compression.type="+codec)
		c.want(out, `^`+strconv.Itoa(records)+` records sent, `)
	}
	total := 0
	for line := range strings.Lines(c.run("", "kafka-get-offsets", "--topic", c.topic)) {
		n, _ := strconv.Atoi(strings.TrimSpace(line[strings.LastIndexByte(line, ':')+1:]))
		total += n
	}
	if total != 2*records {
		t.Errorf("%d records in the topic, the tool sent %d", total, 2*records)
	}
}

// An event is a line that the verifiable clients print.
type event struct {
	Name    string `json:"name"`
	Value   string `json:"value"`
	Count   int    `json:"count"`
	Sent    int    `json:"sent"`
	Acked   int    `json:"acked"`
	Success bool   `json:"success"`
}

func events(t *testing.T, text string) (all []event) {
	t.Helper()
	for line := range strings.Lines(text) {
		var e event
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		all = append(all, e)
	}
	return all
}

func TestKafkasVerifiableClients(t *testing.T) {
	t.Parallel()
	const messages = 2000
	c := newConsole(t, javaTool)
	c.run("", "kafka-topics", "--create", "--topic", c.topic, "--partitions", "3")
	acknowledged, acked := map[string]bool{}, 0
	for _, e := range events(t, c.run("", "kafka-verifiable-producer", "--topic", c.topic, "--max-messages", strconv.Itoa(messages), "--acks", "-1")) {
		switch e.Name {
		case "producer_send_success":
			acknowledged[e.Value] = true
		case "tool_data":
			acked = e.Acked
		}
	}
	if acked != messages || len(acknowledged) != messages {
		t.Errorf("kafka-verifiable-producer: %d acknowledged by its count, %d by its lines, want %d", acked, len(acknowledged), messages)
	}
	consumed, commits := 0, 0
	read := c.run("", "kafka-verifiable-consumer", "--topic", c.topic, "--group-id", c.group, "--max-messages", strconv.Itoa(messages), "--reset-policy", "earliest", "--verbose")
	for _, e := range events(t, read) {
		switch e.Name {
		case "record_data":
			delete(acknowledged, e.Value)
		case "records_consumed":
			consumed += e.Count
		case "offsets_committed":
			if e.Success {
				commits++
			}
		}
	}
	if consumed != messages || len(acknowledged) > 0 || commits == 0 {
		t.Errorf("kafka-verifiable-consumer: %d consumed, %d acknowledged messages not seen, %d commits; want %d, 0, at least 1", consumed, len(acknowledged), commits, messages)
	}
	c.wantProgress(messages, messages, 0)
}
