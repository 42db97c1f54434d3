package broker

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/vfs"
)

// The metadata log is cut off at snapshots, and a broker starts from one.
func TestStartsFromASnapshot(t *testing.T) {
	t.Parallel()
	disk := vfs.NewMemory()
	sets := []string{"metadata.log.max.record.bytes.between.snapshots=4096"}
	b := start(t, disk, sets...)
	value := "12345"
	for i := range 100 {
		createTopic(t, b, fmt.Sprint("topic-", i), 3)
	}
	if _, err := kadm.NewClient(connect(t, b)).AlterTopicConfigs(t.Context(), []kadm.AlterConfig{{Name: "retention.ms", Value: &value}}, "topic-7"); err != nil {
		t.Fatal(err)
	}
	if err := connect(t, b).ProduceSync(t.Context(), &kgo.Record{Topic: "topic-99", Value: []byte("x")}).FirstErr(); err != nil {
		t.Fatal(err)
	}
	snapshots := func() (n int) {
		entries, err := disk.ReadDir("/data/__cluster_metadata-0")
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if strings.HasSuffix(e.Name(), ".checkpoint") && !strings.HasPrefix(e.Name(), "00000000000000000000-") {
				n++
			}
		}
		return n
	}
	eventually(t, "there is a snapshot", func() bool { return snapshots() > 0 })
	stop(t, b)
	for range 2 {
		b = start(t, disk, sets...)
		topics, err := kadm.NewClient(connect(t, b)).ListTopics(t.Context())
		if err != nil || len(topics) != 100 {
			t.Errorf("%d topics, %v", len(topics), err)
		}
		configs, err := kadm.NewClient(connect(t, b)).DescribeTopicConfigs(t.Context(), "topic-7")
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range configs[0].Configs {
			if c.Key == "retention.ms" && c.MaybeValue() != value {
				t.Errorf("retention.ms is %s", c.MaybeValue())
			}
		}
		consume(t, b, "topic-99", 1)
		stop(t, b)
	}
}

// __consumer_offsets can be deleted; groups begin anew in the next one.
func TestOffsetsTopicIsDeleted(t *testing.T) {
	b := start(t, vfs.NewMemory())
	createTopic(t, b, "t", 1)
	admin := kadm.NewClient(connect(t, b))
	commit := func(at int64) error {
		offsets := kadm.Offsets{}
		offsets.AddOffset("t", 0, at, -1)
		answer, err := admin.CommitOffsets(t.Context(), "g", offsets)
		return errors.Join(err, answer.Error())
	}
	if err := commit(5); err != nil {
		t.Fatal(err)
	}
	if _, err := admin.DeleteTopic(t.Context(), "__consumer_offsets"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the group is served again", func() bool { return commit(7) == nil })
	offsets, err := admin.FetchOffsets(t.Context(), "g")
	if got, _ := offsets.Lookup("t", 0); err != nil || got.At != 7 {
		t.Errorf("offset %d, %v", got.At, err)
	}
	// Offsets of a deleted topic go with it.
	if _, err := admin.DeleteTopic(t.Context(), "t"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the offsets of a deleted topic are gone", func() bool {
		offsets, err := admin.FetchOffsets(t.Context(), "g")
		_, there := offsets.Lookup("t", 0)
		return err == nil && !there
	})
	stop(t, b)
}

