package broker

import (
	"errors"
	"io/fs"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/vfs"
)

// TestUnloadablePartitionIsOffline: one folder that cannot be read costs its partition, not the broker, and nothing in it is
// lost; nor does a client get the impression that it is empty.
func TestUnloadablePartitionIsOffline(t *testing.T) {
	t.Parallel()
	disk := vfs.NewMemory()
	b := start(t, disk)
	createTopic(t, b, "orders", 2)
	produce := func(b *Broker, partition int32, value string) error {
		c := connect(t, b, kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.RecordRetries(0), kgo.DisableIdempotentWrite(), kgo.RequiredAcks(kgo.AllISRAcks()))
		return c.ProduceSync(t.Context(), &kgo.Record{Topic: "orders", Partition: partition, Value: []byte(value)}).FirstErr()
	}
	for partition := range int32(2) {
		if err := produce(b, partition, "before"); err != nil {
			t.Fatal(err)
		}
	}
	stop(t, b)

	b = start(t, vfs.Faulty(disk, vfs.Rule{Op: vfs.OpReadDir, Path: "orders-1", Err: fs.ErrPermission}))
	if err := produce(b, 0, "while"); err != nil {
		t.Errorf("the partition beside it: %v", err)
	}
	if err := produce(b, 1, "while"); !errors.Is(err, kerr.KafkaStorageError) {
		t.Errorf("produce to it: %v", err)
	}
	ends, err := kadm.NewClient(connect(t, b)).ListEndOffsets(t.Context(), "orders")
	if end, _ := ends.Lookup("orders", 1); err == nil && end.Err == nil {
		t.Errorf("its end is said to be %d", end.Offset)
	}
	stop(t, b)

	b = start(t, disk)
	if got := consume(t, b, "orders", 3); len(got) != 3 {
		t.Errorf("%d records", len(got))
	}
	stop(t, b)

	b = start(t, vfs.Faulty(disk, vfs.Rule{Op: vfs.OpReadDir, Path: "orders-1", Err: fs.ErrPermission}))
	if _, err := kadm.NewClient(connect(t, b)).DeleteTopic(t.Context(), "orders"); err != nil {
		t.Fatal(err)
	}
	if _, err := disk.Stat("/data/orders-1"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the topic was deleted, its log is still there: %v", err)
	}
	createTopic(t, b, "orders", 2)
	if err := produce(b, 1, "another topic"); err != nil {
		t.Errorf("the topic was deleted and made anew: %v", err)
	}
	stop(t, b)

	_, err = Start(t.Context(), options(t, vfs.Faulty(disk, vfs.Rule{Op: vfs.OpReadDir, Path: "__cluster_metadata-0", Err: fs.ErrPermission})))
	if err == nil || !errors.Is(err, kafka.KafkaStorageError) {
		t.Errorf("a start without the metadata log: %v", err)
	}
}
