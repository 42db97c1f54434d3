package broker

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ottla/ottla/internal/commitlog"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/vfs"
)

const threeDirs = "log.dirs=/one,/two,/three"

// unreadable is a disk on which one directory cannot be read, as when its device is gone.
type unreadable struct {
	vfs.FS
	path string
	gone atomic.Bool
}

func (u *unreadable) ReadDir(path string) ([]fs.DirEntry, error) {
	if u.gone.Load() && strings.HasPrefix(path, u.path) {
		return nil, &fs.PathError{Op: "readdir", Path: path, Err: errors.New("input/output error")}
	}
	return u.FS.ReadDir(path)
}

// dirOf is the path of the directory that a partition is in.
func dirOf(t testing.TB, b *Broker, topic string, partition int32) string {
	t.Helper()
	p, err := b.partitions.Get(topic, partition)
	if err != nil {
		t.Fatal(err)
	}
	return p.Dir().Path()
}

// assignedDir is the directory that the controller takes a partition to be in.
func assignedDir(b *Broker, topic string, partition int32) kafka.UUID {
	dir, _ := b.store.Current().Partition(kafka.TopicPartition{Topic: topic, Partition: partition}).Directory(b.node)
	return dir
}

func moveTo(t testing.TB, b *Broker, topic, path string) {
	t.Helper()
	rq := kadm.AlterReplicaLogDirsReq{}
	rq.Add(path, kadm.TopicsSet{topic: map[int32]struct{}{0: {}}})
	answer, err := kadm.NewClient(connect(t, b)).AlterBrokerReplicaLogDirs(t.Context(), b.node, rq)
	if err != nil {
		t.Fatal(err)
	}
	answer.Each(func(r kadm.AlterReplicaLogDirsResponse) {
		if r.Err != nil {
			t.Fatal(r.Err)
		}
	})
}

// New partitions go to the directory with the fewest, but not to one that is cordoned; the controller hears where they are.
func TestPlacement(t *testing.T) {
	disk := vfs.NewMemory()
	b := start(t, disk, threeDirs, "cordoned.log.dirs=/two")
	createTopic(t, b, "t", 6)
	perDir := map[string]int{}
	for p := range int32(6) {
		perDir[dirOf(t, b, "t", p)]++
		eventually(t, "the controller knows the directory", func() bool {
			p, err := b.partitions.Get("t", p)
			return err == nil && assignedDir(b, "t", p.Name().Partition) == p.Dir().ID()
		})
	}
	if fmt.Sprint(perDir) != "map[/one:3 /three:3]" {
		t.Errorf("partitions by directory: %v", perDir)
	}
	if _, metrics := get(t, b, "/metrics"); !strings.Contains(metrics, `kafka_log_logmanager_logdirectorycordoned{logDirectory="/two"} 1`) {
		t.Error("the metrics do not tell which directory is cordoned")
	}
	admin := kadm.NewClient(connect(t, b))
	star := "*"
	if _, err := admin.AlterBrokerConfigs(t.Context(), []kadm.AlterConfig{{Name: "cordoned.log.dirs", Value: &star}}, b.node); err != nil {
		t.Fatal(err)
	}
	eventually(t, "no topic can be created", func() bool {
		answer, err := admin.ValidateCreateTopics(t.Context(), 1, 1, nil, "u")
		return err == nil && errors.Is(answer["u"].Err, kerr.InvalidReplicationFactor)
	})
	if _, err := admin.AlterBrokerConfigs(t.Context(), []kadm.AlterConfig{{Op: kadm.DeleteConfig, Name: "cordoned.log.dirs"}}, b.node); err != nil {
		t.Fatal(err)
	}
	stop(t, b)
	// What is on disk stays where it is.
	b = start(t, disk, "log.dirs=/three,/two,/one", "metadata.log.dir=/one")
	for p := range int32(6) {
		perDir[dirOf(t, b, "t", p)]--
	}
	if fmt.Sprint(perDir) != "map[/one:0 /three:0]" {
		t.Errorf("moved by a restart: %v", perDir)
	}
	stop(t, b)
}