// A directory without the metadata log fails: the broker serves on from the other, and says what is offline.
func TestSecondDirectoryFails(t *testing.T) {
	t.Parallel()
	disk := vfs.NewMemory()
	faulty := vfs.Faulty(disk)
	b := start(t, faulty, "log.dirs=/one,/two", "metadata.log.dir=/one")
	createTopic(t, b, "t", 2)
	victim := int32(0)
	if p, err := b.partitions.Get("t", 0); err != nil || b.dirs[1].Log(p.Name()) == nil {
		victim = 1
	}
	produce := func(partition int32) error {
		c := connect(t, b, kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.RecordRetries(0), kgo.RecordDeliveryTimeout(patience), kgo.DisableIdempotentWrite())
		return c.ProduceSync(t.Context(), &kgo.Record{Topic: "t", Partition: partition, Value: []byte("x")}).FirstErr()
	}
	for p := range int32(2) {
		if err := produce(p); err != nil {
			t.Fatal(err)
		}
	}
	faulty.Add(vfs.Rule{Op: vfs.OpSync, Path: "*.log", Times: 1, Err: errors.New("bad sector")})
	if err := produce(victim); err == nil {
		t.Error("acknowledged without a sync")
	}
	eventually(t, "the other partition is served", func() bool { return produce(1-victim) == nil })
	if _, metrics := get(t, b, "/metrics"); !strings.Contains(metrics, "kafka_log_logmanager_offlinelogdirectorycount 1\n") || !strings.Contains(metrics, "kafka_server_replicamanager_offlinereplicacount 1\n") {
		t.Error("the metrics do not tell of the failure")
	}
	if status, body := get(t, b, "/readyz"); status != 200 || !strings.Contains(body, "log directory /two is offline") {
		t.Errorf("/readyz: %d %s", status, body)
	}
	select {
	case err := <-b.Failed():
		t.Error("the broker gave up:", err)
	default:
	}
	// The controller has heard of it: the partition has no leader, and its replica is offline.
	eventually(t, "the controller takes the leadership away", func() bool {
		topics, err := kadm.NewClient(connect(t, b)).ListTopics(t.Context(), "t")
		p := topics["t"].Partitions[victim]
		return err == nil && p.Leader == -1 && errors.Is(p.Err, kerr.LeaderNotAvailable) && slices.Equal(p.OfflineReplicas, []int32{b.node})
	})
	if _, err := b.partitions.Get("t", victim); kafka.CodeOf(err) != kafka.KafkaStorageError {
		t.Errorf("who asks for the partition gets %v", err)
	}
	if err := b.Stop(t.Context()); err == nil {
		t.Error("the stop was clean")
	}
	b = start(t, disk, "log.dirs=/one,/two", "metadata.log.dir=/one")
	eventually(t, "both partitions are served again", func() bool { return produce(0) == nil && produce(1) == nil })
	stop(t, b)
}

// Logs of topics that the cluster does not have are set aside at the start and kept; deleted files go after their delay.
func TestStraysStayAndDeletedFilesGo(t *testing.T) {
	disk := vfs.NewMemory()
	b := start(t, disk)
	createTopic(t, b, "kept", 1)
	createTopic(t, b, "deleted", 1)
	if _, err := kadm.NewClient(connect(t, b)).DeleteTopic(t.Context(), "deleted"); err != nil {
		t.Fatal(err)
	}
	stop(t, b)
	// A directory that was copied back from before the deletion.
	if err := disk.MkdirAll("/data/deleted-0", 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := disk.OpenFile("/data/deleted-0/00000000000000000000.log", os.O_RDWR|os.O_CREATE, 0o644); err != nil {
		t.Fatal(err)
	}
	folders := func(suffix string) (names []string) {
		entries, err := disk.ReadDir("/data")
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if strings.HasSuffix(e.Name(), suffix) {
				names = append(names, e.Name())
			}
		}
		return names
	}
	var stray []string
	for range 2 { // also after another start
		b = start(t, disk, "log.retention.check.interval.ms=20", "log.segment.delete.delay.ms=0")
		eventually(t, "deleted folders are removed", func() bool { return len(folders("-delete")) == 0 })
		if stray = folders("-stray"); len(stray) != 1 || !strings.HasPrefix(stray[0], "deleted-0.") || len(folders("deleted-0")) != 0 {
			t.Fatalf("strays: %q", stray)
		}
		if _, err := disk.Stat("/data/" + stray[0] + "/00000000000000000000.log"); err != nil {
			t.Fatal(err)
		}
		stop(t, b)
	}
	b = start(t, disk)
	defer stop(t, b)
	if _, err := b.partitions.Get("kept", 0); err != nil {
		t.Error(err)
	}
}
