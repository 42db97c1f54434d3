package differential

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ottla/ottla/internal/commitlog"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/vfs"
	"github.com/ottla/ottla/test/realkafka"
)

// TestSameCompaction writes keyed records, tombstones and transactions in all codecs to real Kafka, and has the same files
// compacted by Kafka and by us: batch for batch they must come out alike. Then once more, when delete.retention.ms is over for
// what the first compaction left.
func TestSameCompaction(t *testing.T) {
	needKafka(t)
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	c, err := realkafka.Start(ctx, t.TempDir(), 1, "log.cleaner.enable=false")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Kill)
	w := compactionWorkload{t: t, ctx: ctx, addr: c.Addr, base: time.Now().Add(-time.Hour)}
	w.create()
	node := c.Nodes[0]
	for round := range 2 {
		w.write(round)
		if err := node.Stop(); err != nil {
			t.Fatal(err)
		}
		data := filepath.Join(node.Dir, "data")
		before := readFolder(t, data)
		ours := compactCopy(t, data)
		configure(t, node, true)
		if err := node.Start(ctx); err != nil {
			t.Fatal(err)
		}
		waitCleaned(t, data, before.active)
		if err := node.Stop(); err != nil {
			t.Fatal(err)
		}
		theirs := readFolder(t, data)
		if len(theirs.batches) == len(before.batches) {
			t.Fatal("Kafka left everything as it was")
		}
		t.Logf("round %d: %d segments with %d batches became %d with %d", round, len(before.segments), len(before.batches), len(theirs.segments), len(theirs.batches))
		if diff := cmp.Diff(theirs, ours, cmp.AllowUnexported(folder{})); diff != "" {
			t.Fatalf("round %d: compacted log (-Kafka +Ottla):\n%s", round, diff)
		}
		configure(t, node, false)
		if round == 0 {
			if err := node.Start(ctx); err != nil {
				t.Fatal(err)
			}
		}
	}
}

const compactedTopic = "compacted"

// compactionWorkload produces.
type compactionWorkload struct {
	t     *testing.T
	ctx   context.Context
	addr  string
	base  time.Time
	count int
}

func (w *compactionWorkload) create() {
	w.t.Helper()
	settings := map[string]*string{}
	for name, value := range map[string]string{"cleanup.policy": "compact", "segment.ms": "300", "min.cleanable.dirty.ratio": "0.01", "delete.retention.ms": "1"} {
		settings[name] = &value
	}
	if _, err := kadm.NewClient(w.client()).CreateTopic(w.ctx, 1, 1, settings, compactedTopic); err != nil {
		w.t.Fatal(err)
	}
}

func (w *compactionWorkload) client(options ...kgo.Opt) *kgo.Client {
	w.t.Helper()
	c, err := kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(w.addr), kgo.DefaultProduceTopic(compactedTopic)}, options...)...)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(c.Close)
	return c
}

func (w *compactionWorkload) write(round int) {
	w.t.Helper()
	codecs := []kgo.CompressionCodec{kgo.NoCompression(), kgo.GzipCompression(), kgo.SnappyCompression(), kgo.Lz4Compression(), kgo.ZstdCompression()}
	var plain, transactional []*kgo.Client
	for i, codec := range codecs {
		plain = append(plain, w.client(kgo.ProducerBatchCompression(codec)))
		if i < 2 {
			transactional = append(transactional, w.client(kgo.ProducerBatchCompression(codec), kgo.TransactionalID(fmt.Sprint("transactions", round, i))))
		}
	}
	open := [2]bool{}
	for i := range 120 {
		if i%4 < 2 {
			w.send(plain[i/4%len(plain)], 1+i%5)
			continue
		}
		which := i % 2
		c := transactional[which]
		if !open[which] {
			if err := c.BeginTransaction(); err != nil {
				w.t.Fatal(err)
			}
			open[which] = true
		}
		w.send(c, 1+i%3)
		if i%3 == 0 {
			w.end(c, kgo.TransactionEndTry(i%5 > 1))
			open[which] = false
		}
	}
	for i, c := range transactional {
		if open[i] {
			w.end(c, kgo.TryCommit)
		}
	}
	w.send(plain[0], 1)
}

// send writes a batch of n records: a third of them tombstones, of few keys.
func (w *compactionWorkload) send(c *kgo.Client, n int) {
	w.t.Helper()
	var records []*kgo.Record
	for range n {
		w.count++
		r := &kgo.Record{
			Key: fmt.Append(nil, "key", w.count*7%23), Value: fmt.Append(nil, "value ", w.count, strings.Repeat(".", w.count%40)), Timestamp: w.base.Add(time.Duration(w.count) * 30 * time.Millisecond),
			Headers: []kgo.RecordHeader{{Key: "n", Value: fmt.Append(nil, w.count)}},
		}
		if w.count%3 == 0 {
			r.Value = nil
		}
		records = append(records, r)
	}
	if err := c.ProduceSync(w.ctx, records...).FirstErr(); err != nil {
		w.t.Fatal(err)
	}
}

func (w *compactionWorkload) end(c *kgo.Client, how kgo.TransactionEndTry) {
	w.t.Helper()
	if err := c.EndTransaction(w.ctx, how); err != nil {
		w.t.Fatal(err)
	}
}

