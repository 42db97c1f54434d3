package storagecheck

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ottla/ottla/internal/vfs"
)

func TestUndamagedDirectoryHasNoFindings(t *testing.T) {
	disk := written(t)
	r := verify(t, disk)
	for _, f := range r.Findings {
		t.Error(f.String())
	}
	if !r.Clean || r.Partitions != 1 || r.Segments < 4 || r.Batches != 72 || r.Records != 132 || r.Identity.ClusterID != "cluster" {
		t.Errorf("%+v", *r)
	}
	unclean(t, disk)
	if r := verify(t, disk); r.Clean || len(r.Findings) > 0 {
		t.Errorf("without the mark of a clean stop: %v", r.Findings)
	}
}

func TestDirectoryInUseIsRefused(t *testing.T) {
	disk := written(t)
	d := openDir(t, disk)
	defer d.Close()
	if _, err := Check(t.Context(), disk, testDir, Options{}); !errors.Is(err, vfs.ErrLocked) {
		t.Fatalf("check of an open directory: %v", err)
	}
}

// want is what a damage must be called.
type want struct {
	severity    Severity
	file        string
	first, last int64
	text        string
}

// TestDamageIsFound damages a directory in one way each, and wants that found, and nothing worse.
func TestDamageIsFound(t *testing.T) {
	segments := segmentsOf(t, written(t))
	second, last := segments[1], segments[len(segments)-1]
	stem := strings.TrimSuffix(second, logSuffix)
	base, _, _ := parseOffsetName(second)
	lastBase, _, _ := parseOffsetName(last)
	end := int64(132)
	name := func(file string) string { return filepath.Join(orders.String(), file) }
	for _, c := range []struct {
		name   string
		damage func(t *testing.T, disk *vfs.Memory)
		want   want
	}{
		{"bit in a record", changing(in(second), flip(80)), want{Damaged, name(second), base, base + 1, "stored crc"}},
		{"bit in a length", changing(in(second), flip(10)), want{Damaged, name(second), base, base + 1, "but the file ends"}},
		{"bit that makes a base offset larger", changing(in(last), flip(6)), want{Damaged, name(last), lastBase, lastBase, "but the next one begins at"}},
		{"bit in a base offset", changing(in(second), flip(1)), want{Damaged, name(second), base, base + 1, "offset"}},
		{"magic", changing(in(second), flip(16)), want{Damaged, name(second), base, base + 1, "magic"}},
		{"zeros in the middle", changing(in(second), func(b []byte) []byte { clear(b[300:800]); return b }), want{Damaged, name(second), 0, 0, "no whole batch"}},
		{"last batch torn", changing(in(last), func(b []byte) []byte { return b[:len(b)-7] }), want{Damaged, name(last), end - 1, end - 1, "no whole batch"}},
		{"end of the last segment gone", changing(in(last), func(b []byte) []byte { return nil }), want{Lost, name(last), 0, end - 1, "recovery point is 132"}},
		{"garbage behind the end", changing(in(last), func(b []byte) []byte { return append(b, "half a batch"...) }), want{Rebuilt, name(last), None, None, "12 bytes"}},
		{"segment gone", removing(in(second)), want{Lost, name(segments[2]), base, 0, "no batch has these offsets"}},
		{"first segment gone", removing(in(segments[0])), want{Lost, name(second), 0, base - 1, "no batch has these offsets"}},
		{"index flipped", changing(in(stem+offsetIndexSuffix), flip(7)), want{Rebuilt, name(stem + offsetIndexSuffix), None, None, "no batch ends"}},
		{"index descends", changing(in(stem+offsetIndexSuffix), swapped(8)), want{Rebuilt, name(stem + offsetIndexSuffix), None, None, "no batch ends"}},
		{"index cut inside an entry", changing(in(stem+offsetIndexSuffix), func(b []byte) []byte { return b[:len(b)-3] }), want{Rebuilt, name(stem + offsetIndexSuffix), None, None, "no multiple"}},
		{"index padded", changing(in(stem+offsetIndexSuffix), func(b []byte) []byte { return append(b, make([]byte, 800)...) }), want{Rebuilt, name(stem + offsetIndexSuffix), None, None, "zeros"}},
		{"index gone", removing(in(stem + offsetIndexSuffix)), want{Rebuilt, name(stem + offsetIndexSuffix), None, None, "missing"}},
		{"time index flipped", changing(in(stem+timeIndexSuffix), flip(7)), want{Rebuilt, name(stem + timeIndexSuffix), None, None, "largest so far"}},
		{"time index shortened", changing(in(stem+timeIndexSuffix), func(b []byte) []byte { return b[:len(b)-12] }), want{Damaged, name(stem + timeIndexSuffix), None, None, "last entry has timestamp"}},
		{"transaction index flipped", changingTxn(flip(-1)), want{Damaged, "", None, None, "the log says"}},
		{"transaction index emptied", changingTxn(func([]byte) []byte { return nil }), want{Damaged, "", None, None, "lacks the aborted transaction"}},
		{"transaction index garbled", changingTxn(flip(1)), want{Rebuilt, "", None, None, "version"}},
		{"transaction index of another", changingTxn(flip(9)), want{Damaged, "", None, None, "the log says"}},
		{"snapshot flipped", changing(in(stem+snapshotSuffix), flip(20)), want{Rebuilt, name(stem + snapshotSuffix), None, None, "crc"}},
		{"snapshot of another log", changing(in(stem+snapshotSuffix), otherSnapshot), want{Damaged, name(stem + snapshotSuffix), base, base, "the batches say"}},
		{"epochs garbled", changing(in(leaderEpochFile), func(b []byte) []byte { return b[:bytes.LastIndexByte(bytes.TrimRight(b, " \t\n"), ' ')] }), want{Rebuilt, name(leaderEpochFile), None, None, "want epoch and offset"}},
		{"epochs flipped", changing(in(leaderEpochFile), flip(6)), want{Rebuilt, name(leaderEpochFile), None, None, "checksum"}},
		{"cut by a recovery", func(t *testing.T, disk *vfs.Memory) { write(t, disk, in(stem+logSuffix+".cut-7"), []byte("x")) }, want{Leftover, name(stem + logSuffix + ".cut-7"), None, None, "recovery cut"}},
		{"epochs wrong", changing(in(leaderEpochFile), func([]byte) []byte { return []byte("0\n2\n0 0\n2 50\n") }), want{Damaged, name(leaderEpochFile), 44, 45, "epoch 0 at offset 44"}},
		{"epochs gone", removing(in(leaderEpochFile)), want{Damaged, name(leaderEpochFile), 0, 1, "epoch -1"}},
		{"partition.metadata gone", removing(in(partitionFile)), want{Rebuilt, name(partitionFile), None, None, "missing"}},
		{"partition.metadata garbled", changing(in(partitionFile), func([]byte) []byte { return []byte("version: 0\ntopic_id: x\n") }), want{Rebuilt, name(partitionFile), None, None, "UUID"}},
		{"meta.properties gone", removing(filepath.Join(testDir, metaFile)), want{Damaged, metaFile, None, None, "missing"}},
		{"meta.properties garbled", changing(filepath.Join(testDir, metaFile), func([]byte) []byte { return []byte("version=7\n") }), want{Damaged, metaFile, None, None, "version"}},
		{"recovery points garbled", changing(filepath.Join(testDir, recoveryPointFile), func([]byte) []byte { return []byte("0\n7\n") }), want{Rebuilt, recoveryPointFile, None, None, "says 7"}},
		{"entry of nobody", changing(filepath.Join(testDir, highWatermarkFile), func([]byte) []byte { return []byte("0\n2\nother 1 5\norders 3 132\n") }), want{Leftover, highWatermarkFile, None, None, "not here"}},
		{"high watermark beyond the end", changing(filepath.Join(testDir, highWatermarkFile), func([]byte) []byte { return []byte("0\n1\norders 3 140\n") }), want{Lost, name(last), end, 139, "high watermark is 140"}},
		{"leftover", func(t *testing.T, disk *vfs.Memory) { write(t, disk, in(second+cleanedSuffix), []byte("x")) }, want{Leftover, name(second + cleanedSuffix), None, None, "compaction"}},
		{"stranger", func(t *testing.T, disk *vfs.Memory) { write(t, disk, in("notes.txt"), []byte("x")) }, want{Leftover, name("notes.txt"), None, None, "such a name"}},
		{"deleted folder", func(t *testing.T, disk *vfs.Memory) {
			_ = disk.MkdirAll(filepath.Join(testDir, "old-0.0123456789abcdef0123456789abcdef-delete"), 0o755)
		}, want{Leftover, "old-0.0123456789abcdef0123456789abcdef-delete", None, None, "deleted partition"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			disk := written(t)
			c.damage(t, disk)
			r := verify(t, disk)
			var found *Finding
			for i, f := range r.Findings {
				if f.Severity > c.want.severity {
					t.Errorf("worse than expected: %s", f.String())
				}
				if f.Severity == c.want.severity && strings.Contains(f.Problem, c.want.text) && found == nil {
					found = &r.Findings[i]
				}
			}
			switch {
			case found == nil:
				t.Fatalf("findings are %v", r.Findings)
			case c.want.file != "" && found.File != c.want.file:
				t.Errorf("file is %s, want %s", found.File, c.want.file)
			case c.want.first > 0 && found.FirstOffset != c.want.first || c.want.last > 0 && found.LastOffset != c.want.last:
				t.Errorf("offsets %d to %d, want %d to %d", found.FirstOffset, found.LastOffset, c.want.first, c.want.last)
			}
			if r.Losing() != (c.want.severity >= Damaged) {
				t.Errorf("losing: %v", r.Losing())
			}
			t.Log(found.String())
		})
	}
}

