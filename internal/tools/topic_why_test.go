package tools

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// What a broker tells of missing replicas is put in words, with what to do about each kind of reason.
func TestMissingReplicasInWords(t *testing.T) {
	w := topicReplicas{topic: "orders", whyClock: whyClock{time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), time.UTC}}
	if got := w.text(); got != "All replicas of orders are in sync.\n" {
		t.Error(got)
	}
	w.Controller = -1
	if got := w.text(); !strings.HasPrefix(got, "No controller is active that this broker knows of: nobody notices now which brokers and replicas are lost.\nAll replicas of orders were in sync when one last was.\n") ||
		!strings.Contains(got, "half of the voters") {
		t.Error(got)
	}
	answer := `{"controller":1,"partitions":[
		{"partition":0,"leader":1,"replicas":[1,2,3],"isr":[1],"missing":[
			{"broker":2,"lag":7,"since":"2026-01-02T03:03:00Z","reasons":[{"kind":"throttled","text":"it is held to a rate"}]},
			{"broker":3,"lag":-1,"reasons":[{"kind":"fenced","text":"the broker is fenced"}]}]},
		{"partition":3,"leader":2,"silent":true,"replicas":[2],"isr":[2],"missing":[]},
		{"partition":4,"leader":-1,"replicas":[3],"isr":[],"missing":[{"broker":3,"lag":-1,"reasons":[{"kind":"fenced","text":"the broker is fenced"}]}]}]}`
	if err := json.Unmarshal([]byte(answer), &w); err != nil {
		t.Fatal(err)
	}
	said, todo, _ := strings.Cut(w.text(), "\nWhat to do:\n")
	want := `Topic orders: not all is well in 3 partitions.

Partition 0, led by broker 1. Replicas 1,2,3, in sync 1:
  broker 2: 7 records behind; had all last at 2026-01-02 03:03:00, 1m5s ago
    it is held to a rate
  broker 3: how far behind it is nobody knows: it has not fetched from this leader
    the broker is fenced

Partition 3, led by broker 2. Replicas 2, in sync 2:
  broker 2: leads, and does not answer this broker

Partition 4, without a leader: nobody can write or read it. Replicas 3, in sync none:
  broker 3: without a leader nobody knows how far behind it is
    the broker is fenced
`
	if said != want {
		t.Errorf("got\n%s\nwant\n%s", said, want)
	}
	if strings.Count(todo, "\n  - ") != 3 || !strings.Contains(todo, "unclean") || !strings.Contains(todo, "throttled.rate") {
		t.Errorf("to do:\n%s", todo)
	}
}

func TestTopicWhyCommandLine(t *testing.T) {
	for _, c := range []struct {
		args, stderr string
		exit         int
	}{
		{"why --help", "", 0},
		{"why", "which topic? one at a time, not 0", exitMisuse},
		{"why --http localhost:1 a", "nobody answers at http://localhost:1", exitFailed},
	} {
		var stdout, stderr strings.Builder
		if exit := Topic(strings.Fields(c.args), &stdout, &stderr); exit != c.exit || !strings.Contains(stderr.String(), c.stderr) {
			t.Errorf("%q: exit %d, %q", c.args, exit, stderr.String())
		}
	}
}