// A directory that cannot be opened does not keep the broker from serving the others; what was in it comes back with it,
// and is not made anew meanwhile.
func TestStartsWithoutADirectory(t *testing.T) {
	t.Parallel()
	disk := &unreadable{FS: vfs.NewMemory(), path: "/two"}
	b := start(t, disk, threeDirs)
	createTopic(t, b, "t", 3)
	produce := func(b *Broker, p int32, value string) error {
		c := connect(t, b, kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.RecordDeliveryTimeout(2*time.Second), kgo.MetadataMinAge(100*time.Millisecond))
		return c.ProduceSync(t.Context(), &kgo.Record{Topic: "t", Partition: p, Value: []byte(value)}).FirstErr()
	}
	lost := int32(-1)
	for p := range int32(3) {
		if err := produce(b, p, "kept"); err != nil {
			t.Fatal(err)
		}
		if dirOf(t, b, "t", p) == "/two" {
			lost = p
		}
	}
	stop(t, b)
	disk.gone.Store(true)
	b = start(t, disk, threeDirs)
	for p := range int32(3) {
		err := produce(b, p, "more")
		if (err != nil) != (p == lost) {
			t.Errorf("partition %d, of which %d is offline: %v", p, lost, err)
		}
	}
	if _, body := get(t, b, "/readyz"); !strings.HasPrefix(body, "ready\n") || !strings.Contains(body, "/two is offline") {
		t.Error(body)
	}
	dirs, err := kadm.NewClient(connect(t, b)).DescribeBrokerLogDirs(t.Context(), b.node, nil)
	if err != nil {
		t.Fatal(err)
	}
	if !errors.Is(dirs["/two"].Err, kerr.KafkaStorageError) || dirs["/one"].Err != nil || len(dirs) != 3 {
		t.Errorf("%+v", dirs)
	}
	createTopic(t, b, "u", 4)
	for p := range int32(4) {
		dirOf(t, b, "u", p)
	}
	stop(t, b)
	disk.gone.Store(false)
	b = start(t, disk, threeDirs)
	for _, r := range consume(t, b, "t", 5) {
		if r.Offset == 0 && string(r.Value) != "kept" {
			t.Errorf("partition %d begins with %s", r.Partition, r.Value)
		}
	}
	if err := produce(b, lost, "more"); err != nil {
		t.Error(err)
	}
	stop(t, b)
}

func TestDirectoriesThatDoNotBelongTogether(t *testing.T) {
	refused := func(disk vfs.FS, want string, sets ...string) {
		t.Helper()
		b, err := Start(t.Context(), options(t, disk, sets...))
		if err == nil {
			stop(t, b)
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	disk := vfs.NewMemory()
	stop(t, start(t, disk, threeDirs))
	refused(disk, "named twice", "log.dirs=/one,/one/")
	d, err := commitlog.Open(disk, "/four", commitlog.Options{ClusterID: "another-cluster-altogether", NodeID: 1})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	refused(disk, "doesn't match stored clusterId", threeDirs+",/four")
	meta, err := disk.OpenFile("/one/meta.properties", 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	size, err := meta.Size()
	if err != nil {
		t.Fatal(err)
	}
	text := make([]byte, size)
	if _, err := meta.ReadAt(text, 0); err != nil && int64(len(text)) != size {
		t.Fatal(err)
	}
	copied, err := disk.OpenFile("/three/meta.properties", 2, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := copied.WriteAt(text, 0); err != nil {
		t.Fatal(err)
	}
	refused(disk, "duplicate directory ID", threeDirs)
}

// A partition moves between directories while a client writes to it, the power fails in the middle, and everything that was
// acknowledged is there once.
func TestMovesAndCrashes(t *testing.T) {
	t.Parallel()
	disk := vfs.NewMemory()
	b := start(t, disk, threeDirs)
	createTopic(t, b, "t", 1)
	c := connect(t, b, kgo.DefaultProduceTopic("t"), kgo.ProducerLinger(0))
	var acknowledged atomic.Int64
	quit := make(chan struct{})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		slots := make(chan struct{}, 50)
		for i := 0; ; i++ {
			select {
			case <-quit:
				return
			case slots <- struct{}{}:
			}
			c.Produce(t.Context(), &kgo.Record{Value: fmt.Append(nil, i)}, func(_ *kgo.Record, err error) {
				<-slots
				if err != nil {
					t.Errorf("record %d: %v", i, err)
				} else {
					acknowledged.Add(1)
				}
			})
		}
	}()
	type crash struct {
		disk *vfs.Memory
		n    int64
	}
	var crashes []crash
	for _, path := range []string{"/two", "/three", "/one"} {
		moveTo(t, b, "t", path)
		for range 2 {
			n := acknowledged.Load()
			crashes = append(crashes, crash{disk.Crash(vfs.LoseUnsynced()), n})
			eventually(t, "records are acknowledged", func() bool { return acknowledged.Load() > n+20 })
		}
		eventually(t, "the partition has moved", func() bool { return dirOf(t, b, "t", 0) == path })
		eventually(t, "the controller knows", func() bool { p, _ := b.partitions.Get("t", 0); return assignedDir(b, "t", 0) == p.Dir().ID() })
	}
	close(quit)
	<-ended
	if err := c.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	crashes = append(crashes, crash{disk.Crash(vfs.LoseUnsynced()), acknowledged.Load()})
	stop(t, b)
	for i, crash := range crashes {
		b := start(t, crash.disk, threeDirs)
		ends, err := kadm.NewClient(connect(t, b)).ListEndOffsets(t.Context(), "t")
		end, _ := ends.Lookup("t", 0)
		if err != nil || end.Offset < crash.n {
			t.Fatalf("crash %d: %d records of %d, %v", i, end.Offset, crash.n, err)
		}
		for at, r := range consume(t, b, "t", int(end.Offset)) {
			if string(r.Value) != fmt.Sprint(at) {
				t.Fatalf("crash %d: offset %d has %s", i, at, r.Value)
			}
		}
		stop(t, b)
	}
	t.Logf("%d records", acknowledged.Load())
}