func changing(path string, f func([]byte) []byte) func(*testing.T, *vfs.Memory) {
	return func(t *testing.T, disk *vfs.Memory) { change(t, disk, path, f) }
}

func removing(path string) func(*testing.T, *vfs.Memory) {
	return func(t *testing.T, disk *vfs.Memory) {
		if err := disk.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
}

// changingTxn changes the first transaction index that has entries.
func changingTxn(f func([]byte) []byte) func(*testing.T, *vfs.Memory) {
	return func(t *testing.T, disk *vfs.Memory) {
		for _, segment := range segmentsOf(t, disk) {
			path := in(strings.TrimSuffix(segment, logSuffix) + txnIndexSuffix)
			if info, err := disk.Stat(path); err == nil && info.Size() > 0 {
				change(t, disk, path, f)
				return
			}
		}
		t.Fatal("there is no transaction index")
	}
}

// swapped exchanges the first two entries.
func swapped(width int) func([]byte) []byte {
	return func(b []byte) []byte {
		return slices.Concat(b[width:2*width], b[:width], b[2*width:])
	}
}

// otherSnapshot changes a producer's last sequence, and makes the checksum right.
func otherSnapshot(b []byte) []byte {
	b[snapshotHead+13]++
	binary.BigEndian.PutUint32(b[2:], crc32.Checksum(b[6:], crc32.MakeTable(crc32.Castagnoli)))
	return b
}

// TestUncleanTail: what lies above the recovery point is cut by the next start; that is worth an alarm only if whole
// batches go with it.
func TestUncleanTail(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func([]byte) []byte
		want   Severity
	}{
		{"torn", func(b []byte) []byte { return b[:len(b)-7] }, Rebuilt},
		{"hole", flip(80), Damaged},
	} {
		t.Run(c.name, func(t *testing.T) {
			disk := written(t)
			unclean(t, disk)
			segments := segmentsOf(t, disk)
			last := segments[len(segments)-1]
			base, _, _ := parseOffsetName(last)
			write(t, disk, filepath.Join(testDir, recoveryPointFile), fmt.Appendf(nil, "0\n1\norders 3 %d\n", base))
			write(t, disk, filepath.Join(testDir, highWatermarkFile), fmt.Appendf(nil, "0\n1\norders 3 %d\n", base))
			change(t, disk, in(last), c.change)
			r := verify(t, disk)
			if len(r.Findings) != 1 || r.Findings[0].Severity != c.want || r.Clean {
				t.Fatalf("findings %v", r.Findings)
			}
		})
	}
}

// TestManyFindingsAreBounded: a file of nothing but damage costs bounded memory and a line that says how much there is.
func TestManyFindingsAreBounded(t *testing.T) {
	disk := written(t)
	for i := range 3 * maxFindings {
		write(t, disk, in(fmt.Sprint("stranger-", i)), nil)
	}
	r := verify(t, disk)
	if n := len(r.Findings); n != maxFindings+1 || r.BySeverity[Leftover] != 3*maxFindings || !strings.Contains(r.Findings[n-1].Problem, "200 more") {
		t.Fatalf("%d findings: %v", n, r.BySeverity)
	}
}
