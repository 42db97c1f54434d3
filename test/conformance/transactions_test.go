package conformance

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// What programs do with transactions, with every client that has them. python/transactions.py is the reference of what each
// step does. Not here: kafka-python 2.3, which hangs when it is fenced, with real Kafka as well; segmentio's kafka-go, which has none.
var transactionSteps = []string{
	"commit", "abort", // records that are seen, and that are not
	"read-process-write", // offsets are committed with the records; the first attempt is aborted
	"zombie-is-fenced",   // a second producer with the transactional id ends what the first had begun
	"open-at-crash",      // a transaction goes on after the broker was killed
	"reads-committed",    // the client itself sees all that and no more
}

func TestTransactions(t *testing.T) {
	t.Parallel()
	clients := map[string]func(*testing.T) program{
		"java":           func(t *testing.T) program { return javaProof(t, "Transactions") },
		"confluent":      func(t *testing.T) program { return python(t, "confluent-kafka", "transactions_confluent.py") },
		"kafka-python-3": func(t *testing.T) program { return python(t, "kafka-python-3", "transactions_kafka_python.py") },
		"aiokafka":       func(t *testing.T) program { return python(t, "aiokafka", "transactions_aiokafka.py") },
		"kafkajs":        func(t *testing.T) program { return node(t, "transactions_kafkajs.js") },
		"kgo":            func(t *testing.T) program { return program{argv: []string{goClients(t), "kgo", "transactions"}} },
		"sarama":         func(t *testing.T) program { return program{argv: []string{goClients(t), "sarama", "transactions"}} },
	}
	for client, p := range clients {
		t.Run(client, func(t *testing.T) {
			t.Parallel()
			runTransactions(t, p(t))
		})
	}
}

const orders = 30

func runTransactions(t *testing.T, p program) {
	t.Helper()
	tg := newTarget(t)
	in, out, group := tg.name("orders"), tg.name("shipments"), tg.name("shipper")
	admin := kadm.NewClient(kafkaClient(t, tg))
	if answer, err := admin.CreateTopics(t.Context(), 2, tg.replicas(), nil, in, out); err != nil || answer.Error() != nil {
		t.Fatal(err, answer.Error())
	}
	writer := kafkaClient(t, tg, kgo.DefaultProduceTopic(in), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	for i := range orders {
		r := &kgo.Record{Partition: int32(i % 2), Value: fmt.Appendf(nil, "order-%d", i)}
		if err := writer.ProduceSync(t.Context(), r).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	p = p.on(tg).with("IN="+in, "OUT="+out, "GROUP="+group, "TRANSACTIONAL_ID="+tg.name("payments"))
	expectSteps(t, p.talk(t, courseLimit, map[string]func(){"crash": func() { tg.crash(t) }}), transactionSteps)
	if !t.Failed() {
		checkShipments(t, tg, out)
		offsets, err := admin.FetchOffsets(t.Context(), group)
		if err != nil {
			t.Fatal(err)
		}
		for p := range int32(2) {
			if o, _ := offsets.Lookup(in, p); o.At != orders/2 {
				t.Errorf("the group has committed %d of partition %d, want %d", o.At, p, orders/2)
			}
		}
	}
}

// checkShipments wants what the transactions have written, each kind in order within its partition.
func checkShipments(t *testing.T, tg target, topic string) {
	t.Helper()
	want := map[string]int{"paid": 10, "shipped": orders, "successor": 1, "open": 7}
	for p, records := range wholeTopic(t, tg, topic) {
		last := map[string]int{}
		for _, r := range records {
			word, number, _ := strings.Cut(string(r.Value), "-")
			n, _ := strconv.Atoi(number)
			if before, seen := last[word]; seen && before >= n {
				t.Errorf("partition %d has %s after %s-%d", p, r.Value, word, before)
			}
			last[word] = n
			want[word]--
		}
	}
	for _, word := range slices.Sorted(maps.Keys(want)) {
		if want[word] != 0 {
			t.Errorf("%d records too few (or, negative, too many): %s", want[word], word)
		}
	}
}
