package partition

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ottla/ottla/internal/commitlog"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/vfs"
	"github.com/ottla/ottla/internal/wire"
)

func TestGetTellsWhy(t *testing.T) {
	w := newWorld(t, vfs.NewMemory(), nil)
	defer w.close()
	w.replay(append(topic("mine", 1, 1, self), topic("theirs", 2, 1, 2)...)...)
	w.get("mine", 0)
	for _, c := range []struct {
		topic     string
		partition int32
		want      kafka.ErrorCode
	}{
		{"theirs", 0, kafka.NotLeaderOrFollower},
		{"mine", 1, kafka.UnknownTopicOrPartition},
		{"mine", -1, kafka.UnknownTopicOrPartition},
		{"none", 0, kafka.UnknownTopicOrPartition},
	} {
		_, err := w.set.Get(c.topic, c.partition)
		w.wantCode(err, c.want)
	}
}

// A deleted topic tells everybody who waits, whoever comes with an old pointer, and takes its records with it; one of the
// same name that follows in the same breath is another topic.
func TestDeletedAndCreatedAgain(t *testing.T) {
	g := newGate(vfs.NewMemory())
	w := newWorld(t, g, nil)
	w.replay(append(topic("t", 1, 2, self), setting("t", "file.delete.delay.ms", "0"))...)
	old := w.get("t", 0)
	g.shut()
	told := w.await(old, w.append(old, -1, "old").NextOffset)
	watcher := newCountingWatcher()
	old.Watch(watcher)
	w.silent(told)
	deleted := make(chan struct{})
	go func() { g.reopen(); close(deleted) }()
	w.replay(append([]wire.Message{&wire.RemoveTopicRecord{TopicID: kafka.UUID{1}}}, topic("t", 9, 1, self)...)...)
	<-deleted
	if err := w.receive(told); err != nil { // the sync may have been faster than the deletion
		w.wantCode(err, kafka.UnknownTopicOrPartition)
	}
	<-watcher.changed
	w.silent(told)
	w.wantCode(w.receive(w.await(old, 1)), kafka.UnknownTopicOrPartition)
	_, err := old.Append(Append{Records: batch(t, "x"), Acks: 1, ProduceVersion: 12, Now: time.Now()})
	w.wantCode(err, kafka.UnknownTopicOrPartition)
	_, err = old.Read(Read{LeaderEpoch: AnyEpoch, LastFetchedEpoch: AnyEpoch})
	w.wantCode(err, kafka.UnknownTopicOrPartition)

	fresh := w.get("t", 0)
	if fresh.TopicID() != (kafka.UUID{9}) || fresh.Log().EndOffset() != 0 {
		t.Errorf("the new topic has id %v and ends at %d", fresh.TopicID(), fresh.Log().EndOffset())
	}
	if _, err := w.set.Get("t", 1); kafka.CodeOf(err) != kafka.UnknownTopicOrPartition {
		t.Errorf("partition 1 of the old topic: %v", err)
	}
	if err := w.receive(w.await(fresh, w.append(fresh, -1, "new").NextOffset)); err != nil {
		t.Fatal(err)
	}
	if got := w.values(fresh); !slices.Equal(got, []string{"new"}) {
		t.Errorf("the new topic has %q", got)
	}
	if err := w.dirs[0].Sweep(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the deleted folders are gone", func() bool { // the log directory removes them too, in its own time
		entries, err := w.fsys.ReadDir("/data")
		if err != nil {
			t.Fatal(err)
		}
		return !slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return strings.HasSuffix(e.Name(), "-delete") })
	})
	w.close()
}

// While this broker was away its topic was deleted and another one of the same name created.
func TestCreatedAgainWhileAway(t *testing.T) {
	disk := vfs.NewMemory()
	w := newWorld(t, disk, nil)
	w.replay(topic("t", 1, 2, self)...)
	p := w.get("t", 0)
	if err := w.receive(w.await(p, w.append(p, -1, "old").NextOffset)); err != nil {
		t.Fatal(err)
	}
	w.close()

	again := newWorld(t, disk, nil)
	again.replay(topic("t", 9, 1, self)...)
	if end := again.get("t", 0).Log().EndOffset(); end != 0 {
		t.Errorf("the new topic begins with %d records of the old one", end)
	}
	strays := again.set.Strays()[again.dirs[0]]
	if len(strays) != 1 || strays[0].TopicPartition() != (kafka.TopicPartition{Topic: "t", Partition: 1}) {
		t.Errorf("strays: %v", strays)
	}
	if kept := folders(t, disk, "t-0.", "-stray"); len(kept) != 1 {
		t.Errorf("the old topic's log was not kept: %q", kept)
	}
	again.close()
}

// folders lists those of the log directory with this beginning and end.
func folders(t *testing.T, disk vfs.FS, prefix, suffix string) (names []string) {
	entries, err := disk.ReadDir("/data")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), prefix) && strings.HasSuffix(e.Name(), suffix) {
			names = append(names, e.Name())
		}
	}
	return names
}

