package differential

import (
	"testing"
	"testing/fstest"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/wire"
)

func metadata(topic string, id kafka.UUID, leader int32, host string) *wire.MetadataResponse {
	return &wire.MetadataResponse{
		Brokers: []wire.MetadataResponseBroker{{NodeID: 1, Host: host, Port: 9000}},
		Topics:  []wire.MetadataResponseTopic{{Name: &topic, TopicID: id, Partitions: []wire.MetadataResponsePartition{{LeaderID: leader}}}},
	}
}

func step(answer any, addr string) []Step {
	return []Step{{API: "Metadata", Leaves: leaves(answer, newNames(addr, time.Now()))}}
}

// Different ids and addresses are the same answer; a different leader is not.
func TestCompareSeesWhatDiffers(t *testing.T) {
	a := step(metadata("t", kafka.UUID{1}, 1, "one"), "one:9000")
	b := step(metadata("t", kafka.UUID{2}, 1, "two"), "two:9000")
	if got := compare("s", a, b); len(got) != 0 {
		t.Errorf("differences in equal answers: %v", got)
	}
	c := step(metadata("t", kafka.UUID{2}, 2, "two"), "two:9000")
	got := compare("s", a, c)
	if len(got) != 1 || got[0].Path != "Topics[t].Partitions[0].LeaderID" || got[0].Kafka != "1" || got[0].Ottla != "2" {
		t.Errorf("another leader: %v", got)
	}
	d := step(metadata("u", kafka.UUID{2}, 1, "two"), "two:9000")
	if got := compare("s", a, d); len(got) != 2 || got[0].Ottla != absent || got[1].Kafka != absent {
		t.Errorf("another topic, want one difference for each side's: %v", got)
	}
	closed := []Step{{API: "Metadata", Leaves: []Leaf{{"", "connection closed", ""}}}}
	if got := compare("s", a, closed); len(got) != 1 || got[0].Path != "the outcome" {
		t.Errorf("no answer: %v", got)
	}
}

// The same id twice is not the same as two ids.
func TestIdsStayTheSameIds(t *testing.T) {
	two := func(a, b kafka.UUID) []Step {
		return step(&wire.MetadataResponse{Topics: []wire.MetadataResponseTopic{{TopicID: a}, {TopicID: b}}}, "x:1")
	}
	if got := compare("s", two(kafka.UUID{1}, kafka.UUID{2}), two(kafka.UUID{8}, kafka.UUID{9})); len(got) != 0 {
		t.Errorf("two ids and two ids: %v", got)
	}
	if got := compare("s", two(kafka.UUID{1}, kafka.UUID{2}), two(kafka.UUID{9}, kafka.UUID{9})); len(got) != 1 {
		t.Errorf("two ids and one: %v", got)
	}
}

func TestRequestsAreReadFromText(t *testing.T) {
	var rq wire.FetchRequest
	text := `{MaxBytes: 10, Topics: [{Topic: "a b", Partitions: [{Partition: 3, FetchOffset: -1}, {Partition: 4}]}], RackId: x}`
	if err := fill(&rq, text, nil); err != nil {
		t.Fatal(err)
	}
	p := rq.Topics[0].Partitions
	if rq.MaxBytes != 10 || rq.Topics[0].Topic != "a b" || len(p) != 2 || p[0].FetchOffset != -1 || rq.RackID != "x" {
		t.Errorf("read as %+v", rq)
	}
	if p[1].CurrentLeaderEpoch != -1 || rq.ReplicaID != -1 {
		t.Errorf("what is not named has Kafka's default: %+v", rq)
	}
	for _, bad := range []string{`{NoSuchField: 1}`, `{MaxBytes: many}`, `{MaxBytes: 1`, `{MaxBytes: 1} x`, `{MaxBytes: null}`} {
		if err := fill(&rq, bad, nil); err == nil {
			t.Errorf("%s was accepted", bad)
		}
	}
}

func TestScriptsAreParsed(t *testing.T) {
	all, err := readScenarios(fstest.MapFS{"f.txt": {Data: []byte(`
scenario one alone
# a comment
ask Metadata all {Topics: [
  {Name: a}]}
each 1-2
  ask Metadata $v {}
end
scenario two
close
`)}})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != 2 || !all[0].Alone || all[1].Alone || len(all[0].Commands) != 2 || len(all[0].Commands[1].Body) != 1 {
		t.Fatalf("parsed as %+v", all)
	}
	if rest := all[0].Commands[0].Rest; rest != "Metadata all {Topics: [ {Name: a}]}" {
		t.Errorf("joined as %q", rest)
	}
	for _, bad := range []string{"ask x", "scenario a\nend", "scenario a\neach 1"} {
		if _, err := parseScript("f", bad); err == nil {
			t.Errorf("%q was accepted", bad)
		}
	}
}

func TestPatterns(t *testing.T) {
	for _, c := range []struct {
		pattern, text string
		want          bool
	}{
		{"", "anything", true}, {"a", "a", true}, {"a", "ab", false}, {"a*", "ab", true}, {"*b", "ab", true}, {"a*c*e", "abcde", true},
		{"a*c*e", "abde", false}, {"*", "", true}, {"a*a", "a", false},
	} {
		if got := like(c.pattern, c.text); got != c.want {
			t.Errorf("like(%q, %q) = %v", c.pattern, c.text, got)
		}
	}
}
