package config

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// described are the settings under which real Kafka was asked (testdata/kafka_described.tsv).
var (
	describedDefault = map[string]string{"log.flush.interval.ms": "77", "max.connections": "1000", "min.insync.replicas": "1"}
	describedBroker  = map[string]string{"log.retention.ms": "5000", "leader.replication.throttled.rate": "100", "foo.bar": "1",
		"max.connections": "900", "listener.name.plaintext.max.connections": "10", "log.cleanup.policy": "compact", "log.roll.ms": "60000",
		"config.providers": "", "listener.name.plaintext.ssl.keystore.password": "x"}
	describedTopic = map[string]string{"retention.ms": " 1000 ", "cleanup.policy": "compact , delete", "min.cleanable.dirty.ratio": "0.10",
		"internal.segment.bytes": "1000000", "flush.ms": "5"}
	describedGroup   = map[string]string{"consumer.session.timeout.ms": "50000", "share.isolation.level": "read_committed"}
	describedMetrics = map[string]string{"interval.ms": "1000", "metrics": "a,b", "match": "client_id=x.*"}
)

// differences to what Kafka described, with the reason.
var describedDifferences = map[string]string{
	"log.retention.hours":                "Kafka forgets the static value of a synonym when log.retention.ms is set dynamically, but still calls it static",
	"log.roll.hours":                     "likewise for log.roll.ms",
	"log.flush.scheduler.interval.ms":    "likewise for log.flush.interval.ms",
	"http.address":                       "ours",
	"log.dir.reserve.bytes":              "ours",
	"redo.journal.bytes":                 "ours",
	"write.caching":                      "ours",
	"write.caching.default":              "ours",
	"broker.heartbeat.interval.ms":       "a silent broker is noticed within 3 s",
	"broker.session.timeout.ms":          "a silent broker is noticed within 3 s",
	"controller.quorum.fetch.timeout.ms": "likewise a silent controller",
	"process.roles":                      "Kafka has no default",
	"node.id":                            "Kafka has no default",
	"listeners":                          "our default is localhost",
	"log.dir":                            "our default is ./data",
	// On a lone node these have the default 1.
	"offsets.topic.replication.factor":                 "1 on a lone node",
	"transaction.state.log.replication.factor":         "1 on a lone node",
	"transaction.state.log.min.isr":                    "1 on a lone node",
	"share.coordinator.state.topic.replication.factor": "1 on a lone node",
	"share.coordinator.state.topic.min.isr":            "1 on a lone node",
}

func TestDescribesLikeKafka(t *testing.T) {
	b, _, err := Load(Sources{File: "testdata/described.properties"})
	if err != nil {
		t.Fatal(err)
	}
	b, notices := b.WithDynamic(describedBroker, describedDefault)
	if len(notices) > 0 {
		t.Fatal(notices)
	}
	broker, err := b.Describe("1", nil, true, false)
	if err != nil {
		t.Fatal(err)
	}
	defaults, err := b.Describe("", nil, true, false)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string][]Entry{
		"4/1":     broker,
		"4/":      defaults,
		"2/plain": b.Topic(nil).Describe(nil, true, false),
		"2/tuned": b.Topic(describedTopic).Describe(nil, true, false),
		"32/g":    b.Group(describedGroup).Describe(nil, true, false),
		"16/m":    NewClientMetrics(describedMetrics).Describe(nil, true, false),
		"16/none": NewClientMetrics(nil).Describe(nil, true, false),
	}
	want := make(map[string][]string)
	for _, k := range tsv(t, "kafka_described.tsv", 9) {
		if describedDifferences[k[2]] == "" {
			resource := k[0] + "/" + k[1]
			want[resource] = append(want[resource], strings.Join(k[2:], "\t"))
		}
	}
	for resource, entries := range got {
		var lines []string
		for _, e := range entries {
			if describedDifferences[e.Name] == "" {
				lines = append(lines, entryLine(e))
			}
		}
		if diff := cmp.Diff(want[resource], lines); diff != "" {
			t.Errorf("%s (-Kafka +ours):\n%s", resource, diff)
		}
		delete(want, resource)
	}
	if len(want) > 0 {
		t.Errorf("not described: %v", want)
	}
}

func entryLine(e Entry) string {
	var synonyms []string
	for _, s := range e.Synonyms {
		synonyms = append(synonyms, fmt.Sprintf("%d:%s=%s", s.Source, s.Name, nullable(s.Value)))
	}
	return strings.Join([]string{e.Name, nullable(e.Value), strconv.Itoa(int(e.Source)), strconv.FormatBool(e.Sensitive),
		strconv.FormatBool(e.ReadOnly), strconv.Itoa(int(e.Type)), strings.Join(synonyms, " ")}, "\t")
}

func nullable(s *string) string {
	if s == nil {
		return "null"
	}
	return *s
}

func TestDescribeChoosesAndDocuments(t *testing.T) {
	b := zero(t)
	entries := b.Topic(map[string]string{"retention.ms": "5"}).Describe([]string{"retention.ms", "no.such"}, false, true)
	if len(entries) != 1 || entries[0].Name != "retention.ms" || entries[0].Doc == nil || entries[0].Synonyms != nil {
		t.Errorf("got %+v", entries)
	}
	if _, err := b.Describe("7", nil, false, false); err == nil || !strings.Contains(err.Error(), "Unexpected broker id, expected 1 or empty string, but received 7") {
		t.Error(err)
	}
	if _, err := b.Describe("x", nil, false, false); err == nil || !strings.Contains(err.Error(), "Broker id must be an integer, but it is: x") {
		t.Error(err)
	}
}

// What DescribeConfigs documents: everything, and what decides durability says so.
func TestEverySettingIsDocumented(t *testing.T) {
	b := zero(t)
	all, err := b.Describe("1", nil, false, true)
	if err != nil {
		t.Fatal(err)
	}
	topic := b.Topic(nil).Describe(nil, false, true)
	for _, e := range slices.Concat(all, topic, b.Group(nil).Describe(nil, false, true), NewClientMetrics(nil).Describe(nil, false, true)) {
		if e.Doc == nil {
			t.Errorf("%s has no documentation", e.Name)
			continue
		}
		switch e.Name {
		case "write.caching", "write.caching.default", "flush.messages", "flush.ms", "min.insync.replicas", "log.flush.interval.messages", "log.flush.interval.ms":
			if !strings.Contains(*e.Doc, "stable storage") {
				t.Errorf("%s does not say when records are on stable storage: %s", e.Name, *e.Doc)
			}
		}
	}
}

func zero(t *testing.T) *Broker {
	t.Helper()
	b, notices, err := Load(Sources{})
	if err != nil || len(notices) > 0 {
		t.Fatal(err, notices)
	}
	return b
}