func TestStrays(t *testing.T) {
	disk := vfs.NewMemory()
	w := newWorld(t, disk, nil)
	w.replay(slices.Concat(topic("kept", 1, 1, self), topic("deleted", 2, 1, self), topic("moved", 3, 1, self), topic("broken", 4, 1, self))...)
	if _, err := w.dirs[0].Create(kafka.TopicPartition{Topic: kafka.MetadataTopic}, kafka.UUID{15: 1}, commitlog.DefaultConfig()); err != nil {
		t.Fatal(err)
	}
	w.close()

	again := newWorld(t, disk, nil)
	defer again.close()
	again.replay(slices.Concat(topic("kept", 1, 1, self), topic("moved", 3, 1, 2), topic("broken", 4, 1, self))...)
	// A replica that cannot be hosted keeps its log.
	again.set.take(kafka.TopicPartition{Topic: "broken"}, kafka.UUID{4})
	again.set.putOffline(kafka.TopicPartition{Topic: "broken"}, kafka.UUID{4}, kafka.InvalidConfig)
	var names []string
	for _, log := range again.set.Strays()[again.dirs[0]] {
		names = append(names, log.TopicPartition().String())
	}
	if !slices.Equal(names, []string{"deleted-0", "moved-0"}) {
		t.Errorf("strays: %q", names)
	}
}

// A log without partition.metadata (it was lost, or is from before topics had ids) gets the topic's id.
func TestLogWithoutTopicID(t *testing.T) {
	disk := vfs.NewMemory()
	w := newWorld(t, disk, nil)
	if _, err := w.dirs[0].Create(kafka.TopicPartition{Topic: "t"}, kafka.ZeroUUID, commitlog.DefaultConfig()); err != nil {
		t.Fatal(err)
	}
	w.replay(topic("t", 1, 1, self)...)
	p := w.get("t", 0)
	if p.TopicID() != (kafka.UUID{1}) {
		t.Errorf("topic id %v", p.TopicID())
	}
	w.replay(&wire.RemoveTopicRecord{TopicID: kafka.UUID{1}})
	if _, err := w.set.Get("t", 0); kafka.CodeOf(err) != kafka.UnknownTopicOrPartition || w.dirs[0].Log(p.Name()) != nil {
		t.Errorf("after its deletion: %v", err)
	}
	w.close()
}

// Offline replicas of deleted topics are forgotten.
func TestOfflineReplicaIsForgotten(t *testing.T) {
	w := newWorld(t, vfs.NewMemory(), nil)
	defer w.close()
	w.replay(topic("t", 1, 1, self)...)
	name := kafka.TopicPartition{Topic: "t"}
	w.set.take(name, kafka.UUID{1})
	w.set.putOffline(name, kafka.UUID{1}, kafka.InvalidConfig)
	_, err := w.set.Get("t", 0)
	w.wantCode(err, kafka.KafkaStorageError)
	w.replay(&wire.RemoveTopicRecord{TopicID: kafka.UUID{1}})
	_, err = w.set.Get("t", 0)
	w.wantCode(err, kafka.UnknownTopicOrPartition)
}

// Leader epochs: requests are checked against the current one, those that wait are told of a change, and the log keeps
// them over a restart.
func TestLeaderEpochs(t *testing.T) {
	disk := vfs.NewMemory()
	w := newWorld(t, disk, nil)
	w.replay(topic("t", 1, 1, self, 2)...)
	p := w.get("t", 0)
	w.append(p, 1, "a")
	told := w.await(p, 1) // the follower has not got it
	watcher := newCountingWatcher()
	p.Watch(watcher)
	lead := func(id int32) wire.Message {
		return changed(1, func(r *wire.PartitionChangeRecord) { r.Leader = id })
	}
	w.replay(lead(2))
	w.wantCode(w.receive(told), kafka.NotLeaderOrFollower)
	<-watcher.changed
	for _, c := range []struct {
		epoch int32
		want  kafka.ErrorCode
	}{{0, kafka.FencedLeaderEpoch}, {1, kafka.NotLeaderOrFollower}, {2, kafka.UnknownLeaderEpoch}, {AnyEpoch, kafka.NotLeaderOrFollower}} {
		_, err := p.Leading(c.epoch)
		w.wantCode(err, c.want)
		_, err = p.Read(Read{LeaderEpoch: c.epoch, LastFetchedEpoch: AnyEpoch})
		w.wantCode(err, c.want)
		_, err = p.OffsetFor(LatestTimestamp, false, c.epoch)
		w.wantCode(err, c.want)
		_, _, err = p.EpochEnd(0, c.epoch)
		w.wantCode(err, c.want)
	}
	_, err := p.Append(Append{Records: batch(t, "x"), Acks: 1, ProduceVersion: 12, Now: time.Now()})
	w.wantCode(err, kafka.NotLeaderOrFollower)
	_, err = p.CoordinatorLog(0).Append(batch(t, "x"))
	w.wantCode(err, kafka.FencedLeaderEpoch)

	w.replay(lead(self)) // epoch 2
	w.append(p, 1, "b")
	for len(watcher.changed) > 0 {
		<-watcher.changed
	}
	w.replay(lead(self)) // epoch 3: fetches that wait look again
	<-watcher.changed
	w.append(p, 1, "c")
	check := func(p *Partition) {
		t.Helper()
		for _, c := range []struct {
			asked, epoch int32
			end          int64
		}{{0, 0, 1}, {1, 0, 1}, {2, 2, 2}, {3, 3, 3}, {4, -1, -1}} {
			epoch, end, err := p.EpochEnd(c.asked, AnyEpoch)
			if err != nil || epoch != c.epoch || end != c.end {
				t.Errorf("epoch %d ends at %d in epoch %d (%v), want %d in %d", c.asked, end, epoch, err, c.end, c.epoch)
			}
		}
	}
	check(p)
	w.close()

	again := newWorld(t, disk, w.image)
	defer again.close()
	p = again.get("t", 0)
	check(p)
	again.image = w.image
	again.replay(lead(self)) // epoch 4, nothing written in it
	if epoch, end, _ := p.EpochEnd(4, AnyEpoch); epoch != 4 || end != 3 {
		t.Errorf("epoch 4 ends at %d in epoch %d", end, epoch)
	}
}

