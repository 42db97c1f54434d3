package storagecheck

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ottla/ottla/internal/commitlog"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/vfs"
)

// journalBench is a directory whose small appends go through a redo journal.
type journalBench struct {
	t      *testing.T
	disk   *vfs.Memory
	dir    *commitlog.Dir
	logs   []*commitlog.Log
	told   chan struct{}
	serial int
}

func openJournaled(t *testing.T, disk *vfs.Memory) *journalBench {
	t.Helper()
	config := logConfig()
	config.SegmentBytes = 6000
	d, err := commitlog.Open(disk, testDir, commitlog.Options{Config: func(string) commitlog.Config { return config }, Now: func() time.Time { return testTime },
		ClusterID: "cluster", CheckpointInterval: time.Hour, JournalBytes: 2 * 12 * journalBlock})
	if err != nil {
		t.Fatal(err)
	}
	b := &journalBench{t: t, disk: disk, dir: d, told: make(chan struct{}, 1)}
	for p := range int32(3) {
		l, err := d.Create(kafka.TopicPartition{Topic: "orders", Partition: p}, kafka.UUID{7}, config)
		if err != nil {
			t.Fatal(err)
		}
		l.OnStable(func(_ int64, err error) {
			if err != nil {
				t.Error(err)
			}
			select {
			case b.told <- struct{}{}:
			default:
			}
		})
		b.logs = append(b.logs, l)
	}
	return b
}

func (b *journalBench) append(p int) {
	b.t.Helper()
	b.serial++
	builder := record.NewBuilder(record.BatchOptions{})
	builder.Add(testTime.UnixMilli(), nil, fmt.Appendf(nil, "value %d", b.serial))
	batch, err := builder.Build()
	if err == nil {
		_, err = b.logs[p].Append(batch, commitlog.AppendOptions{Now: testTime})
	}
	if err != nil {
		b.t.Fatal(err)
	}
}

// commit waits until all that was appended is stable.
func (b *journalBench) commit() {
	b.t.Helper()
	for _, l := range b.logs {
		l.Commit(l.EndOffset())
	}
	for _, l := range b.logs {
		for l.StableOffset() < l.EndOffset() {
			select {
			case <-b.told:
			case <-time.After(time.Minute):
				b.t.Fatal("nothing becomes stable")
			}
		}
	}
}

// fillFrames appends until the journal has that many frames that a redo needs.
func (b *journalBench) fillFrames(frames int) {
	b.t.Helper()
	for deadline := time.Now().Add(time.Minute); ; {
		b.append(b.serial % len(b.logs))
		b.append((b.serial + b.serial/5) % len(b.logs))
		b.commit()
		j, err := openJournal(b.disk, testDir)
		if err != nil {
			b.t.Fatal(err)
		}
		n := 0
		if j != nil {
			n = len(j.frames)
			j.close()
		}
		if n >= frames {
			return
		}
		if time.Now().After(deadline) {
			b.t.Fatalf("the journal has %d frames", n)
		}
	}
}

// stables is where each log is acknowledged to.
func (b *journalBench) stables() (all []int64) {
	for _, l := range b.logs {
		all = append(all, l.StableOffset())
	}
	return all
}

// kept reports what a start on a disk makes of it: the text of what is missing below the offsets, "" if nothing is.
func kept(t *testing.T, disk *vfs.Memory, stables []int64) string {
	t.Helper()
	b := openJournaled(t, disk)
	defer closeDir(t, b.dir)
	for p, l := range b.logs {
		if d, any := l.Damage(); any && (d.Refuses || d.Corrupt != nil) {
			return d.String()
		}
		if l.EndOffset() < stables[p] {
			return fmt.Sprintf("partition %d ends at %d, was acknowledged to %d", p, l.EndOffset(), stables[p])
		}
		if got := len(batchesOf(t, l)); int64(got) != l.EndOffset() {
			return fmt.Sprintf("partition %d has %d batches of %d", p, got, l.EndOffset())
		}
	}
	return ""
}

// journalImage is what a power failure leaves when segments lack what the journal has.
func journalImage(t *testing.T, frames int) (*vfs.Memory, []int64) {
	t.Helper()
	b := openJournaled(t, vfs.NewMemory())
	b.fillFrames(frames)
	image, stables := b.disk.Crash(vfs.LoseUnsynced()), b.stables()
	closeDir(t, b.dir)
	return image, stables
}

