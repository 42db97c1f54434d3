package conformance

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ottla/ottla/test/torture/ledger"
)

// everyonesPartitions are those of the topic that everyone writes and reads.
const everyonesPartitions = 4

// Everyone is a producer of each client, which writes to one topic, and consumers, each of which reads it in a group of its
// own. They tell what happens to them: consumers in the lines of a roster, producers, which are idempotent and send
// "TOPIC PRODUCER PARTITION NUMBER" to their partitions in turn,
//
//	TIME acknowledged PARTITION OFFSET VALUE
//	TIME closed | TIME failed WHY
//
// and end when anything fails that they have not got over by themselves.
type everyone struct {
	t                *testing.T
	tg               target
	client           *kgo.Client
	topic            string
	writers, readers []*process
}

// A readerKind is a client that consumes, with the protocol of its group.
type readerKind struct{ client, protocol string }

// startEveryone starts them; each producer writes so many records in a second. It returns when each has written and read.
func startEveryone(t *testing.T, tg target, rate int, readers ...readerKind) *everyone {
	t.Helper()
	e := &everyone{t: t, tg: tg, topic: tg.name("everyones"), client: kafkaClient(t, tg)}
	if answer, err := kadm.NewClient(e.client).CreateTopics(t.Context(), everyonesPartitions, tg.replicas(), nil, e.topic); err != nil || answer.Error() != nil {
		t.Fatal(err, answer.Error())
	}
	for i, w := range []struct {
		client  string
		program program
	}{
		{"java", javaProof(t, "Writer")},
		{"confluent", python(t, "confluent-kafka", "writer_confluent.py")},
		{"kafka-python", python(t, "kafka-python-3", "writer_kafka_python.py")},
		{"kgo", program{argv: []string{goClients(t), "kgo", "writer"}}},
	} {
		p := w.program.on(tg).with("TOPIC="+e.topic, "PRODUCER="+strconv.Itoa(i), "PARTITIONS="+strconv.Itoa(everyonesPartitions), "RATE="+strconv.Itoa(rate))
		e.writers = append(e.writers, p.start(t, w.client+"-writer"))
	}
	for _, r := range readers {
		var p program
		switch r.client {
		case "java":
			p = javaProof(t, "Worker")
		case "confluent":
			p = python(t, "confluent-kafka", "worker_confluent.py")
		case "kafka-python":
			p = python(t, "kafka-python-3", "worker_kafka_python.py")
		default:
			p = program{argv: []string{goClients(t), r.client, "worker"}}
		}
		name := r.client + "-" + r.protocol
		p = p.on(tg).with("TOPIC="+e.topic, "GROUP="+tg.name(name), "GROUP_PROTOCOL="+r.protocol, "STRATEGY=range", "INSTANCE=")
		e.readers = append(e.readers, p.start(t, name+"-reader"))
	}
	e.progress(20)
	return e
}

// count is how many records a process has written, or read.
func (e *everyone) count(x *process) (n int) {
	for _, line := range x.story() {
		if line.what == "acknowledged" || line.what == "read" {
			n++
		}
	}
	return n
}

// progress waits until each has written, or read, so many more.
func (e *everyone) progress(more int) {
	e.t.Helper()
	for _, x := range append(e.writers[:len(e.writers):len(e.writers)], e.readers...) {
		begin, now := e.count(x), 0
		eventually(e.t, stuckLimit, func() string { return fmt.Sprintf("%s goes on: %d of %d records", x.name, now-begin, more) }, func() bool {
			now = e.count(x)
			if x.ends() > 0 {
				e.t.Fatalf("%s has ended by itself", x.name)
			}
			return now >= begin+more
		})
	}
}

// check ends the producers, waits until the consumers have read all, and compares what was acknowledged with what is there.
func (e *everyone) check() {
	e.t.Helper()
	book, total, slowest := ledger.New(), 0, ""
	places := map[[2]int64]bool{}
	for _, w := range e.writers {
		w.stop(2 * time.Minute)
		story := w.story()
		if len(story) == 0 || story[len(story)-1].what != "closed" {
			e.t.Errorf("%s has not closed", w.name)
		}
		var last time.Time
		longest := time.Duration(0)
		for _, line := range story {
			if line.what != "acknowledged" {
				continue
			}
			entry, err := ledger.Parse([]byte(line.value))
			if err != nil {
				e.t.Fatal(err)
			}
			book.Acknowledge(entry, line.number)
			places[[2]int64{int64(line.partition), line.number}] = true
			total++
			if !last.IsZero() {
				longest = max(longest, line.at.Sub(last))
			}
			last = line.at
		}
		slowest += fmt.Sprintf("%s %v, ", w.name, longest.Round(time.Millisecond))
	}
	e.checkReaders(places)
	e.checkTopic(book)
	e.t.Logf("%d records of %d producers; the longest time without an acknowledgement: %s", total, len(e.writers), slowest)
}

// checkReaders wants every consumer to have read what is at these places (partition and offset).
func (e *everyone) checkReaders(places map[[2]int64]bool) {
	e.t.Helper()
	for _, r := range e.readers {
		missing := 0
		eventually(e.t, stuckLimit, func() string {
			return fmt.Sprintf("%s reads all: %d of %d records missing", r.name, missing, len(places))
		}, func() bool {
			seen := map[[2]int64]bool{}
			for _, line := range r.story() {
				if line.what == "read" {
					seen[[2]int64{int64(line.partition), line.number}] = true
				}
			}
			missing = 0
			for place := range places {
				if !seen[place] {
					missing++
				}
			}
			return missing == 0
		})
		r.stop(time.Minute)
		if r.ends() > 0 {
			e.t.Errorf("%s has ended by itself", r.name)
		}
	}
}

// checkTopic wants what was acknowledged in the topic, once, in order, at its place.
func (e *everyone) checkTopic(book *ledger.Ledger) {
	e.t.Helper()
	reading := ledger.NewReading(e.topic, ledger.Promise{Once: true})
	for p, records := range wholeTopic(e.t, e.tg, e.topic) {
		for _, r := range records {
			reading.Add(p, r.Offset, r.Value)
		}
	}
	for _, fault := range reading.Faults(book.Snapshot(e.topic)) {
		e.t.Error(fault)
	}
}
