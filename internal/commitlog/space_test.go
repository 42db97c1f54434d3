package commitlog

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/vfs"
)

func TestReserveOf(t *testing.T) {
	const mib, gib = 1 << 20, 1 << 30
	for _, c := range []struct{ configured, total, want int64 }{
		{AutomaticReserve, 20 * mib, mib},
		{AutomaticReserve, 2 * gib, 64 * mib},
		{AutomaticReserve, 50 * gib, gib / 2},
		{AutomaticReserve, 4000 * gib, gib},
		{AutomaticReserve, 0, 0},
		{0, 50 * gib, 0},
		{10 * gib, gib, 10 * gib},
	} {
		if got := reserveOf(c.configured, c.total); got != c.want {
			t.Errorf("reserve of %d bytes with setting %d: %d, want %d", c.total, c.configured, got, c.want)
		}
	}
}

// spaceBench is a directory on a small disk, with a clock.
type spaceBench struct {
	*testBench
	disk  *vfs.Memory
	clock atomic.Int64 // seconds
	lines *lockedLines
}

func openShort(t *testing.T, size, reserve int64, c Config) *spaceBench {
	t.Helper()
	b := &spaceBench{disk: vfs.NewMemory()}
	b.disk.SetSize(size)
	logger, lines := lockedLogLines()
	b.lines = lines
	b.testBench = openWith(t, b.disk, c, func(o *Options) {
		o.Reserve, o.Now, o.Logger = reserve, b.now, logger
	})
	return b
}

func (b *spaceBench) now() time.Time {
	return testTime.Add(time.Duration(b.clock.Load()) * time.Second)
}

func (b *spaceBench) try(o record.Origin, bytes int) error {
	b.clock.Add(1)
	_, err := b.log.Append(batchOf(b.tb, record.BatchOptions{}, testTime.UnixMilli(), strings.Repeat("x", bytes)), AppendOptions{Origin: o, Now: b.now()})
	return err
}

// TestReserve: clients are told before the disk is full; coordinators, reads and deletions go on; it heals.
func TestReserve(t *testing.T) {
	b := openShort(t, 100_000, 20_000, smallConfig())
	defer b.close()
	accepted := 0
	var refused error
	for refused = b.try(record.Client, 1000); refused == nil; refused = b.try(record.Client, 1000) {
		accepted++
	}
	if !isCode(refused, kafka.KafkaStorageError) {
		t.Fatal(refused)
	}
	for _, want := range []string{testDir, "log.dir.reserve.bytes", "of 100000 bytes", "20000", "retention"} {
		if !strings.Contains(refused.Error(), want) {
			t.Errorf("the text lacks %q: %v", want, refused)
		}
	}
	free, _, _ := b.dir.Space()
	if free < 15_000 || free > 20_000+2_000 {
		t.Fatalf("%d bytes are free when clients are refused, the reserve is 20000", free)
	}
	if err := b.try(record.Coordinator, 1000); err != nil {
		t.Fatalf("a coordinator: %v", err)
	}
	if err := b.commit(); err != nil {
		t.Fatal(err)
	}
	if got := len(checkLog(t, b.log)); got != accepted+1 {
		t.Fatalf("%d batches can be read, %d were taken", got, accepted+1)
	}
	if b.dir.Shortage() == nil || b.dir.Failed() != nil {
		t.Fatalf("short: %v, failed: %v", b.dir.Shortage() != nil, b.dir.Failed())
	}

	// Records are deleted: a little room is not enough yet, more is.
	b.log.SetHighWatermark(b.log.EndOffset())
	deleteUpTo := func(offset int64) {
		if err := errors.Join(b.log.AdvanceStart(offset), b.dir.Sweep(b.now())); err != nil {
			t.Fatal(err)
		}
	}
	deleteUpTo(1)
	if err := b.try(record.Client, 1000); err == nil {
		t.Fatal("taken again without hysteresis")
	}
	deleteUpTo(int64(accepted / 2))
	if err := b.try(record.Client, 1000); err != nil {
		t.Fatalf("there is room again: %v", err)
	}
	if got := b.lines.String(); strings.Count(got, "nearly full") != 1 || strings.Count(got, "room again") != 1 {
		t.Errorf("want one line for the beginning and one for the end:\n%s", got)
	}
}

// A batch that would pass the reserve alone is refused, smaller ones are not.
func TestReserveAndLargeBatches(t *testing.T) {
	c := smallConfig()
	c.SegmentBytes = 1 << 20
	b := openShort(t, 100_000, 20_000, c)
	defer b.close()
	if err := b.try(record.Client, 90_000); !isCode(err, kafka.KafkaStorageError) {
		t.Fatal(err)
	}
	if err := b.try(record.Client, 1000); err != nil {
		t.Fatal(err)
	}
}