// Settings of the topic and of the broker take effect while partitions run.
func TestSettingsChange(t *testing.T) {
	w := newWorld(t, vfs.NewMemory(), nil)
	defer w.close()
	w.replay(append(topic("t", 1, 2, self), topic("u", 2, 1, self)...)...)
	big := strings.Repeat("x", 2000)
	try := func(topic string) kafka.ErrorCode {
		_, err := w.get(topic, 0).Append(Append{Records: batch(t, big), Acks: 1, ProduceVersion: 12, Now: time.Now()})
		return kafka.CodeOf(err)
	}
	w.replay(setting("t", "max.message.bytes", "1000"))
	if got := try("t"); got != kafka.MessageTooLarge {
		t.Errorf("topic with max.message.bytes=1000: %v", got)
	}
	if got := try("u"); got != kafka.None {
		t.Errorf("the other topic: %v", got)
	}
	// The broker's default, changed for all, reaches topics without a setting of their own only.
	var notices any
	w.config, notices = w.config.WithDynamic(nil, map[string]string{"message.max.bytes": "1500", "log.retention.ms": "1234"})
	value := "1500"
	w.replay(&wire.ConfigRecord{ResourceType: int8(metadata.ConfigBroker), Name: "message.max.bytes", Value: &value}, setting("t", "max.message.bytes", "5000"))
	if got := try("u"); got != kafka.MessageTooLarge {
		t.Errorf("message.max.bytes=1500 for all: %v (%v)", got, notices)
	}
	if got := try("t"); got != kafka.None {
		t.Errorf("topic with a larger one: %v", got)
	}
	for p := range w.set.All() {
		if c := p.Log().Config(); c.RetentionMs != 1234 {
			t.Errorf("%s: retention %d ms", p.Name(), c.RetentionMs)
		}
	}
}

// Thousands of partitions come and go in seconds; the limit leaves room for a busy machine, and none for work that grows with
// their square.
func TestManyPartitions(t *testing.T) {
	const topics, partitions = 10, 1000
	disk := vfs.NewMemory()
	w := newWorld(t, disk, nil)
	var create, remove []wire.Message
	for i := range topics {
		create = append(create, topic(fmt.Sprintf("topic-%d", i), byte(i+1), partitions, self)...)
		remove = append(remove, &wire.RemoveTopicRecord{TopicID: kafka.UUID{byte(i + 1)}})
	}
	const limit = time.Minute
	timed := func(what string, f func()) {
		t.Helper()
		start := time.Now()
		f()
		took := time.Since(start)
		t.Logf("%s %d partitions: %v", what, topics*partitions, took)
		if took > limit {
			t.Errorf("%s %d partitions took %v", what, topics*partitions, took)
		}
	}
	timed("create", func() { w.replay(create...) })
	timed("configure", func() { w.replay(setting("topic-3", "retention.ms", "1000")) })
	timed("append to all", func() {
		var last <-chan error
		for p := range w.set.All() {
			last = w.await(p, w.append(p, -1, "x").NextOffset)
		}
		if err := w.receive(last); err != nil {
			t.Fatal(err)
		}
	})
	timed("close", w.close)
	timed("start again with", func() { w = newWorld(t, disk, w.image) })
	n := 0
	for p := range w.set.All() {
		if p.Log().HighWatermark() != 1 {
			t.Fatalf("%s: high watermark %d", p.Name(), p.Log().HighWatermark())
		}
		n++
	}
	if n != topics*partitions || len(w.set.Strays()) != 0 {
		t.Errorf("%d partitions, strays %d", n, len(w.set.Strays()))
	}
	timed("delete", func() { w.replay(remove...) })
	w.close()
}
