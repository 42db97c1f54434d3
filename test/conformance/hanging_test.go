package conformance

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"

	"github.com/ottla/ottla/internal/record"
)

// A transaction that no coordinator will ever end blocks readers of committed records. The tool finds it and ends it, and
// leaves alone those that have a coordinator.
func TestHangingTransactions(t *testing.T) {
	t.Parallel()
	tg := newTarget(t, "transaction.partition.verification.enable=false")
	client := kafkaClient(t, tg)
	if _, err := kadm.NewClient(client).CreateTopic(t.Context(), 2, tg.replicas(), nil, "h"); err != nil {
		t.Fatal(err)
	}
	alive := kafkaClient(t, tg, kgo.TransactionalID("alive"), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err := alive.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	if err := alive.ProduceSync(t.Context(), &kgo.Record{Topic: "h", Partition: 1, Value: []byte("x")}).FirstErr(); err != nil {
		t.Fatal(err)
	}
	old := kversion.Stable()
	old.SetMaxKeyVersion(int16(kmsg.Produce), 11) // from 12 on the partition is added to the transaction by its leader
	hang(t, kafkaClient(t, tg, kgo.MaxVersions(old)), "h", 0)
	run := func(args ...string) string {
		t.Helper()
		return tool(t, "kafka-transactions", append([]string{"--bootstrap-server", tg.addr}, args...)...).run(t, time.Minute, "").stdout
	}
	found := run("find-hanging", "--topic", "h", "--max-transaction-timeout", "0")
	if lines := strings.Split(strings.TrimSpace(found), "\n"); len(lines) != 2 || strings.Join(strings.Fields(lines[1])[:6], " ") != "h 0 4711 3 -1 0" {
		t.Fatalf("find-hanging prints\n%s", found)
	}
	if got := stableOffset(t, client, "h", 0); got != 0 {
		t.Errorf("the last stable offset is %d before the abort", got)
	}
	run("abort", "--topic", "h", "--partition", "0", "--start-offset", "0")
	if got := stableOffset(t, client, "h", 0); got != 2 {
		t.Errorf("the last stable offset is %d after the abort", got)
	}
	if found := run("find-hanging", "--topic", "h", "--max-transaction-timeout", "0"); strings.Count(found, "\n") != 1 {
		t.Errorf("find-hanging prints\n%s", found)
	}
	if described := run("describe", "--transactional-id", "alive"); !strings.Contains(described, "Ongoing") || !strings.Contains(described, "h-1") {
		t.Errorf("describe prints\n%s", described)
	}
	run("forceTerminateTransaction", "--transactionalId", "alive")
	if listed := run("list"); !strings.Contains(listed, "Empty") {
		t.Errorf("list prints\n%s", listed)
	}
}

// hang appends a record of a transaction as a producer does that has no transactional id.
func hang(t *testing.T, client *kgo.Client, topic string, partition int32) {
	t.Helper()
	b := record.NewBuilder(record.BatchOptions{Transactional: true, Producer: &record.Producer{ID: 4711, Epoch: 3}})
	b.Add(time.Now().UnixMilli(), nil, []byte("hanging"))
	batch, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	id := "nobody"
	rq := kmsg.NewPtrProduceRequest()
	rq.TransactionID, rq.Acks, rq.TimeoutMillis = &id, -1, 10_000
	rq.Topics = []kmsg.ProduceRequestTopic{{Topic: topic, Partitions: []kmsg.ProduceRequestTopicPartition{{Partition: partition, Records: batch}}}}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	metadata, err := kadm.NewClient(client).Metadata(ctx, topic)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := rq.RequestWith(ctx, client.Broker(int(metadata.Topics[topic].Partitions[partition].Leader)))
	if err != nil {
		t.Fatal(err)
	}
	if code := answer.Topics[0].Partitions[0].ErrorCode; code != 0 {
		t.Fatalf("error code %d", code)
	}
}

// stableOffset is where readers of committed records end.
func stableOffset(t *testing.T, client *kgo.Client, topic string, partition int32) int64 {
	t.Helper()
	offsets, err := kadm.NewClient(client).ListCommittedOffsets(t.Context(), topic)
	if err != nil {
		t.Fatal(err)
	}
	o, _ := offsets.Lookup(topic, partition)
	return o.Offset
}
