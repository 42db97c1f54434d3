package commitlog

import (
	"slices"
	"strings"
	"testing"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/vfs"
)

// writeJournal makes the files of a journal of blocks: each frame lies where its head says.
func writeJournal(t *testing.T, disk vfs.FS, frames ...frameHead) {
	t.Helper()
	if err := disk.MkdirAll(testDir, 0o755); err != nil {
		t.Fatal(err)
	}
	files := [2][]byte{make([]byte, 64*journalBlock), make([]byte, 64*journalBlock)}
	for i := range files {
		for at := 0; at < journalHeads; at += journalBlock {
			putHead(files[i][at:], testJournalID)
		}
	}
	for _, h := range frames {
		copy(files[fileOf(h.generation)][h.position:], testFrame(h, journalEntry{tp: testPartition, first: int64(h.sequence), next: int64(h.sequence) + 1, length: 1}))
	}
	for i := range files {
		if err := writeFile(disk, journalName(testDir, i), files[i], true); err != nil {
			t.Fatal(err)
		}
	}
}

// at is a frame at a block after the heads.
func frameAt(generation, sequence, oldest uint64, block int64) frameHead {
	return frameHead{generation: generation, sequence: sequence, oldest: oldest, position: journalHeads + block*journalBlock}
}

func TestJournalScan(t *testing.T) {
	for name, c := range map[string]struct {
		frames  []frameHead
		change  func(t *testing.T, disk vfs.FS)
		found   []uint64 // sequences
		suspect int
		damage  string
	}{
		"empty": {},
		"one generation": {
			frames: []frameHead{frameAt(1, 1, 1, 0), frameAt(1, 2, 1, 1), frameAt(1, 3, 1, 2)}, found: []uint64{1, 2, 3},
		},
		"two generations": {
			frames: []frameHead{frameAt(1, 1, 1, 0), frameAt(1, 2, 1, 1), frameAt(2, 3, 1, 0)}, found: []uint64{1, 2, 3},
		},
		"the first is retired": {
			frames: []frameHead{frameAt(1, 1, 1, 0), frameAt(1, 2, 1, 1), frameAt(2, 3, 1, 0), frameAt(2, 4, 2, 1)}, found: []uint64{3, 4},
		},
		"the first file is in use again": {
			frames: []frameHead{frameAt(3, 5, 2, 0), frameAt(1, 2, 1, 1), frameAt(2, 3, 1, 0), frameAt(2, 4, 2, 1)}, found: []uint64{3, 4, 5},
		},
		"the first frame of a file that is in use again is torn": {
			frames: []frameHead{frameAt(1, 2, 1, 1), frameAt(2, 3, 1, 0), frameAt(2, 4, 2, 1)}, found: []uint64{3, 4},
		},
		"the last frame is torn": {
			frames: []frameHead{frameAt(1, 1, 1, 0), frameAt(1, 2, 1, 1)}, found: []uint64{1},
			change: func(t *testing.T, disk vfs.FS) {
				damage(t, disk, journalName(testDir, 0), journalHeads+journalBlock+70)
			},
		},
		"a frame between is damaged": {
			frames: []frameHead{frameAt(1, 1, 1, 0), frameAt(1, 2, 1, 1), frameAt(1, 3, 1, 2)}, found: []uint64{1, 3}, suspect: 1,
			change: func(t *testing.T, disk vfs.FS) {
				damage(t, disk, journalName(testDir, 0), journalHeads+journalBlock+70)
			},
			damage: "redo-journal-0 at position 12288",
		},
		"the first frame is damaged": {
			frames: []frameHead{frameAt(1, 1, 1, 0), frameAt(1, 2, 1, 1)}, found: []uint64{2}, damage: "redo-journal-0 at position 8192",
			change: func(t *testing.T, disk vfs.FS) { damage(t, disk, journalName(testDir, 0), journalHeads) },
		},
		"the last frame of the generation before is damaged": {
			frames: []frameHead{frameAt(1, 1, 1, 0), frameAt(1, 2, 1, 1), frameAt(2, 3, 1, 0)}, found: []uint64{1, 3}, suspect: 1,
			change: func(t *testing.T, disk vfs.FS) {
				damage(t, disk, journalName(testDir, 0), journalHeads+journalBlock+70)
			},
			damage: "redo-journal-0 at position 12288",
		},
		"a generation is missing": {
			frames: []frameHead{frameAt(2, 3, 1, 0)}, found: []uint64{3}, damage: "redo-journal-0 at position 8192",
		},
		"the second file is missing": {
			frames: []frameHead{frameAt(3, 5, 2, 0), frameAt(2, 3, 1, 0), frameAt(2, 4, 2, 1)}, found: []uint64{5}, damage: "redo-journal-1 at position 8192",
			change: func(t *testing.T, disk vfs.FS) { _ = disk.Remove(journalName(testDir, 1)) },
		},
		"the first file is missing: there is no journal": {
			frames: []frameHead{frameAt(1, 1, 1, 0), frameAt(2, 2, 1, 0)},
			change: func(t *testing.T, disk vfs.FS) { _ = disk.Remove(journalName(testDir, 0)) },
		},
		"one head is damaged": {
			frames: []frameHead{frameAt(1, 1, 1, 0)}, found: []uint64{1},
			change: func(t *testing.T, disk vfs.FS) { damage(t, disk, journalName(testDir, 0), 9) },
		},
		"both heads of the first file are damaged": {
			frames: []frameHead{frameAt(1, 1, 1, 0)}, found: []uint64{1},
			change: func(t *testing.T, disk vfs.FS) {
				damage(t, disk, journalName(testDir, 0), 9)
				damage(t, disk, journalName(testDir, 0), journalBlock+9)
			},
		},
		"all heads are damaged": {
			frames: []frameHead{frameAt(1, 1, 1, 0)}, damage: "redo-journal-0 at position 0",
			change: func(t *testing.T, disk vfs.FS) {
				for i := range 2 {
					damage(t, disk, journalName(testDir, i), 9)
					damage(t, disk, journalName(testDir, i), journalBlock+9)
				}
			},
		},
		"the second file is of another journal": {
			frames: []frameHead{frameAt(1, 1, 1, 0), frameAt(2, 2, 1, 0)}, found: []uint64{1},
			change: func(t *testing.T, disk vfs.FS) {
				head := make([]byte, 2*journalBlock)
				putHead(head, journalID{8})
				putHead(head[journalBlock:], journalID{8})
				f := testFrame(frameAt(2, 9, 2, 0), journalEntry{tp: testPartition, first: 9, next: 10, length: 1})
				copy(f[8:], head[8:24])
				if err := writeFile(disk, journalName(testDir, 1), append(head, f...), true); err != nil {
					t.Fatal(err)
				}
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			disk := vfs.NewMemory()
			writeJournal(t, disk, c.frames...)
			if c.change != nil {
				c.change(t, disk)
			}
			s, err := scanJournal(disk, testDir)
			if err != nil {
				t.Fatal(err)
			}
			defer s.close()
			var found []uint64
			for _, f := range s.frames {
				found = append(found, f.sequence)
			}
			if !slices.Equal(found, c.found) || s.suspect != c.suspect {
				t.Errorf("frames %d, %d of them suspect; want %d, %d", found, s.suspect, c.found, c.suspect)
			}
			var text []string
			for _, d := range s.damage {
				text = append(text, d.Error())
			}
			if got := strings.Join(text, "\n"); (c.damage == "") != (got == "") || !strings.Contains(got, c.damage) {
				t.Errorf("damage %q, want %q", got, c.damage)
			}
		})
	}
}

// TestRedoEntries: what was written before an entry that says so, or before a cut of which that entry is lost, is not redone.
func TestRedoEntries(t *testing.T) {
	other := kafka.TopicPartition{Topic: "other"}
	bytes := func(tp kafka.TopicPartition, first int64) journalEntry {
		return journalEntry{tp: tp, first: first, next: first + 1}
	}
	r := &redo{scan: new(journalScan), logs: map[kafka.TopicPartition][]redoEntry{}}
	for _, e := range []journalEntry{
		bytes(testPartition, 0), bytes(testPartition, 1), bytes(other, 7), {forget: true, tp: testPartition},
		bytes(testPartition, 1), bytes(testPartition, 2), bytes(other, 8), bytes(other, 6),
	} {
		r.add(redoEntry{journalEntry: e})
	}
	for tp, want := range map[kafka.TopicPartition][]int64{testPartition: {1, 2}, other: {6}} {
		var got []int64
		for _, e := range r.logs[tp] {
			got = append(got, e.first)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %d, want %d", tp, got, want)
		}
	}
}
