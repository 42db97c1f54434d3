package broker

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/vfs"
)

// A disk fills up: producers are told before it is full, everything else goes on, and deleted records make room without a
// restart.
func TestDiskFillsUp(t *testing.T) {
	t.Parallel()
	disk := vfs.NewMemory()
	b := start(t, disk, "log.dir.reserve.bytes=2000000", "log.retention.check.interval.ms=50")
	defer stop(t, b)
	createTopic(t, b, "t", 1)
	admin := kadm.NewClient(connect(t, b))
	if _, err := admin.AlterTopicConfigs(t.Context(), []kadm.AlterConfig{
		{Op: kadm.SetConfig, Name: "segment.bytes", Value: kadm.StringPtr("1048576")},
		{Op: kadm.SetConfig, Name: "file.delete.delay.ms", Value: kadm.StringPtr("0")},
	}, "t"); err != nil {
		t.Fatal(err)
	}
	free, total, _ := b.dirs[0].Space()
	disk.SetSize(total - free + 12_000_000)

	c := connect(t, b, kgo.RecordRetries(0), kgo.DefaultProduceTopic("t"), kgo.ProducerBatchCompression(kgo.NoCompression()))
	value := bytes.Repeat([]byte("0123456789abcdef"), 100_000/16)
	taken := 0
	var refused error
	for refused == nil {
		if refused = c.ProduceSync(t.Context(), kgo.SliceRecord(value)).FirstErr(); refused == nil {
			taken++
		}
	}
	if !errors.Is(refused, kerr.KafkaStorageError) {
		t.Fatal(refused)
	}
	if free, _, _ := b.dirs[0].Space(); free < 1_500_000 {
		t.Errorf("only %d bytes are left", free)
	}
	if said := refusalOf(t, b); !strings.Contains(said, "log.dir.reserve.bytes") || !strings.Contains(said, "/data") {
		t.Errorf("the producer is told %q", said)
	}
	if records := consume(t, b, "t", taken); len(records) != taken {
		t.Errorf("%d of %d records", len(records), taken)
	}
	var offsets kadm.Offsets
	offsets.AddOffset("t", 0, 5, -1)
	if err := admin.CommitAllOffsets(t.Context(), "g", offsets); err != nil {
		t.Errorf("committing offsets: %v", err)
	}
	createTopic(t, b, "another", 3)
	if status, body := get(t, b, "/readyz"); status != 200 || !strings.Contains(body, "log.dir.reserve.bytes") {
		t.Errorf("/readyz: %d %s", status, body)
	}
	if _, body := get(t, b, "/metrics"); !strings.Contains(body, `kafka_log_logmanager_logdirectoryfull{logDirectory="/data"} 1`) {
		t.Error("the metric does not tell")
	}

	var upTo kadm.Offsets
	upTo.AddOffset("t", 0, int64(taken/2), -1)
	if _, err := admin.DeleteRecords(t.Context(), upTo); err != nil {
		t.Fatal(err)
	}
	eventually(t, "records are taken again", func() bool {
		return c.ProduceSync(t.Context(), kgo.StringRecord("there is room")).FirstErr() == nil
	})
	if status, body := get(t, b, "/readyz"); status != 200 || strings.TrimSpace(body) != "ready" {
		t.Errorf("/readyz: %d %s", status, body)
	}
}

// refusalOf is what a Produce request is told.
func refusalOf(t *testing.T, b *Broker) string {
	t.Helper()
	c := connect(t, b)
	builder := record.NewBuilder(record.BatchOptions{})
	builder.Add(time.Now().UnixMilli(), nil, bytes.Repeat([]byte("x"), 400_000))
	batch, err := builder.Build()
	if err != nil {
		t.Fatal(err)
	}
	rq := kmsg.NewPtrProduceRequest()
	rq.Acks, rq.TimeoutMillis = -1, int32(time.Minute.Milliseconds())
	topic, partition := kmsg.NewProduceRequestTopic(), kmsg.NewProduceRequestTopicPartition()
	topic.Topic, topic.TopicID, partition.Records = "t", b.store.Current().Topic("t").ID, batch
	topic.Partitions = append(topic.Partitions, partition)
	rq.Topics = append(rq.Topics, topic)
	response, err := rq.RequestWith(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	if m := response.Topics[0].Partitions[0].ErrorMessage; m != nil {
		return *m
	}
	return ""
}
