package tools

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ottla/ottla/internal/kafka"
)

var whyNow = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// before is a time so long before whyNow.
func before(d time.Duration) time.Time { return whyNow.Add(-d) }

// whyOf builds what is known of the group "orders" of topic "o": members with so many partitions each.
func whyOf(state string, assigned ...int) *why {
	w := &why{group: "orders", whyClock: whyClock{whyNow, time.UTC}, shown: 10,
		described: &describedGroup{id: "orders", state: state, assignor: "range"},
		causes:    &whyCauses{Type: "classic", State: state, Epoch: 7, Since: before(4 * time.Minute), Loaded: before(24 * time.Hour)},
	}
	next := int32(0)
	for i, n := range assigned {
		m := describedMember{id: fmt.Sprintf("c%d-1", i), clientID: fmt.Sprint("c", i), host: "/10.0.0.1"}
		for range n {
			m.assigned = append(m.assigned, kafka.TopicPartition{Topic: "o", Partition: next})
			next++
		}
		w.described.members = append(w.described.members, m)
		w.causes.Members = append(w.causes.Members, whyMember{whyWho: whyWho{MemberID: m.id, Software: "apache-kafka-java", SoftwareVersion: "4.3.1"},
			SessionTimeout: 45_000, RebalanceTimeout: 300_000})
	}
	for i := range next {
		w.offsets = append(w.offsets, whyOffset{kafka.TopicPartition{Topic: "o", Partition: i}, 10, 0, 10})
	}
	return w
}

func (w *why) happened(kind string, ago time.Duration, change func(c *whyCause)) *why {
	c := whyCause{Kind: kind, At: before(ago), Last: before(ago), Times: 1, Text: "text of " + kind}
	change(&c)
	w.causes.Causes = append(w.causes.Causes, c)
	return w
}

// led makes a cause one of the rebalance to a generation.
func led(next int32) func(*whyCause) {
	return func(c *whyCause) { c.Rebalance, c.Epoch, c.Next, c.Took = true, next-1, next, 1500 }
}

func limited(setting string, limit int64, next int32) func(*whyCause) {
	return func(c *whyCause) { led(next)(c); c.Setting, c.Limit = setting, limit }
}

func refusedWith(err kafka.ErrorCode, instance string) func(*whyCause) {
	return func(c *whyCause) { c.Error, c.Member.InstanceID = err.String(), instance }
}

// whyVariants are groups in known pits.
func whyVariants() map[string]*why {
	fine := whyOf("Stable", 2, 1).happened("member-joined", 5*time.Minute, led(6)).happened("member-joined", 5*time.Minute, led(6)).
		happened("member-joined", 4*time.Minute, led(7))
	idle := whyOf("Stable", 1, 1, 0, 0)
	ranges := whyOf("Stable", 2, 2, 0)
	slow := whyOf("PreparingRebalance", 1, 1).happened("poll-interval-exceeded", time.Minute, limited("max.poll.interval.ms", 300_000, 7)).
		happened("member-joined", time.Second, func(c *whyCause) { c.Rebalance, c.Epoch = true, 7 })
	slow.causes.Members[1].Awaited, slow.causes.Until = true, whyNow.Add(time.Minute)
	storm := whyOf("Stable", 1)
	storm.shown = 3
	for i := range int32(12) {
		storm.happened("session-expired", time.Duration(120-i)*time.Second, limited("session.timeout.ms", 6000, 10+2*i))
		storm.happened("member-joined", time.Duration(119-i)*time.Second, led(11+2*i))
	}
	storm.causes.Dropped = 5
	fenced := whyOf("Stable", 1).happened("request-fenced", time.Minute, refusedWith(kafka.FencedInstanceID, "i1")).
		happened("request-fenced", time.Minute, refusedWith(kafka.UnknownMemberID, "")).
		happened("join-refused", time.Second, refusedWith(kafka.InconsistentGroupProtocol, ""))
	expired := whyOf("Empty").happened("offsets-expired", time.Hour, func(c *whyCause) {
		c.Setting, c.Limit, c.Value = "offsets.retention.minutes", 10080, 12
	})
	expired.offsets = []whyOffset{{kafka.TopicPartition{Topic: "o"}, 5, 8, 20}, {kafka.TopicPartition{Topic: "p"}, 50, 0, 20}}
	lagging := whyOf("Stable", 3)
	lagging.offsets[0].end, lagging.offsets[1].end, lagging.offsets[2].committed = 5010, 12, -1
	silent := whyOf("Stable", 1)
	silent.causes, silent.silent = nil, "nobody answers at http://localhost:9644 (--http HOST:PORT; http.address of the broker): connection refused"
	gone := whyOf("Dead").happened("group-deleted", time.Minute, func(*whyCause) {})
	gone.described = nil
	modern := whyOf("Reconciling", 1).happened("topics-changed", time.Minute, led(8))
	epoch := int32(8)
	modern.described.epoch, modern.described.assignor = &epoch, "uniform"
	modern.causes.Type, modern.causes.Since = "consumer", time.Time{}
	modern.causes.Members[0].Awaited = true
	full := whyOf("Stable", 1)
	for i := range int32(6) {
		full.happened("assignment-failed", time.Duration(60-i)*time.Second, led(10+i))
	}
	return map[string]*why{
		"fine": fine, "idle members": idle, "range of several topics": ranges, "slow application": slow, "storm of short sessions": storm,
		"fenced": fenced, "offsets expired": expired, "behind in one partition": lagging, "nobody tells the causes": silent, "gone": gone,
		"consumer protocol": modern, "assignments cannot be stored": full,
	}
}

