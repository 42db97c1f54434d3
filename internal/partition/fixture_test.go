package partition

import (
	"bytes"
	"io/fs"
	"log/slog"
	"math"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ottla/ottla/internal/commitlog"
	"github.com/ottla/ottla/internal/config"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/vfs"
	"github.com/ottla/ottla/internal/wire"
)

const self = 1 // this broker's node id

// world is a Set that follows an image which the test changes.
type world struct {
	t      testing.TB
	fsys   vfs.FS
	dirs   []*commitlog.Dir
	set    *Set
	image  *metadata.Image
	config *config.Broker
	logged *lockedBuffer

	cordoned sync.Map     // of *commitlog.Dir
	rate     atomic.Int64 // of moves
	// assigned is what the set told the controller, which takes note of it at once unless it is deaf.
	assigned struct {
		sync.Mutex
		all  []Assignment
		deaf bool
	}
}

func (w *world) assign(x Assignment) {
	w.assigned.Lock()
	defer w.assigned.Unlock()
	w.assigned.all = append(w.assigned.all, x)
	if x.Done != nil && !w.assigned.deaf {
		go x.Done()
	}
}

// lastAssigned is the directory that the controller heard of last.
func (w *world) lastAssigned() kafka.UUID {
	w.assigned.Lock()
	defer w.assigned.Unlock()
	if len(w.assigned.all) == 0 {
		return kafka.ZeroUUID
	}
	return w.assigned.all[len(w.assigned.all)-1].Dir
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// newWorld opens the directories and applies the image, as a broker's start does; nil stands for an empty image.
func newWorld(t testing.TB, fsys vfs.FS, image *metadata.Image, paths ...string) *world {
	t.Helper()
	if len(paths) == 0 {
		paths = []string{"/data"}
	}
	c, _, err := config.Load(config.Sources{})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, fsys: fsys, image: metadata.Empty("c"), config: c, logged: new(lockedBuffer)}
	w.rate.Store(math.MaxInt64)
	log := slog.New(slog.NewTextHandler(w.logged, nil))
	for _, path := range paths {
		dir, err := commitlog.Open(fsys, path, commitlog.Options{
			Logger: log, CheckpointInterval: time.Millisecond, ClusterID: "c", NodeID: self,
			OnFailure: func(err error) { w.set.DirectoryFailed(path, err) },
		})
		if err != nil {
			t.Fatal(err)
		}
		w.dirs = append(w.dirs, dir)
	}
	w.set = NewSet(Options{
		Node: self, Dirs: w.dirs, Logger: log,
		TopicConfig: func(im *metadata.Image, topic string) *config.Topic { return w.config.Topic(im.TopicConfig(topic)) },
		Cordoned:    func(dir *commitlog.Dir) bool { _, is := w.cordoned.Load(dir); return is },
		Assign:      w.assign, MoveRate: w.rate.Load,
	})
	if image != nil {
		w.publish(image)
	}
	return w
}

func (w *world) publish(next *metadata.Image) {
	w.set.Apply(w.image, next, metadata.Diff(w.image, next))
	w.image = next
}

// replay changes the image by records and applies it.
func (w *world) replay(records ...wire.Message) {
	w.t.Helper()
	delta := w.image.Change()
	for _, r := range records {
		if err := delta.Replay(r); err != nil {
			w.t.Fatal(err)
		}
	}
	w.publish(delta.Apply(w.image.Offset()+int64(len(records)), 1))
}

func (w *world) close() {
	w.t.Helper()
	w.set.Close()
	for _, dir := range w.dirs {
		if err := dir.Close(); err != nil {
			w.t.Fatal(err)
		}
	}
}

func (w *world) get(topic string, partition int32) *Partition {
	w.t.Helper()
	p, err := w.set.Get(topic, partition)
	if err != nil {
		w.t.Fatal(err)
	}
	return p
}

// topic makes the records of a topic whose partitions are on these replicas, all in sync, led by the first.
func topic(name string, id byte, partitions int, replicas ...int32) []wire.Message {
	records := []wire.Message{&wire.TopicRecord{Name: name, TopicID: kafka.UUID{id}}}
	for p := range partitions {
		records = append(records, &wire.PartitionRecord{
			TopicID: kafka.UUID{id}, PartitionID: int32(p), Replicas: replicas, Isr: replicas, Leader: replicas[0],
			Directories: make([]kafka.UUID, len(replicas)),
		})
	}
	return records
}

