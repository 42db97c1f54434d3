package storagecheck

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ottla/ottla/internal/commitlog"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/vfs"
)

const backupDir = "/lost+data"

func repair(t *testing.T, disk vfs.FS) *Plan {
	t.Helper()
	p, err := NewPlan(t.Context(), disk, testDir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if err := p.Run(backupDir); err != nil {
		t.Fatal(err)
	}
	return p
}

// batchesOf reads a log as consumers do, batch by batch.
func batchesOf(t *testing.T, l *commitlog.Log) map[int64]string {
	t.Helper()
	all := map[int64]string{}
	for offset := l.StartOffset(); offset < l.EndOffset(); {
		span, err := l.Find(offset, 1<<20, l.EndOffset(), true)
		if err != nil || span.Size == 0 {
			t.Fatalf("read at %d: %d bytes, %v", offset, span.Size, err)
		}
		b := make([]byte, span.Size)
		if _, err := span.ReadAt(b); err != nil {
			t.Fatal(err)
		}
		span.Release()
		for batch, err := range record.Batches(b) {
			if err == nil {
				err = errors.Join(batch.CheckCRC(), batch.CheckRecords(0))
			}
			if err != nil {
				t.Fatal(err)
			}
			if batch.Count() > 0 {
				all[batch.BaseOffset()] = string(batch)
			}
			offset = batch.LastOffset() + 1
		}
	}
	return all
}

// TestRepair damages a log and repairs it: what was readable is, the rest is in the backup, no offset is given twice, the
// log takes appends, and nothing is left to repair.
func TestRepair(t *testing.T) {
	segments := segmentsOf(t, written(t))
	first, second, last := segments[0], segments[1], segments[len(segments)-1]
	base, _, _ := parseOffsetName(second)
	lastBase, _, _ := parseOffsetName(last)
	third, _, _ := parseOffsetName(segments[2])
	const end = 132
	lowPoint := func(t *testing.T, disk *vfs.Memory) {
		unclean(t, disk)
		for _, name := range []string{recoveryPointFile, highWatermarkFile} {
			write(t, disk, filepath.Join(testDir, name), fmt.Appendf(nil, "0\n1\norders 3 %d\n", lastBase))
		}
	}
	for _, c := range []struct {
		name       string
		damage     func(t *testing.T, disk *vfs.Memory)
		start      int64 // of the log after the repair
		from, next int64 // offsets that are lost
	}{
		{"bit in the middle", changing(in(second), flip(80)), 0, base, base + 2},
		{"bit that makes a base offset larger", changing(in(last), flip(6)), 0, lastBase, lastBase + 1},
		{"bit in the last batch of a closed segment", changing(in(second), flip(-1)), 0, third - 2, third},
		{"bit in the last batch", changing(in(last), flip(-1)), 0, end - 1, end},
		{"end torn off below the recovery point", changing(in(last), func(b []byte) []byte { return b[:len(b)-7] }), 0, end - 1, end},
		{"last segment emptied", changing(in(last), func([]byte) []byte { return nil }), 0, lastBase, end},
		{"zeros over several batches", changing(in(first), func(b []byte) []byte { clear(b[200:900]); return b }), 0, 0, 0},
		{"segment gone", removing(in(second)), 0, base, third},
		{"first segment gone", removing(in(first)), base, 0, base},
		{"all segments gone", func(t *testing.T, disk *vfs.Memory) {
			for _, name := range segments {
				removing(in(name))(t, disk)
			}
		}, 0, 0, end},
		{"transaction index", changingTxn(flip(-1)), 0, 0, 0},
		{"epochs", changing(in(leaderEpochFile), func([]byte) []byte { return []byte("0\n1\n0 0\n") }), 0, 0, 0},
		{"snapshot", changing(in(strings.TrimSuffix(second, logSuffix)+snapshotSuffix), otherSnapshot), 0, 0, 0},
		{"time index", changing(in(strings.TrimSuffix(second, logSuffix)+timeIndexSuffix), func(b []byte) []byte { return b[:len(b)-12] }), 0, 0, 0},
		{"two places", func(t *testing.T, disk *vfs.Memory) {
			changing(in(second), flip(80))(t, disk)
			changing(in(second), flip(400))(t, disk)
			changing(in(last), flip(80))(t, disk)
		}, 0, 0, 0},
		{"unclean, below the recovery point", func(t *testing.T, disk *vfs.Memory) {
			unclean(t, disk)
			changing(in(last), flip(8))(t, disk)
		}, 0, lastBase, lastBase + 2},
		{"unclean, whole batches behind a damaged one", func(t *testing.T, disk *vfs.Memory) {
			lowPoint(t, disk)
			changing(in(last), flip(80))(t, disk)
		}, 0, lastBase, lastBase + 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			disk := written(t)
			d := openDir(t, disk)
			before := batchesOf(t, d.Log(orders))
			producers := d.Log(orders).Producers()
			closeDir(t, d)
			c.damage(t, disk)
			if found := verify(t, disk); !found.Losing() {
				t.Fatalf("findings %v", found.Findings)
			}
			plan := repair(t, disk)
			for _, s := range plan.Steps {
				t.Log(s.File, s.Action, s.FirstOffset, s.LastOffset)
			}
			for _, f := range verify(t, disk).Findings {
				if f.Severity >= Damaged {
					t.Errorf("after the repair: %s", f.String())
				}
			}
			d = openDir(t, disk)
			l := d.Log(orders)
			if l.StartOffset() != c.start || l.EndOffset() != end {
				t.Fatalf("log has offsets %d to %d", l.StartOffset(), l.EndOffset())
			}
			after := batchesOf(t, l)
			lost := 0
			for offset, b := range before {
				switch a, there := after[offset]; {
				case !there && c.from == 0 && c.next == 0 && plan.loses(offset), !there && offset >= c.from && offset < c.next:
					lost++
				case a != b:
					t.Errorf("batch at %d is missing or changed", offset)
				}
			}
			if c.next > c.from && lost == 0 || len(after)+lost != len(before) {
				t.Errorf("%d batches before, %d after, %d lost", len(before), len(after), lost)
			}
			if lost == 0 && fmt.Sprint(l.Producers()) != fmt.Sprint(producers) {
				t.Errorf("producers %v, before %v", l.Producers(), producers)
			}
			b := record.NewBuilder(record.BatchOptions{})
			b.Add(testTime.UnixMilli(), nil, []byte("goes on"))
			batch, _ := b.Build()
			if a, err := l.Append(batch, commitlog.AppendOptions{LeaderEpoch: 3, Now: testTime}); err != nil || a.BaseOffset != end {
				t.Fatalf("append: %+v, %v", a, err)
			}
			closeDir(t, d)
			if r := verify(t, disk); r.Losing() {
				t.Errorf("after the restart: %v", r.Findings)
			}
		})
	}
}