// configure has the node's next start compact, or not.
func configure(t *testing.T, node *realkafka.Node, cleaner bool) {
	t.Helper()
	f, err := os.OpenFile(filepath.Join(node.Dir, "server.properties"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = fmt.Fprintf(f, "log.cleaner.enable=%v\nlog.cleaner.backoff.ms=50\n", cleaner)
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
}

// waitCleaned waits until a cleaner says that it came to an offset.
func waitCleaned(t *testing.T, data string, offset int64) {
	t.Helper()
	want := []string{compactedTopic, "0", fmt.Sprint(offset)}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		text, _ := os.ReadFile(filepath.Join(data, "cleaner-offset-checkpoint"))
		for line := range strings.Lines(string(text)) {
			if slices.Equal(strings.Fields(line), want) {
				return
			}
		}
		if time.Now().After(deadline) {
			t.Fatalf("the cleaner's checkpoint is %q, %v was awaited", text, want)
		}
	}
}

// compactCopy has our cleaner compact a copy of Kafka's log, and returns what came out.
func compactCopy(t *testing.T, data string) folder {
	t.Helper()
	copied := t.TempDir()
	name := compactedTopic + "-0"
	if err := os.CopyFS(filepath.Join(copied, name), os.DirFS(filepath.Join(data, name))); err != nil {
		t.Fatal(err)
	}
	for _, checkpoint := range []string{"recovery-point-offset-checkpoint", "log-start-offset-checkpoint", "replication-offset-checkpoint", "cleaner-offset-checkpoint"} {
		content, err := os.ReadFile(filepath.Join(data, checkpoint))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(copied, checkpoint), content, 0o644)
		}
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
	}
	c := commitlog.DefaultConfig()
	c.CleanupDelete, c.CleanupCompact, c.MinCleanableRatio, c.DeleteRetentionMs = false, true, 0.01, 1
	c.FileDeleteDelay = 0
	dir, err := commitlog.Open(vfs.Disk(), copied, commitlog.Options{Config: func(string) commitlog.Config { return c }})
	if err != nil {
		t.Fatal(err)
	}
	active := readFolder(t, copied).active
	cleaner := commitlog.StartCleaner([]*commitlog.Dir{dir}, commitlog.CleanerSettings{Threads: 1, DedupeBytes: 1 << 20, LoadFactor: 0.9, BufferBytes: 4096, Backoff: 10 * time.Millisecond}, nil)
	waitCleaned(t, copied, active)
	cleaner.Stop()
	if log := dir.Log(kafka.TopicPartition{Topic: compactedTopic}); log.LastStableOffset() != log.EndOffset() {
		t.Errorf("%d of %d offsets are stable", log.LastStableOffset(), log.EndOffset())
	}
	if err := dir.Close(); err != nil {
		t.Fatal(err)
	}
	return readFolder(t, copied)
}

// folder is what lies in a partition's folder, as text.
type folder struct {
	active   int64 // base offset of the last segment
	segments []string
	batches  []string
	aborted  map[string]string // transaction indexes that are not empty
}

func readFolder(t *testing.T, data string) folder {
	t.Helper()
	path := filepath.Join(data, compactedTopic+"-0")
	entries, err := os.ReadDir(path)
	if err != nil {
		t.Fatal(err)
	}
	f := folder{aborted: map[string]string{}}
	for _, e := range entries {
		name := e.Name()
		suffix := filepath.Ext(name)
		if suffix != ".log" && suffix != ".txnindex" {
			continue
		}
		content, err := os.ReadFile(filepath.Join(path, name))
		if err != nil {
			t.Fatal(err)
		}
		if suffix == ".txnindex" {
			if len(content) > 0 {
				f.aborted[name] = fmt.Sprintf("%x", content)
			}
			continue
		}
		f.segments = append(f.segments, name)
		fmt.Sscanf(name, "%d", &f.active)
		for b, err := range record.Batches(content) {
			if err == nil {
				err = b.CheckCRC()
			}
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			f.batches = append(f.batches, compactedBatch(t, b))
		}
	}
	slices.Sort(f.segments)
	return f
}

// compactedBatch says everything of a batch but what depends on the moment of the compaction, or on the work of a codec.
func compactedBatch(t *testing.T, b record.Batch) string {
	t.Helper()
	_, horizon := b.DeleteHorizon()
	text := fmt.Sprintf("%d-%d epoch %d attributes %#x horizon %v max %d producer %d/%d sequence %d count %d", b.BaseOffset(), b.LastOffset(), b.LeaderEpoch(), b.Attributes(), horizon, b.MaxTimestamp(), b.ProducerID(), b.ProducerEpoch(), b.BaseSequence(), b.Count())
	if !horizon {
		text += fmt.Sprint(" first ", b.FirstTimestamp())
	}
	for r, err := range b.Records(0) {
		if err != nil {
			t.Fatal(err)
		}
		text += fmt.Sprintf("; %d @%d %q=%q %v", r.Offset, r.Timestamp, r.Key, r.Value, r.Value == nil)
		for h := range r.Headers() {
			text += fmt.Sprintf(" %s:%s", h.Key, h.Value)
		}
	}
	return text
}
