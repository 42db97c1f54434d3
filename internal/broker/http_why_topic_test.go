package broker

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/wire"
)

// Whichever node is asked why replicas of a topic are missing, it names them, since when, and that their broker is fenced.
func TestWhyReplicasAreMissing(t *testing.T) {
	c := newNodes(t, 3, "http.address=localhost:0")
	c.startAll()
	stays := c.active()
	if _, err := kadm.NewClient(connect(t, stays.Broker)).CreateTopic(t.Context(), 3, 3, nil, "t"); err != nil {
		t.Fatal(err)
	}
	ask := func(n *testNode) (all []partitionReport, err error) {
		var report struct{ Partitions []partitionReport }
		status, body := get(t, n.Broker, "/api/v1/topics/t/why")
		if err = json.Unmarshal([]byte(body), &report); err == nil && status != http.StatusOK {
			err = fmt.Errorf("%d %s", status, body)
		}
		return report.Partitions, err
	}
	untilRight(t, "nothing is missing", func() error {
		if all, err := ask(stays); err != nil || len(all) > 0 {
			return fmt.Errorf("%+v, %v", all, err)
		}
		return nil
	})
	away := c.other(stays)
	c.stop(away)
	for _, n := range c.all {
		if n == away {
			continue
		}
		untilRight(t, fmt.Sprintf("node %d knows what is missing", n.id), func() error {
			all, err := ask(n)
			if err != nil || len(all) != 3 {
				return fmt.Errorf("%+v, %v", all, err)
			}
			for _, p := range all {
				if len(p.Missing) != 1 || p.Missing[0].Broker != away.id || p.Missing[0].Reasons[0].Kind != "fenced" {
					return fmt.Errorf("partition %d: %+v", p.Partition, p.Missing)
				}
			}
			return nil
		})
	}
	if status, body := get(t, stays.Broker, "/api/v1/topics/nothing/why"); status != http.StatusNotFound {
		t.Errorf("of no topic: %d %s", status, body)
	}
}

// What brokers say is put together for each missing replica.
func TestReasonsOfMissingReplicas(t *testing.T) {
	delta := metadata.Empty("c").Change()
	for _, m := range []wire.Message{
		&wire.RegisterBrokerRecord{BrokerID: 1}, &wire.RegisterBrokerRecord{BrokerID: 2}, &wire.RegisterBrokerRecord{BrokerID: 3, Fenced: true},
		&wire.TopicRecord{Name: "t", TopicID: kafka.UUID{1}},
		&wire.PartitionRecord{TopicID: kafka.UUID{1}, Leader: 1, Replicas: []int32{1, 2, 3, 4}, Isr: []int32{1}, AddingReplicas: []int32{3, 4}},
	} {
		if err := delta.Replay(m); err != nil {
			t.Fatal(err)
		}
	}
	image := delta.Apply(1, 1)
	since := time.UnixMilli(5000)
	leader := replicasReport{Node: 1, Leads: []ledReplica{{0, 2, 7, since, true}, {0, 3, -1, time.Time{}, true}}} // which throttles nobody who is fenced
	for _, x := range []struct {
		what    string
		reports map[int32]replicasReport
		want    string
	}{
		{"nobody answers", nil, "[2 -1: silent] [3 -1: fenced reassigned] [4 -1: unregistered reassigned]"},
		{"the leader throttles", map[int32]replicasReport{1: leader, 2: {Node: 2}}, "[2 7: throttled] [3 -1: fenced reassigned] [4 -1: unregistered reassigned]"},
		{"fetches fail", map[int32]replicasReport{2: {Node: 2, Has: []ownReplica{{0, missingReason{"failing", "x"}}, {1, missingReason{"full", "y"}}}}},
			"[2 -1: failing] [3 -1: fenced reassigned] [4 -1: unregistered reassigned]"},
		{"it only lags", map[int32]replicasReport{2: {Node: 2}}, "[2 -1: behind] [3 -1: fenced reassigned] [4 -1: unregistered reassigned]"},
	} {
		got, report := "", explainReplicas(image, image.Topic("t"), x.reports)[0]
		if _, answers := x.reports[1]; report.Silent == answers {
			t.Errorf("%s: the leader is silent: %v", x.what, report.Silent)
		}
		for _, m := range report.Missing {
			got += fmt.Sprintf(" [%d %d:", m.Broker, m.Lag)
			for _, r := range m.Reasons {
				got += " " + r.Kind
			}
			got += "]"
			if (m.Lag == 7) != m.Since.Equal(since) {
				t.Errorf("%s: broker %d since %v", x.what, m.Broker, m.Since)
			}
		}
		if got[1:] != x.want {
			t.Errorf("%s: %s, want %s", x.what, got[1:], x.want)
		}
	}
}