// loses reports whether a step says that an offset is lost.
func (p *Plan) loses(offset int64) bool {
	for _, s := range p.Steps {
		if s.FirstOffset != None && offset >= s.FirstOffset && offset <= s.LastOffset {
			return true
		}
	}
	return false
}

// TestRepairKeepsWhatItTakes: the backup has the very bytes.
func TestRepairKeepsWhatItTakes(t *testing.T) {
	disk := written(t)
	second := segmentsOf(t, disk)[1]
	damaged := flip(80)(contentOf(t, disk, in(second)))
	write(t, disk, in(second), damaged)
	index := contentOf(t, disk, in(strings.TrimSuffix(second, logSuffix)+offsetIndexSuffix))
	plan := repair(t, disk)
	var saved *Saved
	for _, s := range plan.Steps {
		if strings.HasSuffix(s.File, logSuffix) {
			saved = &s.Saved[0]
		}
	}
	if saved == nil {
		t.Fatalf("steps %+v", plan.Steps)
	}
	if got := contentOf(t, disk, filepath.Join(backupDir, saved.As)); !bytes.Equal(got, damaged[saved.Position:saved.Position+saved.Bytes]) {
		t.Error("the damaged batch is not in the backup")
	}
	if got := contentOf(t, disk, filepath.Join(backupDir, orders.String(), strings.TrimSuffix(second, logSuffix)+offsetIndexSuffix)); !bytes.Equal(got, index) {
		t.Error("the index is not in the backup")
	}
	manifest := string(contentOf(t, disk, filepath.Join(backupDir, "manifest.json")))
	if !strings.Contains(manifest, saved.As) || !strings.Contains(manifest, `"firstOffset": 28`) {
		t.Errorf("manifest %s", manifest)
	}
}

// TestRepairSurvivesCrashes cuts the power before each operation of a repair: another repair then finishes it, and what was
// readable stays so.
func TestRepairSurvivesCrashes(t *testing.T) {
	damaged := written(t)
	segments := segmentsOf(t, damaged)
	changing(in(segments[1]), flip(80))(t, damaged)
	changing(in(segments[2]), flip(-1))(t, damaged)
	changingTxn(flip(-1))(t, damaged)
	damaged = damaged.Crash(vfs.KeepUnsynced())
	want := ""
	for n, done := 1, false; !done; n++ {
		if n > 500 {
			t.Fatal("the repair does not end")
		}
		disk := damaged.Crash(vfs.KeepUnsynced())
		p, err := NewPlan(t.Context(), disk, testDir, Options{})
		if err != nil {
			t.Fatal(err)
		}
		p.fsys = &countdown{FS: disk, left: n}
		done = p.Run(backupDir) == nil
		p.Close()
		for seed := range uint64(3) {
			after := disk.Crash([]vfs.Loss{vfs.LoseUnsynced(), vfs.KeepUnsynced(), vfs.KeepSome(uint64(n), 512)}[seed])
			repair(t, after)
			d := openDir(t, after)
			got := fmt.Sprint(batchesOf(t, d.Log(orders)))
			closeDir(t, d)
			if want == "" {
				want = got
			}
			if got != want {
				t.Fatalf("after a crash before operation %d the log is another", n)
			}
		}
	}
}