// Replicas of what others lead stop at the reserve too, but those of internal topics do not.
func TestReserveOfReplicas(t *testing.T) {
	b := openShort(t, 100_000, 200_000, smallConfig())
	defer b.close()
	if _, err := b.log.AppendReplica(batchOf(t, record.BatchOptions{}, 0, "x")); !isCode(err, kafka.KafkaStorageError) {
		t.Fatal(err)
	}
	for _, topic := range []string{kafka.OffsetsTopic, kafka.TransactionsTopic, kafka.MetadataTopic} {
		l, err := b.dir.Create(kafka.TopicPartition{Topic: topic}, kafka.UUID{1}, smallConfig())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := l.AppendReplica(batchOf(t, record.BatchOptions{}, 0, "x")); err != nil {
			t.Errorf("%s: %v", topic, err)
		}
	}
	b.dir.SetReserve(0)
	if err := b.try(record.Client, 10); err != nil {
		t.Fatalf("without a reserve: %v", err)
	}
}

// What segments reserve ahead never eats the reserve, and is given back when room gets short.
func TestReservedAheadIsGivenBack(t *testing.T) {
	c := smallConfig()
	c.SegmentBytes = 1 << 30
	c.Preallocate = true
	b := openShort(t, 10<<20, 1<<20, c)
	defer b.close()
	if err := b.try(record.Client, 1000); err != nil {
		t.Fatal(err)
	}
	if free, _, _ := b.dir.Space(); free < 9<<20 {
		t.Fatalf("a segment of 1 GiB was reserved on a disk of 10 MiB: %d free", free)
	}
	c.SegmentBytes = 8 << 20 // which would leave just the reserve
	b.log.Configure(c)
	if err := b.try(record.Client, 1000); err != nil {
		t.Fatal(err)
	}
	if free, _, _ := b.dir.Space(); free < 9<<20 {
		t.Fatalf("reserving ahead took nearly all there was to spare: %d free", free)
	}
	c.SegmentBytes = 4 << 20
	b.log.Configure(c)
	if err := b.try(record.Client, 1000); err != nil {
		t.Fatal(err)
	}
	if free, _, _ := b.dir.Space(); free > 7<<20 {
		t.Fatalf("nothing was reserved: %d free", free)
	}
	f, err := b.disk.OpenFile("/others", 0x42, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt(make([]byte, 5<<20+512<<10), 0); err != nil {
		t.Fatal(err)
	}
	if err := b.try(record.Client, 1000); err == nil {
		t.Fatal("taken from the reserve")
	}
	if free, _, _ := b.dir.Space(); free < 4<<20 {
		t.Fatalf("what was reserved was not given back: %d free", free)
	}
	if err := b.try(record.Client, 1000); err != nil {
		t.Fatalf("after the space was given back: %v", err)
	}
}

// TestReallyFullDisk fills the disk to the last byte, without any reserve, while logs roll, checkpoints are written and
// retention runs. Nothing takes the directory offline, what was acknowledged stays, and with room all goes on.
func TestReallyFullDisk(t *testing.T) {
	for seed := range uint64(30) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 4))
			b := openShort(t, 30_000+random.Int64N(30_000), 0, smallConfig())
			var taken []string
			refused := 0
			step := func() {
				switch random.IntN(12) {
				case 0:
					b.clock.Add(120)
					if err := b.dir.Sweep(b.now()); err != nil && !isCode(err, kafka.KafkaStorageError) {
						t.Fatal(err)
					}
				case 1:
					b.dir.flusher.checkpointSoon()
				case 2:
					if err := b.commit(); err != nil {
						t.Fatalf("a full disk failed a commit: %v", err)
					}
				default:
					v := fmt.Sprint(len(taken), strings.Repeat("-", random.IntN(1500)))
					_, err := b.log.Append(batchOf(t, record.BatchOptions{}, testTime.UnixMilli(), v), AppendOptions{Now: b.now()})
					if err == nil {
						taken = append(taken, v)
					} else if refused++; !isCode(err, kafka.KafkaStorageError) {
						t.Fatal(err)
					}
				}
				if err := b.dir.Failed(); err != nil {
					t.Fatalf("offline: %v", err)
				}
			}
			for refused < 20 {
				step()
			}
			b.disk.SetSize(10 << 20)
			for range 20 {
				step()
			}
			if err := b.commit(); err != nil {
				t.Fatal(err)
			}
			for name, disk := range map[string]*vfs.Memory{"as it is": nil, "after a crash": b.disk.Crash(vfs.LoseUnsynced())} {
				l := b.log
				if disk != nil {
					after := open(t, disk, smallConfig())
					defer after.close()
					l = after.log
				}
				batches := checkLog(t, l)
				if len(batches) != len(taken) {
					t.Fatalf("%s: %d batches, %d were taken", name, len(batches), len(taken))
				}
				for i, batch := range batches {
					for r, err := range batch.Records(0) {
						if err != nil || string(r.Value) != taken[i] {
							t.Fatalf("%s: record %d is %.20q, want %.20q; %v", name, i, r.Value, taken[i], err)
						}
					}
				}
			}
			b.close()
		})
	}
}

