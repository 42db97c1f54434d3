package tools

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/ottla/ottla/internal/tools/options"
)

// topicWhy is `ottla topic why NAME`.
func (inv *invocation) topicWhy() int {
	p := options.NewParser()
	address := p.Value("http", "host:port", "The HTTP endpoint of a broker.").Default("localhost:9644")
	endpoint := whyEndpoint{}
	topic, code, done := inv.aboutOne(p, "topic", topicUsage, func(r *options.Reader) { endpoint.address = r.String(address) })
	if done {
		return code
	}
	w := topicReplicas{topic: topic, whyClock: whyClock{time.Now(), time.Local}}
	if silent := endpoint.ask("topics", w.topic, nil, &w); silent != "" {
		inv.complain("ottla topic why: " + silent)
		return exitFailed
	}
	io.WriteString(inv.stdout, w.text())
	return 0
}

// topicReplicas is the answer of /api/v1/topics/TOPIC/why.
type topicReplicas struct {
	whyClock
	topic      string
	Controller int32 `json:"controller"` // -1: none is active
	Partitions []struct {
		Partition int32            `json:"partition"`
		Leader    int32            `json:"leader"`
		Silent    bool             `json:"silent"` // the leader
		Replicas  []int32          `json:"replicas"`
		ISR       []int32          `json:"isr"`
		ELR       []int32          `json:"elr"`
		Missing   []missingReplica `json:"missing"`
	} `json:"partitions"`
}

type missingReplica struct {
	Broker  int32     `json:"broker"`
	Lag     int64     `json:"lag"`
	Since   time.Time `json:"since"`
	Reasons []struct {
		Kind string `json:"kind"`
		Text string `json:"text"`
	} `json:"reasons"`
}

func (w *topicReplicas) text() string {
	if len(w.Partitions) == 0 && w.Controller >= 0 {
		return "All replicas of " + w.topic + " are in sync.\n"
	}
	var page whyPage
	kinds := make(map[string]bool)
	if w.Controller < 0 {
		kinds["headless"] = true
		page.head = append(page.head, "No controller is active that this broker knows of: nobody notices now which brokers and replicas are lost.")
	}
	if len(w.Partitions) == 0 {
		page.head = append(page.head, "All replicas of "+w.topic+" were in sync when one last was.")
	} else {
		page.head = append(page.head, fmt.Sprintf("Topic %s: not all is well in %s.", w.topic, count(len(w.Partitions), "partition")))
	}
	for _, p := range w.Partitions {
		leader := fmt.Sprintf("led by broker %d", p.Leader)
		if p.Leader < 0 {
			leader = "without a leader: nobody can write or read it"
			kinds["leaderless"] = true
		}
		title := fmt.Sprintf("Partition %d, %s. Replicas %s, in sync %s:", p.Partition, leader, idList(p.Replicas), idList(p.ISR))
		var lines []string
		if p.Silent {
			kinds["silent"] = true
			lines = append(lines, fmt.Sprintf("broker %d: leads, and does not answer this broker", p.Leader))
		}
		for _, m := range p.Missing {
			lines = append(lines, fmt.Sprintf("broker %d: %s", m.Broker, w.behind(m, p.Leader >= 0)))
			for _, r := range m.Reasons {
				kinds[r.Kind] = true
				lines = append(lines, "  "+r.Text)
			}
		}
		page.section(title, lines)
	}
	for _, a := range replicaAdvice {
		if kinds[a.kind] {
			page.advice = append(page.advice, a.text)
		}
	}
	return page.text()
}

// behind says how far a replica is behind, and since when.
func (w *topicReplicas) behind(m missingReplica, led bool) string {
	var parts []string
	switch {
	case m.Lag > 0:
		parts = append(parts, count(int(m.Lag), "record")+" behind")
	case m.Lag == 0:
		parts = append(parts, "has all records")
	case !led:
		parts = append(parts, "without a leader nobody knows how far behind it is")
	default:
		parts = append(parts, "how far behind it is nobody knows: it has not fetched from this leader")
	}
	if !m.Since.IsZero() {
		parts = append(parts, fmt.Sprintf("had all last at %s, %s ago", w.time(m.Since), w.ago(m.Since)))
	}
	return strings.Join(parts, "; ")
}

// idList is joinIDs in words.
func idList(ids []int32) string { return cmp.Or(joinIDs(ids), "none") }

// replicaAdvice is what to do about each kind of reason.
var replicaAdvice = []struct{ kind, text string }{
	{"headless", "No active controller: start the controllers again until more than half of the voters run and reach each other (kafka-metadata-quorum describe --status)."},
	{"leaderless", "A partition without a leader has one again once a broker that was in sync, or is eligible (Elr of kafka-topics --describe), is back. If none " +
		"can come back, kafka-leader-election --election-type unclean makes a leader of another replica, and loses what that lacks."},
	{"fenced", "A fenced broker: start it again, or see in its log why it does not reach the active controller. If it will not come back, give its replicas to others " +
		"with kafka-reassign-partitions."},
	{"unregistered", "A broker that is not registered: start it, or give its replicas to others with kafka-reassign-partitions."},
	{"leaving", "A broker that shuts down: start it again when its maintenance is over."},
	{"silent", "A broker that keeps its session but does not answer: look at its load, its disks and the network between the brokers."},
	{"reassigned", "A reassignment: it ends by itself once the replicas that it adds are in sync. kafka-reassign-partitions --list shows all that are active, " +
		"--cancel takes one back."},
	{"offline", "A replica that is offline: replace the disk, or repair the log (ottla storage verify), and start the broker again. It fetches what it lacks."},
	{"full", "A full volume: make room, or move replicas away with kafka-reassign-partitions. The broker goes on by itself once log.dir.reserve.bytes are free."},
	{"failing", "Fetches that fail: the follower's log says more. A few in a row are usual after an election; if they go on, look at the network and at the leader's log."},
	{"throttled", "A throttle: raise leader.replication.throttled.rate and follower.replication.throttled.rate (kafka-reassign-partitions --execute --additional --throttle " +
		"does, with the same file), or, if no reassignment is under way, remove them (--verify does)."},
	{"behind", "A replica that only lags: it catches up if more is fetched than produced. Watch kafka_server_fetcherlagmetrics_consumerlag; if it does not fall, " +
		"look at the follower's disks, and at num.replica.fetchers."},
}
