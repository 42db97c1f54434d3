package tools

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ottla/ottla/internal/kafka"
)

func TestParseISODuration(t *testing.T) {
	for text, want := range map[string]time.Duration{"PT1H": time.Hour, "PT0S": 0, "P1DT2H3M4.5S": 26*time.Hour + 3*time.Minute + 4500*time.Millisecond,
		"-PT5M": -5 * time.Minute, "pt1s": time.Second, "P2D": 48 * time.Hour} {
		if got, err := parseISODuration(text); err != nil || got != want {
			t.Errorf("%s is %v, %v, want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "1h", "P", "PT", "P1H", "PT1D", "P1DT", "PT1.5H", "P9999999999999D"} {
		if got, err := parseISODuration(text); err == nil {
			t.Errorf("%q is %v, want an error", text, got)
		}
	}
}

func TestParseDateTime(t *testing.T) {
	want := time.Date(2020, 1, 2, 3, 4, 5, 6e6, time.UTC)
	for _, text := range []string{"2020-01-02T03:04:05.006", "2020-01-02T03:04:05.006Z", "2020-01-02T05:04:05.006+02:00", "2020-01-02T05:04:05.006+0200", "2020-01-02T05:04:05.006+02"} {
		if got, err := parseDateTime(text); err != nil || !got.Equal(want) {
			t.Errorf("%s is %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"yesterday", "2020-01-02", "2020-13-02T03:04:05.006"} {
		if _, err := parseDateTime(text); err == nil {
			t.Errorf("%s is accepted", text)
		}
	}
}

// The order is that of `kafka-topics --describe` of Kafka 4.3.1 for a topic whose configs are these and 30 others.
func TestJavaMapOrder(t *testing.T) {
	names := []string{"cleanup.policy", "compression.type", "max.message.bytes", "min.insync.replicas", "retention.ms", "segment.bytes"}
	for range 30 {
		names = append(names, "filler")
	}
	sorted := inJavaMapOrder(names, func(name string) string { return name })
	sorted = slices.DeleteFunc(sorted, func(name string) bool { return name == "filler" })
	want := "compression.type min.insync.replicas cleanup.policy segment.bytes"
	sorted = slices.DeleteFunc(sorted, func(name string) bool { return !strings.Contains(want, name) })
	if got := strings.Join(sorted, " "); got != want {
		t.Errorf("order is %s, want %s", got, want)
	}
}

func TestExceptionNames(t *testing.T) {
	for code, want := range map[int16]string{
		3:  "org.apache.kafka.common.errors.UnknownTopicOrPartitionException: This server does not host this topic-partition.",
		7:  "org.apache.kafka.common.errors.TimeoutException: The request timed out.",
		36: "org.apache.kafka.common.errors.TopicExistsException: Topic with this name already exists.",
		68: "org.apache.kafka.common.errors.GroupNotEmptyException: The group is not empty.",
		69: "org.apache.kafka.common.errors.GroupIdNotFoundException: The group id does not exist.",
		-1: "org.apache.kafka.common.errors.UnknownServerException: The server experienced an unexpected error when processing the request.",
	} {
		if got := javaString(responseError(code, nil)); got != want {
			t.Errorf("code %d is %s, want %s", code, got, want)
		}
	}
	own := "the broker's own text"
	err := inRuntime(inFuture(responseError(69, &own)))
	if got, want := err.Error(), "java.util.concurrent.ExecutionException: org.apache.kafka.common.errors.GroupIdNotFoundException: "+own; got != want {
		t.Errorf("message is %s, want %s", got, want)
	}
	if !isMissingGroup(err) {
		t.Error("the code is lost in the wrapping")
	}
}

func TestParseConfigList(t *testing.T) {
	got, err := parseConfigList("a=1, b = [x,y=z] ,c=,SCRAM-SHA-256=[iterations=8192,password=p]")
	want := map[string]string{"a": "1", "b": "x,y=z", "c": "", "SCRAM-SHA-256": "iterations=8192,password=p"}
	if err != nil || len(got) != len(want) {
		t.Fatalf("got %q, %v", got, err)
	}
	for name, value := range want {
		if got[name] != value {
			t.Errorf("%s is %q, want %q", name, got[name], value)
		}
	}
	for _, bad := range []string{"a", "a=1,b", "a=1=2"} {
		if got, err := parseConfigList(bad); err == nil {
			t.Errorf("%s is %q, want an error", bad, got)
		}
	}
}

func TestPlanLine(t *testing.T) {
	for _, c := range []struct {
		line   string
		want   string
		offset int64
		ok     bool
	}{
		{"t,1,5", "t-1", 5, true}, {"t,1", "t-1", 0, true}, {"g,t,1", "", 0, false}, {"g,t,1,5", "", 0, false}, {"t,1,x", "", 0, false},
	} {
		tp, offset, err := parsePlanLine(strings.Split(c.line, ","))
		if (err == nil) != c.ok || c.ok && (tp.String() != c.want || offset != c.offset) {
			t.Errorf("%s is %v %d, %v", c.line, tp, offset, err)
		}
	}
	if got := exportOffsets(map[string]offsetsOf{"g": {{Topic: "a,b", Partition: 1}: 2, {Topic: "a", Partition: 0}: 3}}, false); got != "g,a,0,3\ng,\"a,b\",1,2\n" {
		t.Errorf("export is %q", got)
	}
}

func TestPartitionFilters(t *testing.T) {
	all := []kafka.TopicPartition{{Topic: "t", Partition: 0}, {Topic: "t", Partition: 1}, {Topic: "t", Partition: 2}, {Topic: "u", Partition: 0}}
	for text, want := range map[string]string{"t": "t-0 t-1 t-2", "t:1": "t-1", "t:1-": "t-1 t-2", "t:-1": "t-0", "t:0-2,u": "t-0 t-1 u-0", ":0": "t-0 u-0", ".*:2": "t-2"} {
		filters, err := newPartitionFilters(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		var got []string
		for _, tp := range all {
			if slices.ContainsFunc(filters, func(f partitionFilter) bool { return f.allows(tp) }) {
				got = append(got, tp.String())
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s allows %s, want %s", text, got, want)
		}
	}
	if _, err := newPartitionFilters("t:x"); err == nil || err.Error() != "org.apache.kafka.tools.TerseException: Invalid rule specification: t:x" {
		t.Errorf("t:x gives %v", err)
	}
}