// TestRetentionOnAFullDisk: retention needs a checkpoint, which needs room that only deletions can make.
func TestRetentionOnAFullDisk(t *testing.T) {
	c := smallConfig()
	c.FileDeleteDelay = time.Hour
	b := openShort(t, 1<<20, 0, c)
	defer b.close()
	for range 60 {
		if err := b.try(record.Client, 500); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.commit(); err != nil {
		t.Fatal(err)
	}
	b.log.SetHighWatermark(b.log.EndOffset())
	if err := errors.Join(b.log.AdvanceStart(20), b.dir.Sweep(b.now())); err != nil {
		t.Fatal(err)
	}
	free, total, _ := b.dir.Space()
	b.disk.SetSize(total - free)
	if err := errors.Join(b.log.AdvanceStart(40), b.dir.Sweep(b.now())); err != nil {
		t.Fatalf("retention on a full disk: %v", err)
	}
	if free, _, _ := b.dir.Space(); free < 5_000 {
		t.Fatalf("%d bytes free", free)
	}
	if err := b.dir.Failed(); err != nil {
		t.Fatal(err)
	}
	b.disk.SetSize(1 << 20)
}

// An index that the disk has no room to sync is no reason to fail: the records are safe, a recovery reads more.
func TestNoRoomToSyncAnIndex(t *testing.T) {
	disk := vfs.NewMemory()
	faulty := vfs.Faulty(disk)
	b := open(t, faulty, smallConfig())
	faulty.Add(vfs.Rule{Op: vfs.OpSync, Path: "*.index", Err: vfs.ErrNoSpace})
	for range 60 {
		b.append(testTime.UnixMilli(), strings.Repeat("x", 100))
	}
	if err := b.commit(); err != nil {
		t.Fatal(err)
	}
	if err := b.dir.Failed(); err != nil {
		t.Fatal(err)
	}
	after := open(t, disk.Crash(vfs.LoseUnsynced()), smallConfig())
	if got := len(checkLog(t, after.log)); got != 60 {
		t.Errorf("%d batches of 60", got)
	}
	after.close()
	faulty.Heal()
	b.close()
}

// A resent batch gets the offsets and the append time of the first time.
func TestResentBatchHasItsAppendTime(t *testing.T) {
	b := open(t, vfs.NewMemory(), smallConfig())
	defer b.close()
	send := func(appendTime int64, sequence int32) Appended {
		o := record.BatchOptions{AppendTime: appendTime, Producer: &record.Producer{ID: 3, Sequence: sequence}}
		return b.appendBatch(batchOf(t, o, 5, "x"), AppendOptions{Now: testTime})
	}
	first := send(1000, 0)
	if again := send(2000, 0); !again.Duplicate || again.BaseOffset != first.BaseOffset || again.AppendTime != 1000 {
		t.Errorf("with LogAppendTime: %+v", again)
	}
	send(0, 1)
	if again := send(0, 1); !again.Duplicate || again.AppendTime != -1 {
		t.Errorf("with CreateTime: %+v", again)
	}
}

func TestSetAside(t *testing.T) {
	disk := vfs.NewMemory()
	b := open(t, disk, smallConfig())
	b.append(0, "kept")
	if err := b.commit(); err != nil {
		t.Fatal(err)
	}
	kept, err := b.dir.SetAside(testPartition)
	if err != nil || !strings.HasSuffix(kept, strayFolderSuffix) {
		t.Fatal(kept, err)
	}
	if err := b.tryAppend("x"); !isCode(err, kafka.NotLeaderOrFollower) {
		t.Errorf("append: %v", err)
	}
	if err := b.dir.Sweep(testTime.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	b.close()
	b = open(t, disk.Crash(vfs.LoseUnsynced()), smallConfig()) // makes the partition anew
	defer b.close()
	if b.log.EndOffset() != 0 {
		t.Error("the stray log is used")
	}
	if _, err := b.fsys.Stat(segmentStem(kept, 0) + logSuffix); err != nil {
		t.Error("the stray log was removed:", err)
	}
}

func (b *testBench) tryAppend(value string) error {
	_, err := b.log.Append(batchOf(b.tb, record.BatchOptions{}, 0, value), AppendOptions{Now: testTime})
	return err
}
