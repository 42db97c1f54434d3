package config

import (
	"fmt"
	"strings"
	"testing"

	"github.com/ottla/ottla/internal/kafka"
)

// alteredDifferences are answers that differ from Kafka's, with the reason.
var alteredDifferences = map[string]string{
	"4/1/log.cleaner.threads=0":            "Kafka divides by zero",
	"4/1/metric.reporters=x":               "metric.reporters has no effect here, and Kafka's answer names its own classes",
	"4/1/num.io.threads=100":               "num.io.threads has no effect here, so that nothing limits its steps",
	"4/1/listener.security.protocol.map=x": "Kafka answers with the text of a Java exception",
	"4/1/num.partitions=2 | log.dirs=x":    "our names are sorted",
	"2/nope/retention.ms=1":                "config does not know which topics exist",
	"4//log.cleaner.min.compaction.lag.ms=10 | log.cleaner.max.compaction.lag.ms=5": "Kafka accepts it, and refuses all new topics from then on",
}

// TestAltersLikeKafka replays what was asked of real Kafka, with the checks in the order in which broker and
// controller make them, and compares code and text.
func TestAltersLikeKafka(t *testing.T) {
	b, _, err := Load(Sources{File: "testdata/described.properties"})
	if err != nil {
		t.Fatal(err)
	}
	stored := map[string]map[string]string{"4/": describedDefault, "4/1": describedBroker}
	for _, k := range tsv(t, "kafka_altered.tsv", 5) {
		var kind ResourceType
		fmt.Sscan(k[0], &kind)
		b, _ = b.WithDynamic(stored["4/1"], stored["4/"])
		resource := k[0] + "/" + k[1]
		changes, err := alterAs(b, kind, k[1], stored[resource], parseOps(k[2]))
		if err == nil {
			stored[resource] = Changed(stored[resource], changes)
		}
		got := fmt.Sprintf("%d\t%s", kafka.CodeOf(err), nullable(kafka.MessageOf(err)))
		if want := k[3] + "\t" + k[4]; got != want && alteredDifferences[resource+"/"+k[2]] == "" {
			t.Errorf("%s %s:\n got %s\nwant %s", resource, k[2], got, want)
		}
	}
	if got := stored["4/1"]["log.cleanup.policy"]; got != "compact" {
		t.Errorf("log.cleanup.policy of the broker is %q", got)
	}
	if got := stored["2/plain"]["cleanup.policy"]; got != "delete,delete" {
		t.Errorf("cleanup.policy of the topic is %q", got)
	}
}

func alterAs(b *Broker, kind ResourceType, name string, current map[string]string, ops []Op) ([]Change, error) {
	if err := CheckOps(ops); err != nil {
		return nil, err
	}
	if kind == BrokerResource {
		changes, err := Apply(kind, current, ops)
		if err == nil {
			err = b.CheckDynamic(name, Changed(current, changes))
		}
		if err != nil {
			return nil, err
		}
	}
	changes, err := Apply(kind, current, ops)
	if err != nil {
		return nil, err
	}
	return changes, b.CheckChanges(kind, name, current, changes, true)
}

// parseOps reads operations as the recording writes them.
func parseOps(text string) []Op {
	var ops []Op
	for part := range strings.SplitSeq(text, " | ") {
		op := Op{Type: Set}
		switch part[0] {
		case '+':
			op.Type = Append
		case '-':
			op.Type = Subtract
		case '!':
			op.Type = Delete
		}
		name, value, set := strings.Cut(strings.TrimLeft(part, "+-!"), "=")
		op.Name = name
		if set {
			op.Value = &value
		}
		ops = append(ops, op)
	}
	return ops
}

func TestApply(t *testing.T) {
	f := func(kind ResourceType, current, ops, want string) {
		t.Helper()
		now := make(map[string]string)
		if name, value, ok := strings.Cut(current, "="); ok {
			now[name] = value
		}
		changes, err := Apply(kind, now, parseOps(ops))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, c := range changes {
			got = append(got, c.Name+"="+nullable(c.Value))
		}
		if s := strings.Join(got, " "); s != want {
			t.Errorf("%s on %q: got %q, want %q", ops, current, s, want)
		}
	}
	f(TopicResource, "", "retention.ms=5", "retention.ms=5")
	f(TopicResource, "retention.ms=5", "retention.ms=5", "")
	f(BrokerResource, "max.connections=5", "max.connections=5", "max.connections=5") // set again to reload files
	f(TopicResource, "retention.ms=5", "!retention.ms", "retention.ms=null")
	f(TopicResource, "", "!retention.ms", "")
	f(TopicResource, "", "+cleanup.policy=compact", "cleanup.policy=delete,compact") // the default is the start
	f(TopicResource, "cleanup.policy=compact", "+cleanup.policy=compact,delete", "cleanup.policy=compact,delete")
	f(TopicResource, "cleanup.policy=compact,delete", "-cleanup.policy=compact", "cleanup.policy=delete")
	f(TopicResource, "cleanup.policy=compact,delete", "-cleanup.policy=delete,compact", "cleanup.policy=")
}

func TestReplace(t *testing.T) {
	changes := Replace(TopicResource, map[string]string{"a": "1", "b": "2", "c": "3"}, map[string]string{"b": "2", "c": "4", "d": "5"})
	var got []string
	for _, c := range changes {
		got = append(got, c.Name+"="+nullable(c.Value))
	}
	if s := strings.Join(got, " "); s != "c=4 d=5 a=null" {
		t.Error(s)
	}
}

func TestLongValueRefused(t *testing.T) {
	long := strings.Repeat("1:1,", 9000)
	err := zero(t).CheckChanges(TopicResource, "t", nil, []Change{{"leader.replication.throttled.replicas", &long}}, true)
	if kafka.CodeOf(err) != kafka.InvalidConfig || !strings.Contains(err.Error(), "maximum value size of 32767 bytes") {
		t.Error(err)
	}
}

func TestMinInsyncReplicasWithoutELR(t *testing.T) {
	two := "2"
	if err := zero(t).CheckChanges(BrokerResource, "1", nil, []Change{{"min.insync.replicas", &two}}, false); err != nil {
		t.Error(err)
	}
}

func TestDynamicLong(t *testing.T) {
	c, _, err := Load(Sources{})
	if err != nil {
		t.Fatal(err)
	}
	name := ReplicaAlterLogDirsIOMaxBytesPerSecond.Name
	own, _ := c.WithDynamic(map[string]string{name: "5"}, map[string]string{name: "7"})
	all, _ := c.WithDynamic(nil, map[string]string{name: "7"})
	for c, want := range map[*Broker]int64{c: 9223372036854775807, own: 5, all: 7} {
		if got := c.DynamicLong(ReplicaAlterLogDirsIOMaxBytesPerSecond); got != want {
			t.Errorf("got %d, want %d", got, want)
		}
	}
}