// testdata/group_why.txt has what is said of each variant. -update writes it anew.
func TestGroupWhyInWords(t *testing.T) {
	var b strings.Builder
	variants := whyVariants()
	for _, name := range slices.Sorted(maps.Keys(variants)) {
		b.WriteString("== " + name + "\n" + variants[name].text() + "\n")
	}
	path := filepath.Join("testdata", "group_why.txt")
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

func TestGroupCommandLine(t *testing.T) {
	for _, c := range []struct {
		args, stdout, stderr string
		exit                 int
	}{
		{"", "", "usage:", exitMisuse},
		{"nosuch", "", "usage:", exitMisuse},
		{"help", "usage:", "", 0},
		{"why --help", "usage:", "", 0},
		{"why", "", "which group? one at a time, not 0", exitMisuse},
		{"why a b", "", "one at a time, not 2", exitMisuse},
		{"why --nosuch a", "", "nosuch is not a recognized option", exitMisuse},
		{"why --last many a", "", "many", exitMisuse},
	} {
		var stdout, stderr strings.Builder
		if exit := Group(strings.Fields(c.args), &stdout, &stderr); exit != c.exit || !strings.Contains(stdout.String(), c.stdout) || !strings.Contains(stderr.String(), c.stderr) {
			t.Errorf("%q: exit %d, %q, %q", c.args, exit, stdout.String(), stderr.String())
		}
	}
}

// TestAskCauses: what stands behind the address of --http is told, whatever it is.
func TestAskCauses(t *testing.T) {
	answer, status := "", http.StatusOK
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.EscapedPath() != "/api/v1/groups/a%2Fb/why" {
			t.Error("asked for", r.URL.EscapedPath())
		}
		w.WriteHeader(status)
		fmt.Fprint(w, answer)
	}))
	defer s.Close()
	mine := "mine"
	q := whyQuestion{name: "a/b", bootstrap: "localhost:9092", http: strings.TrimPrefix(s.URL, "http://")}
	for _, c := range []struct {
		status       int
		answer, want string
	}{
		{200, `{"clusterId":"mine","type":"classic"}`, ""},
		{200, `{"clusterId":"other"}`, "belongs to cluster other"},
		{200, `<html>`, "is no broker of Ottla's"},
		{404, `404 page not found`, "is no broker of Ottla's: it answered 404 Not Found"},
		{503, `{"error":"NOT_COORDINATOR","text":"ask another"}`, "NOT_COORDINATOR: ask another"},
	} {
		status, answer = c.status, c.answer
		causes, silent := askCauses(q, &mine)
		if !strings.Contains(silent, c.want) || (causes == nil) != (c.want != "") {
			t.Errorf("%s: %q", c.answer, silent)
		}
	}
	s.Close()
	if _, silent := askCauses(q, &mine); !strings.Contains(silent, "nobody answers at http://127.0.0.1:") {
		t.Errorf("nobody there: %q", silent)
	}
}