func TestJournalIsRead(t *testing.T) {
	image, stables := journalImage(t, 6)
	r := verify(t, image)
	missing := int64(0)
	for _, f := range r.Findings {
		t.Log(f.String())
		if strings.Contains(f.Problem, "in the redo journal only") {
			missing += f.Offsets()
		}
	}
	sum := int64(0)
	for _, s := range stables {
		sum += s
	}
	if r.Losing() || r.Records != sum || missing < 6 {
		t.Errorf("%d records of %d, %d of them in the journal only; findings %v", r.Records, sum, missing, r.Findings)
	}
	if before := fmt.Sprint(r); fmt.Sprint(verify(t, image)) != before {
		t.Error("checking changes something")
	}
	if problem := kept(t, image.Crash(vfs.KeepUnsynced()), stables); problem != "" {
		t.Error(problem)
	}
}

// TestPlainCrashesAreNoDamage cuts the power at random moments of work with a journal: no verification may speak of damage, and
// what it says there is must be what a start then finds.
func TestPlainCrashesAreNoDamage(t *testing.T) {
	for seed := range uint64(6) {
		t.Run(fmt.Sprint("seed=", seed), func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(seed, 1))
			b := openJournaled(t, vfs.NewMemory())
			defer closeDir(t, b.dir)
			crash := func() {
				stables := b.stables()
				loss := []vfs.Loss{vfs.LoseUnsynced(), vfs.KeepUnsynced(), vfs.KeepSome(random.Uint64(), 0), vfs.KeepSome(random.Uint64(), 512), vfs.KeepSome(random.Uint64(), 4096)}[random.IntN(5)]
				disk := b.disk.Crash(loss)
				r := verify(t, disk)
				if r.Losing() {
					for _, f := range r.Findings {
						t.Error(f.String())
					}
				}
				if problem := kept(t, disk, stables); problem != "" {
					t.Error(problem)
				}
			}
			for range 250 {
				switch n := random.IntN(100); {
				case n < 60:
					b.append(random.IntN(len(b.logs)))
				case n < 80:
					b.commit()
				case n < 83:
					l := b.logs[random.IntN(len(b.logs))]
					if err := l.TruncateTo(max(0, l.EndOffset()-random.Int64N(4))); err != nil {
						t.Fatal(err)
					}
				default:
					crash()
				}
				if t.Failed() {
					return
				}
			}
		})
	}
}

// TestFlippedBitsOfAJournal flips one bit in each byte of a small journal after a power failure. Nothing may be called fine of which
// something acknowledged is gone; a flipped bit in a frame that a redo needs is named; and after a repair nothing readable is gone.
func TestFlippedBitsOfAJournal(t *testing.T) {
	image, stables := journalImage(t, 5)
	j, err := openJournal(image, testDir)
	if err != nil || j == nil {
		t.Fatal(err)
	}
	defer j.close()
	named, random := 0, rand.New(rand.NewPCG(3, 4))
	for i := range j.files {
		path := filepath.Join(testDir, journalName(i))
		if j.files[i] == nil {
			continue
		}
		for at, x := range contentOf(t, image, path) {
			if x == 0 && at%64 != 0 {
				continue // room that was not used yet
			}
			bit := byte(1) << random.IntN(8)
			disk := image.Crash(vfs.KeepUnsynced())
			change(t, disk, path, func(b []byte) []byte { b[at] ^= bit; return b })
			r := verify(t, disk)
			at := int64(at)
			needed := slices.ContainsFunc(j.frames, func(f frame) bool { return f.file == i && at >= f.position && at < f.position+int64(f.length) })
			found := slices.ContainsFunc(r.Findings, func(f Finding) bool {
				return f.File == journalName(i) && f.Position == at && strings.Contains(f.Problem, "is flipped in frame")
			})
			if needed != found {
				t.Fatalf("bit %#02x of byte %d of %s: needed %v, named %v: %v", bit, at, path, needed, found, r.Findings)
			}
			if found {
				named++
			}
			problem := kept(t, disk.Crash(vfs.KeepUnsynced()), stables)
			if r.Losing() || problem != "" {
				t.Fatalf("bit %#02x of byte %d of %s: a start says %q; findings %v", bit, at, path, problem, r.Findings)
			}
		}
	}
	t.Logf("%d flips are named", named)
}

