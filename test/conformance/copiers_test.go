package conformance

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// consumerTimeouts make a group of the new protocol notice quickly that a member was killed.
var consumerTimeouts = []string{
	"group.consumer.min.session.timeout.ms=6000", "group.consumer.session.timeout.ms=6000",
	"group.consumer.min.heartbeat.interval.ms=1000", "group.consumer.heartbeat.interval.ms=1000",
}

// A chain of topics, each copied into the next by two processes that read, write and commit in transactions, of which some
// abort, while the broker and the copiers are killed: the last topic has every record once, in the order of its partition.
// Classic groups and a producer of ours copy the first leg, groups of KIP-848 the second, Kafka's own copier
// (TransactionalMessageCopier, which its system tests use) the third.
func TestCopierChain(t *testing.T) {
	t.Parallel()
	copierChain(t, newTarget(t, consumerTimeouts...))
}

func copierChain(t *testing.T, tg target) {
	t.Helper()
	var topics []string
	for i := range 4 {
		topics = append(topics, tg.name(fmt.Sprintf("copy-%d", i)))
	}
	admin := kadm.NewClient(kafkaClient(t, tg))
	if answer, err := admin.CreateTopics(t.Context(), 4, tg.replicas(), nil, topics...); err != nil || answer.Error() != nil {
		t.Fatal(err, answer.Error())
	}
	var copiers []*process
	for leg, kind := range []string{"classic", "consumer", "kafka"} {
		for i := range 2 {
			name := fmt.Sprintf("%s-%d", kind, i)
			copiers = append(copiers, copier(t, tg, kind, name, topics[leg], topics[leg+1]).start(t, name).revived())
		}
	}
	numbers := writeNumbers(t, tg, topics[0])
	seen := readCommitted(t, tg, topics[3])
	faults{t: t, tg: tg, processes: copiers, progress: seen.count, step: 100}.run(9)
	total := numbers.end()
	eventually(t, stuckLimit, func() string {
		return fmt.Sprintf("all records: %d of %d; %s", seen.count(), total, firstGaps(seen.data()))
	}, func() bool { return seen.count() >= total })
	for _, c := range copiers {
		c.stop(30 * time.Second)
		t.Logf("%s has ended by itself %d times", c.name, c.ends())
	}
	for _, topic := range topics {
		checkNumbers(t, topic, wholeTopic(t, tg, topic), total)
	}
	checkNumbers(t, "what was read while the faults happened", seen.data(), total)
	t.Logf("%d records", total)
}

// copier returns the program of one copier. Kafka's own ends when it has copied what was there when it joined.
func copier(t *testing.T, tg target, kind, name, from, to string) program {
	t.Helper()
	group, id := tg.name("group-"+kind), tg.name("copier-"+name)
	if kind != "kafka" {
		return javaProof(t, "Copier").on(tg).with("INPUT="+from, "OUTPUT="+to, "GROUP="+group, "TRANSACTIONAL_ID="+id, "GROUP_PROTOCOL="+kind)
	}
	return javaProof(t, "org.apache.kafka.tools.TransactionalMessageCopier", "--broker-list", tg.addr, "--input-topic", from, "--input-partition", "0",
		"--output-topic", to, "--consumer-group", group, "--transactional-id", id, "--transaction-size", "40", "--transaction-timeout", "10000",
		"--enable-random-aborts", "--group-mode", "--use-group-metadata")
}

// A numberWriter writes 0, 1, 2, ... in turn to the partitions of a topic until end.
type numberWriter struct {
	t      *testing.T
	stop   context.CancelFunc
	ended  sync.WaitGroup
	client *kgo.Client
	n      int // read after ended
}

// writeNumbers writes 200 records a second. The producer is idempotent and never gives up: every number is in the topic once.
func writeNumbers(t *testing.T, tg target, topic string) *numberWriter {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	w := &numberWriter{t: t, stop: stop, client: kafkaClient(t, tg, kgo.DefaultProduceTopic(topic), kgo.RecordPartitioner(kgo.ManualPartitioner()))}
	w.ended.Go(func() {
		ticker := time.NewTicker(20 * time.Millisecond)
		defer ticker.Stop()
		for ; ctx.Err() == nil; <-ticker.C {
			for range 4 {
				w.write()
			}
		}
	})
	t.Cleanup(func() {
		stop()
		w.ended.Wait()
	})
	return w
}

func (w *numberWriter) write() {
	r := &kgo.Record{Partition: int32(w.n % 4), Value: []byte(strconv.Itoa(w.n))}
	w.n++
	w.client.Produce(context.Background(), r, func(_ *kgo.Record, err error) {
		if err != nil {
			w.t.Errorf("writing a number: %v", err)
		}
	})
}

// end writes no more, and returns how many numbers were written.
func (w *numberWriter) end() int {
	w.t.Helper()
	w.stop()
	w.ended.Wait()
	if err := w.client.Flush(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	return w.n
}

// checkNumbers wants the numbers below total in the partitions to which writeNumbers has written them, in order.
func checkNumbers(t *testing.T, what string, records map[int32][]*kgo.Record, total int) {
	t.Helper()
	for p := range 4 {
		next, wrong := p, 0
		for _, r := range records[int32(p)] {
			n, err := strconv.Atoi(string(r.Value))
			if (err != nil || n != next) && wrong < 5 {
				wrong++
				t.Errorf("%s: %s at %d@%d, want %d", what, r.Value, p, r.Offset, next)
			}
			next = n + 4
		}
		if last := next - 4; last < total-4 || last >= total {
			t.Errorf("%s: partition %d ends with %d of %d", what, p, last, total)
		}
	}
}

// firstGaps says where each partition first lacks a number.
func firstGaps(records map[int32][]*kgo.Record) string {
	text := ""
	for p := range 4 {
		next := p
		for _, r := range records[int32(p)] {
			if string(r.Value) != strconv.Itoa(next) {
				text += fmt.Sprintf("partition %d has %s at offset %d instead of %d; ", p, r.Value, r.Offset, next)
				break
			}
			next += 4
		}
	}
	return text
}