// changed makes the record of a change of partition 0.
func changed(id byte, change func(*wire.PartitionChangeRecord)) wire.Message {
	r := new(wire.PartitionChangeRecord)
	r.Reset()
	r.TopicID, r.PartitionID = kafka.UUID{id}, 0
	change(r)
	return r
}

func setting(topic, name, value string) wire.Message {
	return &wire.ConfigRecord{ResourceType: int8(metadata.ConfigTopic), ResourceName: topic, Name: name, Value: &value}
}

// batch is what a client sends.
func batch(t testing.TB, values ...string) []byte {
	t.Helper()
	b := record.NewBuilder(record.BatchOptions{})
	for _, v := range values {
		b.Add(time.Now().UnixMilli(), nil, []byte(v))
	}
	built, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	return built
}

func (w *world) append(p *Partition, acks int16, values ...string) Appended {
	w.t.Helper()
	done, err := p.Append(Append{Records: batch(w.t, values...), Acks: acks, ProduceVersion: 12, Now: time.Now()})
	if err != nil {
		w.t.Fatal(err)
	}
	return done
}

// await returns what Await tells of an append of the current leader epoch.
func (w *world) await(p *Partition, offset int64) <-chan error {
	told := make(chan error, 2)
	p.AwaitFunc(p.State().LeaderEpoch, offset, func(err error) { told <- err })
	return told
}

func (w *world) receive(told <-chan error) error {
	w.t.Helper()
	select {
	case err := <-told:
		return err
	case <-time.After(patience):
		w.t.Fatalf("nobody was told within %v", patience)
		return nil
	}
}

func (w *world) silent(told <-chan error) {
	w.t.Helper()
	select {
	case err := <-told:
		w.t.Fatalf("told too early: %v", err)
	default:
	}
}

func (w *world) wantCode(err error, code kafka.ErrorCode) {
	w.t.Helper()
	if kafka.CodeOf(err) != code {
		w.t.Fatalf("got %v (%v), want %v", err, kafka.CodeOf(err), code)
	}
}

// values reads what a consumer sees from offset 0.
func (w *world) values(p *Partition) []string {
	w.t.Helper()
	found, err := p.Read(Read{Offset: p.Log().StartOffset(), MaxBytes: 1 << 20, AtLeastOne: true, LeaderEpoch: AnyEpoch, LastFetchedEpoch: AnyEpoch})
	if err != nil {
		w.t.Fatal(err)
	}
	defer found.Span.Release()
	return valuesOf(w.t, &found.Span)
}

func valuesOf(t testing.TB, span *commitlog.Span) (values []string) {
	t.Helper()
	b := make([]byte, span.Size)
	if _, err := span.ReadAt(b); err != nil {
		t.Fatal(err)
	}
	for batch, err := range record.Batches(b) {
		if err != nil {
			t.Fatal(err)
		}
		for r, err := range batch.Records(1 << 20) {
			if err != nil {
				t.Fatal(err)
			}
			values = append(values, string(r.Value))
		}
	}
	return values
}

// patience is how long a test waits for what should come at once: the machine may be busy.
const patience = time.Minute

// eventually polls.
func eventually(t testing.TB, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within %v: %s", patience, what)
		}
	}
}

// gate is a disk whose syncs wait while it is shut.
type gate struct {
	vfs.FS
	mu struct {
		sync.Mutex
		open chan struct{} // closed while the gate is open
	}
}

func newGate(inner vfs.FS) *gate {
	g := &gate{FS: inner}
	g.mu.open = make(chan struct{})
	close(g.mu.open)
	return g
}

func (g *gate) shut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.mu.open = make(chan struct{})
}

func (g *gate) reopen() {
	g.mu.Lock()
	defer g.mu.Unlock()
	close(g.mu.open)
}

func (g *gate) pass() {
	g.mu.Lock()
	open := g.mu.open
	g.mu.Unlock()
	<-open
}

func (g *gate) OpenFile(name string, flag int, perm fs.FileMode) (vfs.File, error) {
	f, err := g.FS.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	return gatedFile{f, g}, nil
}

type gatedFile struct {
	vfs.File
	gate *gate
}

func (f gatedFile) SyncData() error { f.gate.pass(); return f.File.SyncData() }
func (f gatedFile) Sync() error     { f.gate.pass(); return f.File.Sync() }
