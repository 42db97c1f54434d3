package broker

import (
	"bytes"
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ottla/ottla/internal/vfs"
)

// produceSome makes topic t with records in batches of their own.
func produceSome(t *testing.T, b *Broker, n int) {
	t.Helper()
	createTopic(t, b, "t", 1)
	c := connect(t, b, kgo.DefaultProduceTopic("t"), kgo.ProducerBatchCompression(kgo.NoCompression()))
	for range n {
		if err := c.ProduceSync(t.Context(), kgo.SliceRecord(bytes.Repeat([]byte("x"), 500))).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
}

// fetchError consumes topic t until a fetch fails, and returns how many records came before and the error.
func fetchError(t *testing.T, b *Broker) (records int, err error) {
	t.Helper()
	c := connect(t, b, kgo.ConsumeTopics("t"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.KeepRetryableFetchErrors())
	defer c.Close()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for {
		fetches := c.PollFetches(ctx)
		records += fetches.NumRecords()
		if err := fetches.Err(); err != nil {
			return records, err
		}
	}
}

// A damaged batch: what lies before can be read, the reader and the operator are told, other partitions and appends go on.
func TestDamageIsVisible(t *testing.T) {
	t.Parallel()
	disk := vfs.NewMemory()
	b := start(t, disk)
	produceSome(t, b, 40)
	stop(t, b)
	const segment = "/data/t-0/00000000000000000000.log"
	f, err := disk.OpenFile(segment, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	size, _ := f.Size()
	fifth := size / 40 * 4                                      // all batches have the same size
	if _, err := f.WriteAt([]byte{0x7f}, fifth+8); err != nil { // its length
		t.Fatal(err)
	}
	b = start(t, disk)
	defer stop(t, b)
	records, err := fetchError(t, b)
	if records != 4 || !errors.Is(err, kerr.CorruptMessage) {
		t.Errorf("%d records, then %v; want 4 and CORRUPT_MESSAGE", records, err)
	}
	status, body := get(t, b, "/readyz")
	for _, want := range []string{"ready\n", "t-0", segment, "position", "offset 4", "ottla storage verify"} {
		if status != 200 || !strings.Contains(body, want) {
			t.Errorf("/readyz lacks %q: %d %s", want, status, body)
		}
	}
	if _, body := get(t, b, "/metrics"); !strings.Contains(body, `kafka_log_logmanager_damagedlogcount{logDirectory="/data"} 1`) {
		t.Error("the metric does not tell")
	}
	if err := connect(t, b, kgo.DefaultProduceTopic("t"), kgo.RecordRetries(0)).ProduceSync(t.Context(), kgo.StringRecord("goes on")).FirstErr(); err != nil {
		t.Error(err)
	}
}

// A read that the disk fails is told to its reader; the directory stays online, and nothing is remembered once the disk works.
func TestDiskCannotBeRead(t *testing.T) {
	disk := vfs.NewMemory()
	b := start(t, disk)
	produceSome(t, b, 10)
	stop(t, b)
	faulty := vfs.Faulty(disk)
	b = start(t, faulty)
	defer stop(t, b)
	faulty.Add(vfs.Rule{Op: vfs.OpRead, Path: "*.log", Err: errors.New("input/output error")})
	if records, err := fetchError(t, b); records != 0 || !errors.Is(err, kerr.KafkaStorageError) {
		t.Errorf("%d records, then %v; want KAFKA_STORAGE_ERROR", records, err)
	}
	if status, body := get(t, b, "/readyz"); status != 200 || !strings.Contains(body, "t-0") || !strings.Contains(body, "input/output error") {
		t.Errorf("/readyz: %d %s", status, body)
	}
	faulty.Heal()
	if records := consume(t, b, "t", 10); len(records) != 10 {
		t.Errorf("%d records", len(records))
	}
}