// TestDamagedJournal destroys each acknowledged frame but the last: it is named with what it held, and no torn tail.
func TestDamagedJournal(t *testing.T) {
	image, stables := journalImage(t, 5)
	j, err := openJournal(image, testDir)
	if err != nil {
		t.Fatal(err)
	}
	defer j.close()
	for n, f := range j.frames {
		disk := image.Crash(vfs.KeepUnsynced())
		change(t, disk, filepath.Join(testDir, journalName(f.file)), func(b []byte) []byte {
			b[f.position+int64(f.length)-3] ^= 0x41
			b[f.position+int64(f.length)-9] ^= 0x41
			return b
		})
		r := verify(t, disk)
		if n == len(j.frames)-1 {
			if r.Losing() || r.BySeverity[Leftover] == 0 {
				t.Errorf("the last frame, torn: %v", r.Findings)
			}
			continue
		}
		named := slices.ContainsFunc(r.Findings, func(x Finding) bool {
			return x.Severity == Damaged && x.File == journalName(f.file) && x.Position > f.position && strings.HasPrefix(x.Partition, "orders-") && x.FirstOffset >= 0 && strings.Contains(x.Problem, "for segment 0000")
		})
		if !r.Losing() || !named {
			t.Fatalf("frame %d: %v", n, r.Findings)
		}
		before := kept(t, disk.Crash(vfs.KeepUnsynced()), stables)
		repair(t, disk)
		if r := verify(t, disk); r.Losing() || r.BySeverity[Rebuilt] > 0 {
			t.Fatalf("frame %d: after the repair %v", n, r.Findings)
		}
		if before == "" && kept(t, disk, stables) != "" {
			t.Errorf("frame %d: the repair loses more than a start", n)
		}
	}
}

// TestRepairRedoesTheJournal: a repair of something else first does what a start would have done with the journal, and a crash in
// its middle leaves a directory that another repair finishes.
func TestRepairRedoesTheJournal(t *testing.T) {
	image, stables := journalImage(t, 6)
	change(t, image, filepath.Join(testDir, "orders-1", offsetName(0)+logSuffix), flip(80))
	image = image.Crash(vfs.KeepUnsynced())
	content := func(disk *vfs.Memory) string {
		b := openJournaled(t, disk)
		defer closeDir(t, b.dir)
		all := ""
		for p, l := range b.logs {
			batches := batchesOf(t, l)
			if l.EndOffset() < stables[p] || int64(len(batches)) < l.EndOffset()-1 {
				t.Errorf("partition %d has %d batches up to %d, acknowledged was %d", p, len(batches), l.EndOffset(), stables[p])
			}
			for _, offset := range slices.Sorted(maps.Keys(batches)) {
				all += batches[offset]
			}
		}
		return all
	}
	want := ""
	for n, done := 1, false; !done; n++ {
		disk := image.Crash(vfs.KeepUnsynced())
		p, err := NewPlan(t.Context(), disk, testDir, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if n == 1 {
			for _, s := range p.Steps {
				t.Log(s.File, s.Action, s.FirstOffset, s.LastOffset)
			}
		}
		p.fsys = &countdown{FS: disk, left: n}
		err = p.Run(backupDir)
		if done = err == nil; !done && !errors.Is(err, errPower) {
			t.Fatal(err)
		}
		p.Close()
		for _, loss := range []vfs.Loss{vfs.LoseUnsynced(), vfs.KeepUnsynced(), vfs.KeepSome(uint64(n), 512)}[n%3 : n%3+1] {
			after := disk.Crash(loss)
			repair(t, after)
			if r := verify(t, after); r.Losing() {
				t.Fatalf("after a crash before operation %d and another repair: %v", n, r.Findings)
			}
			got := content(after)
			if want == "" {
				want = got
			}
			if got != want || t.Failed() {
				t.Fatalf("after a crash before operation %d the logs are others", n)
			}
		}
	}
	if bytes.Count([]byte(want), []byte("value ")) < 10 {
		t.Errorf("content %q", want)
	}
}
