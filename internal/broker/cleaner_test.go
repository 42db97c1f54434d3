package broker

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ottla/ottla/internal/commitlog"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/vfs"
)

// The offsets topic is compacted while groups commit, and says the same after a restart. The cleaner's default pause would
// outlast the test: it is shortened while the broker runs.
func TestOffsetsTopicIsCompacted(t *testing.T) {
	t.Parallel()
	disk := vfs.NewMemory()
	b := start(t, disk, "offsets.topic.num.partitions=1")
	createTopic(t, b, "t", 3)
	admin := kadm.NewClient(connect(t, b))
	commits := 0
	commit := func() {
		t.Helper()
		commits++
		offsets := kadm.Offsets{}
		for p := range int32(3) {
			offsets.AddOffset("t", p, int64(commits), -1)
		}
		for _, group := range []string{"g1", "g2"} {
			if err := admin.CommitAllOffsets(t.Context(), group, offsets); err != nil {
				t.Fatal(err)
			}
		}
	}
	check := func() {
		t.Helper()
		for _, group := range []string{"g1", "g2"} {
			fetched, err := admin.FetchOffsets(t.Context(), group)
			if err != nil {
				t.Fatal(err)
			}
			for p := range int32(3) {
				if got, found := fetched.Lookup("t", p); !found || got.At != int64(commits) {
					t.Fatalf("%s committed %d in partition %d, it has %d", group, commits, p, got.At)
				}
			}
		}
	}
	commit()
	set(t, admin, "segment.ms", "1", kafka.OffsetsTopic)
	set(t, admin, "min.cleanable.dirty.ratio", "0.01", kafka.OffsetsTopic)
	set(t, admin, "log.cleaner.backoff.ms", "5")
	log := b.dirs[0].Log(kafka.TopicPartition{Topic: kafka.OffsetsTopic})
	waitFor(t, "the offsets topic shrinks", func() bool {
		before := log.Size()
		commit()
		return commits > 40 && log.Size() < before
	})
	most := log.EndOffset() * 100 // bytes without compaction, at the least
	check()
	stop(t, b)

	b = start(t, disk, "log.cleaner.enable=false")
	admin = kadm.NewClient(connect(t, b))
	check()
	log = b.dirs[0].Log(kafka.TopicPartition{Topic: kafka.OffsetsTopic})
	if size := log.Size(); size > most/2 {
		t.Errorf("%d bytes after %d commits", size, commits)
	}
	stop(t, b)
}

// set sets a property of topics, or of all brokers.
func set(t *testing.T, admin *kadm.Client, name, value string, topics ...string) {
	t.Helper()
	change := []kadm.AlterConfig{{Op: kadm.SetConfig, Name: name, Value: &value}}
	var answers kadm.AlterConfigsResponses
	var err error
	if len(topics) > 0 {
		answers, err = admin.AlterTopicConfigs(t.Context(), change, topics...)
	} else {
		answers, err = admin.AlterBrokerConfigs(t.Context(), change)
	}
	if err != nil || answers[0].Err != nil {
		t.Fatal(err, answers)
	}
}

func waitFor(t *testing.T, what string, ready func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !ready(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("in vain: " + what)
		}
	}
}

// Policies may change while a topic is there: nothing, compaction, compaction and deletion.
func TestCleanupPolicies(t *testing.T) {
	b := start(t, vfs.NewMemory(), "log.cleaner.backoff.ms=5", "log.retention.check.interval.ms=5", "log.initial.task.delay.ms=5")
	admin := kadm.NewClient(connect(t, b))
	none, one := "", "1"
	if _, err := admin.CreateTopic(t.Context(), 1, 1, map[string]*string{"cleanup.policy": &none, "segment.ms": &one, "retention.ms": &one}, "t"); err != nil {
		t.Fatal(err)
	}
	c := connect(t, b, kgo.DefaultProduceTopic("t"))
	produced, began := 0, time.Now().Add(-time.Hour)
	produce := func() {
		t.Helper()
		produced++
		r := &kgo.Record{Key: fmt.Append(nil, "k", produced%5), Value: fmt.Append(nil, produced), Timestamp: began.Add(time.Duration(produced) * 10 * time.Millisecond)}
		if err := c.ProduceSync(t.Context(), r).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	for range 50 {
		produce()
	}
	log := b.dirs[0].Log(kafka.TopicPartition{Topic: "t"})
	if records := consume(t, b, "t", 50); len(records) != 50 || log.StartOffset() != 0 {
		t.Errorf("cleanup.policy= lost something: %d records from %d", len(records), log.StartOffset())
	}
	set(t, admin, "min.cleanable.dirty.ratio", "0", "t")
	set(t, admin, "cleanup.policy", "compact", "t")
	waitFor(t, "5 keys and the active segment", func() bool { return count(t, log) <= 6 })
	if err := c.ProduceSync(t.Context(), &kgo.Record{Value: []byte("no key")}).FirstErr(); !errors.Is(err, kerr.InvalidRecord) {
		t.Errorf("a record without a key in a compacted topic: %v", err)
	}
	for _, r := range consume(t, b, "t", 5) {
		if r.Offset < 44 || string(r.Value) != fmt.Sprint(r.Offset+1) {
			t.Errorf("record %q at %d", r.Value, r.Offset)
		}
	}
	if log.StartOffset() != 0 {
		t.Errorf("compaction moved the start to %d", log.StartOffset())
	}
	set(t, admin, "cleanup.policy", "compact,delete", "t")
	waitFor(t, "retention.ms takes what compaction left", func() bool { produce(); return log.StartOffset() > 0 })
	stop(t, b)
}

// count counts a log's batches.
func count(t *testing.T, log *commitlog.Log) (n int) {
	t.Helper()
	for offset, end := log.StartOffset(), log.EndOffset(); offset < end; n++ {
		span, err := log.Find(offset, 1, end, true)
		if err != nil {
			t.Fatal(err)
		}
		raw := make([]byte, span.Size)
		if _, err := span.ReadAt(raw); err != nil {
			t.Fatal(err)
		}
		span.Release()
		offset = record.Batch(raw).LastOffset() + 1
	}
	return n
}
