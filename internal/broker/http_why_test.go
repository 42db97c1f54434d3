package broker

import (
	"context"
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ottla/ottla/internal/group"
	"github.com/ottla/ottla/internal/txn"
	"github.com/ottla/ottla/internal/vfs"
)

// TestWhyGroup: a member's coming and going can be asked for over HTTP, with its library, also when it is gone.
func TestWhyGroup(t *testing.T) {
	b := start(t, vfs.NewMemory())
	defer stop(t, b)
	createTopic(t, b, "orders", 2)
	c := connect(t, b, kgo.ConsumeTopics("orders"), kgo.ConsumerGroup("a/b"), kgo.ClientID("billing"), kgo.SoftwareNameAndVersion("lib", "1.2"))
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	polled := make(chan struct{})
	go func() { defer close(polled); c.PollFetches(ctx) }()

	report := awaitReport(t, b, "a%2Fb", func(r *group.Report) bool { return r.State == "Stable" })
	if len(report.Members) != 1 || report.Members[0].Client.ID != "billing" || report.Members[0].Software != "lib" || report.Members[0].SoftwareVersion != "1.2" {
		t.Errorf("members: %+v", report.Members)
	}
	if first := report.Causes[0]; first.Kind != group.MemberJoined || first.Next != 1 || first.Member.Client.ID != "billing" || first.Text == "" {
		t.Errorf("first cause: %+v", first)
	}
	c.Close()
	<-polled
	report = awaitReport(t, b, "a%2Fb", func(r *group.Report) bool { return r.State == "Empty" })
	if last := report.Causes[len(report.Causes)-1]; last.Kind != group.MemberLeft || last.Member.Software != "lib" || last.Next != report.Epoch {
		t.Errorf("last cause: %+v", last)
	}
	if status, body := get(t, b, "/api/v1/groups/nobody/why"); status != http.StatusNotFound || body != "{\n  \"error\": \"GROUP_ID_NOT_FOUND\",\n  \"text\": \"Group nobody not found.\"\n}\n" {
		t.Errorf("of no group: %d %s", status, body)
	}
}

// awaitReport asks until a group is as it should be.
func awaitReport(t *testing.T, b *Broker, name string, ready func(*group.Report) bool) *group.Report {
	t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		status, body := get(t, b, "/api/v1/groups/"+name+"/why")
		var report struct {
			ClusterID string
			Node      int32
			*group.Report
		}
		if status == http.StatusOK {
			if err := json.Unmarshal([]byte(body), &report); err != nil {
				t.Fatal(err)
			}
			if report.ClusterID != b.ClusterID() || report.Node != b.Node() {
				t.Fatal("who answers:", report.ClusterID, report.Node)
			}
			if ready(report.Report) {
				return report.Report
			}
		}
		if time.Now().After(end) {
			t.Fatalf("never ready: %d %s", status, body)
		}
	}
}

// TestWhyTransaction: who took a transactional id from whom can be asked for over HTTP.
func TestWhyTransaction(t *testing.T) {
	b := start(t, vfs.NewMemory())
	defer stop(t, b)
	createTopic(t, b, "orders", 1)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	producer := func(name string) *kgo.Client {
		return connect(t, b, kgo.TransactionalID("a/b"), kgo.ClientID(name), kgo.SoftwareNameAndVersion("lib", "1.2"), kgo.DefaultProduceTopic("orders"))
	}
	first, second := producer("first"), producer("second")
	send := func(c *kgo.Client) error {
		if err := c.BeginTransaction(); err != nil {
			t.Fatal(err)
		}
		return c.ProduceSync(ctx, kgo.StringRecord("x")).FirstErr()
	}
	if err := send(first); err != nil {
		t.Fatal(err)
	}
	if err := send(second); err != nil {
		t.Fatal(err)
	}
	if err := first.EndTransaction(ctx, kgo.TryCommit); err == nil {
		t.Error("the first producer was not fenced")
	}
	status, body := get(t, b, "/api/v1/transactions/a%2Fb/why")
	var report struct {
		ClusterID string
		Node      int32
		txn.Report
	}
	if err := json.Unmarshal([]byte(body), &report); status != http.StatusOK || err != nil {
		t.Fatal(status, err, body)
	}
	if report.ClusterID != b.ClusterID() || report.State != "Ongoing" || report.Client.ID != "second" || len(report.Partitions) != 1 {
		t.Errorf("%+v", report)
	}
	seen := map[txn.CauseKind]bool{}
	for _, c := range report.Causes {
		if c.Kind == txn.TransactionTaken && (c.Client.ID != "second" || c.Owner.ID != "first" || c.Owner.Software != "lib") {
			t.Errorf("%+v", c)
		}
		seen[c.Kind] = true
	}
	if !seen[txn.ProducerInitialized] || !seen[txn.TransactionTaken] || !seen[txn.RequestFenced] {
		t.Errorf("%s", body)
	}
	if status, body := get(t, b, "/api/v1/transactions/nobody/why"); status != http.StatusNotFound {
		t.Errorf("of no transactional id: %d %s", status, body)
	}
}
