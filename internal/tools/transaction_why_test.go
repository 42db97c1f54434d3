package tools

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// transactionOf is what is known of the transactional id "billing", whose transaction began so long ago.
func transactionOf(state string, began time.Duration) *transactionReport {
	d := &describedTransaction{TransactionalID: "billing", State: state, TimeoutMillis: 60_000, ProducerID: 7, ProducerEpoch: 3, StartTimestamp: before(began).UnixMilli()}
	if state == "Ongoing" || strings.HasPrefix(state, "Prepare") {
		topic := kmsg.NewDescribeTransactionsResponseTransactionStateTopic()
		topic.Topic, topic.Partitions = "orders", []int32{0, 4}
		d.Topics = append(d.Topics, topic)
	}
	w := &transactionReport{id: "billing", described: d, coordinator: 2, shown: 10, whyClock: whyClock{whyNow, time.UTC}}
	w.causes = &transactionCauses{State: state, Client: billing("a"), Loaded: before(24 * time.Hour)}
	if state == "Ongoing" {
		w.causes.AbortedAfter = before(began - time.Minute)
	}
	return w
}

func billing(host string) whyWho {
	return whyWho{ClientID: "billing", Host: "/" + host, Software: "apache-kafka-java", SoftwareVersion: "4.3.1"}
}

func (w *transactionReport) happened(c transactionCause, ago time.Duration) *transactionReport {
	c.Last, c.Times, c.Text = before(ago), max(c.Times, 1), "text of "+c.Kind
	w.causes.Causes = append(w.causes.Causes, c)
	return w
}

func transactionVariants() map[string]*transactionReport {
	fine := transactionOf("CompleteCommit", time.Minute).happened(transactionCause{Kind: "producer-initialized", Client: billing("a")}, time.Hour)
	taken := transactionOf("Empty", time.Minute).happened(transactionCause{Kind: "producer-initialized", Client: billing("b")}, time.Hour).
		happened(transactionCause{Kind: "transaction-taken", Client: billing("a"), Owner: billing("b"), Times: 3}, time.Minute).
		happened(transactionCause{Kind: "request-fenced", Client: billing("b"), Error: "PRODUCER_FENCED"}, time.Second)
	open := transactionOf("Ongoing", 40*time.Second)
	late := transactionOf("CompleteAbort", 2*time.Minute).happened(transactionCause{Kind: "transaction-timeout", Owner: billing("a"), Setting: "transaction.timeout.ms", Limit: 60_000}, time.Minute).
		happened(transactionCause{Kind: "request-refused", Client: billing("a"), Error: "INVALID_TXN_STATE"}, time.Second)
	late.shown = 1
	stuck := transactionOf("PrepareCommit", 2*time.Minute).happened(transactionCause{Kind: "markers-delayed", Partitions: "orders-4", Error: "NOT_LEADER_OR_FOLLOWER", Times: 90}, time.Second)
	refused := transactionOf("Empty", 0).happened(transactionCause{Kind: "init-refused", Client: billing("a"), Setting: "transaction.max.timeout.ms", Limit: 900_000, Value: 3_600_000, Error: "INVALID_TRANSACTION_TIMEOUT"}, time.Second)
	gone := transactionOf("Empty", 0).happened(transactionCause{Kind: "id-expired", Setting: "transactional.id.expiration.ms", Limit: 604_800_000}, time.Hour)
	gone.described, gone.causes.Dropped = nil, 3
	silent := transactionOf("Ongoing", time.Second)
	silent.causes, silent.silent = nil, "nobody answers at http://localhost:9644 (--http HOST:PORT; http.address of the broker): connection refused"
	aborting := transactionOf("CompleteAbort", time.Minute).happened(transactionCause{Kind: "transaction-aborted", Client: billing("a"), Times: 12}, time.Second)
	return map[string]*transactionReport{
		"fine": fine, "taken by another": taken, "open": open, "timed out": late, "undelivered": stuck, "kept out": refused, "gone": gone,
		"nobody tells the causes": silent, "aborts": aborting, "nothing happened": transactionOf("Empty", 0),
	}
}

// testdata/transaction_why.txt has what is said of each variant. -update writes it anew.
func TestTransactionWhyInWords(t *testing.T) {
	var b strings.Builder
	variants := transactionVariants()
	for _, name := range slices.Sorted(maps.Keys(variants)) {
		b.WriteString("== " + name + "\n" + variants[name].text() + "\n")
	}
	path := filepath.Join("testdata", "transaction_why.txt")
	if *update {
		if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if b.String() != string(want) {
		t.Errorf("got\n%s\nwant %s", b.String(), path)
	}
}

func TestTransactionCommandLine(t *testing.T) {
	for _, c := range []struct {
		args, stdout, stderr string
		exit                 int
	}{
		{"", "", "usage:", exitMisuse},
		{"nosuch", "", "usage:", exitMisuse},
		{"help", "usage:", "", 0},
		{"why --help", "usage:", "", 0},
		{"why", "", "which transactional id? one at a time, not 0", exitMisuse},
		{"why --nosuch a", "", "nosuch is not a recognized option", exitMisuse},
		{"why --last many a", "", "many", exitMisuse},
	} {
		var stdout, stderr strings.Builder
		if exit := Transaction(strings.Fields(c.args), &stdout, &stderr); exit != c.exit || !strings.Contains(stdout.String(), c.stdout) || !strings.Contains(stderr.String(), c.stderr) {
			t.Errorf("%q: exit %d, %q, %q", c.args, exit, stdout.String(), stderr.String())
		}
	}
}
