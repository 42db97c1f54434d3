package quorum

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/vfs"
	"github.com/ottla/ottla/internal/wire"
)

// fill proposes and commits values v<from>...v<to-1>, with snapshots as they fall due.
func (c *cluster) fill(n *node, from, to int) (all string) {
	for i := range to {
		v := fmt.Sprintf("v%03d", i)
		all += " " + v
		if i < from {
			continue
		}
		n.propose(v)
		c.settle()
		synctest.Wait() // a snapshot that was begun is written
		c.settle()
	}
	return strings.TrimSpace(all)
}

func TestSnapshotReplacesTheLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 1, Options{SnapshotBytes: 1000})
		c.settle()
		all := c.fill(c.nodes[1], 0, 50)
		n := c.nodes[1]
		base, end := n.storage.bounds()
		if base.offset == 0 || n.storage.journal.StartOffset() != base.offset || end != 51 {
			t.Fatalf("snapshot at %d, log from %d to %d", base.offset, n.storage.journal.StartOffset(), end)
		}
		if files, err := n.files.snapshots(); err != nil || len(files) != 1 {
			t.Errorf("snapshots %v, %v; want the newest alone", files, err)
		}
		n = c.crash(1)
		c.settle()
		if want := fmt.Sprint("snapshot ", base.offset); n.log[0] != want {
			t.Errorf("log %q, want first %q", n.log, want)
		}
		c.agree(all)
		var loaded []string
		err := n.lead.Load(func(b record.Batch) error {
			for r := range b.Records(1 << 20) {
				if !b.Attributes().Control() {
					loaded = append(loaded, string(r.Value))
				}
			}
			return b.CheckCRC()
		})
		if got := strings.Join(loaded, " "); err != nil || got != all {
			t.Errorf("loaded %q, %v", got, err)
		}
		c.fill(n, 50, 60)
		c.agree(c.fill(n, 60, 60))
	})
}

func TestFollowerThatFellBehindGetsTheSnapshot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 3, Options{SnapshotBytes: 1000})
		leader := c.elect()
		late := leader.id%3 + 1
		c.cut[late] = true
		all := c.fill(leader, 0, 50)
		c.cut[late] = false
		c.pass(2 * electionTicks)
		n := c.nodes[late]
		if !slices.ContainsFunc(n.log, func(s string) bool { return strings.HasPrefix(s, "snapshot ") }) {
			t.Errorf("the late node got no snapshot: %q", n.log)
		}
		c.agree(all)
		c.crash(late)
		c.pass(electionTicks)
		c.agree(all)
	})
}

func TestCrashBetweenSnapshotAndCut(t *testing.T) {
	for name, spoil := range map[string]func(n *node, p position){
		"log not cut":            func(*node, position) {},
		"log ends before":        func(n *node, p position) { n.storage.journal.TruncateTo(p.offset - 2) },
		"log went another way":   func(n *node, p position) { p.term = 9; writeSnapshot(n, p) },
		"log cut somewhat later": func(n *node, p position) { n.storage.journal.AdvanceStart(p.offset) },
	} {
		synctest.Test(t, func(t *testing.T) {
			c := newCluster(t, 1, Options{})
			c.settle()
			c.fill(c.nodes[1], 0, 5)
			n := c.nodes[1]
			p, _ := n.storage.position(4) // leader change, v000, v001, v002
			writeSnapshot(n, p)
			spoil(n, p)
			if err := n.storage.journal.Sync(); err != nil {
				t.Fatal(err)
			}
			n = c.crash(1)
			c.settle()
			want := "v000 v001 v002 v003 v004"
			if name == "log ends before" || name == "log went another way" {
				want = "v000 v001 v002"
			}
			if got := strings.Join(n.applied, " "); got != want {
				t.Errorf("%s: applied %q, want %q", name, got, want)
			}
			n.propose("next")
			c.settle()
			c.agree(want + " next")
		})
	}
}

// writeSnapshot stores a snapshot of v000, v001, v002 that ends at p.
func writeSnapshot(n *node, p position) {
	values := slices.Values([][]byte{[]byte("v000"), []byte("v001"), []byte("v002")})
	data, err := buildSnapshot(p, 1, electorate{}, values, time.Now())
	if err == nil {
		err = n.files.writeSnapshot(p, data)
	}
	if err != nil {
		n.c.t.Fatal(err)
	}
}

func TestBrokenSnapshotIsRefused(t *testing.T) {
	p := position{index: 7, term: 2, offset: 30}
	values := slices.Values([][]byte{[]byte("a"), []byte("b")})
	data, err := buildSnapshot(p, 1, electorate{}, values, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if got, err := checkSnapshot(data, p); err != nil || got != p {
		t.Fatalf("%+v, %v", got, err)
	}
	flipped := slices.Clone(data)
	flipped[len(flipped)/2] ^= 1
	footer, err := control(p, record.SnapshotFooter, &wire.SnapshotFooterRecord{}, 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	for name, broken := range map[string][]byte{
		"nothing":       nil,
		"cut short":     data[:len(data)-10],
		"without end":   data[:len(data)-len(footer)],
		"flipped":       flipped,
		"beyond end":    append(slices.Clone(data), footer...),
		"without start": data[len(data)-len(footer):],
	} {
		if _, err := checkSnapshot(broken, p); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	disk := vfs.NewMemory()
	openFileJournal(t, disk)
	f := &files{disk, folder}
	if err := f.replace(filepath.Join(folder, snapshotName(p)), flipped); err != nil {
		t.Fatal(err)
	}
	if _, _, err := f.newestSnapshot(electorate{}); err == nil || !strings.Contains(err.Error(), "00000000000000000030-0000000002.checkpoint") {
		t.Errorf("a broken file: %v", err)
	}
}

// TestSnapshotOfKafka: one that does not say at which of raft's indexes it ends. The only voter takes it over; one of several cannot
// know what the others count.
func TestSnapshotOfKafka(t *testing.T) {
	p := position{index: 30, term: 2, offset: 30}
	write := func() *vfs.Memory {
		disk := vfs.NewMemory()
		openFileJournal(t, disk)
		values := slices.Values([][]byte{[]byte("a"), []byte("b")})
		e := electorate{version: 1, voters: newVoterSet([]Member{{Voter: voter(1), Endpoints: endpoints(1), MaxKRaft: 1}})}
		data, err := buildSnapshot(position{term: 2}, 7, e, values, time.UnixMilli(8)) // index 0: no tag
		if err == nil {
			err = (&files{disk, folder}).writeSnapshot(p, data)
		}
		if err != nil {
			t.Fatal(err)
		}
		return disk
	}
	c := newCluster(t, 0, Options{Dynamic: true})
	n := c.boot(1, write())
	c.settle()
	n.propose("c")
	c.settle()
	n = c.crash(1)
	c.settle()
	c.agree("a b c")
	if s := n.Status(); s.KRaftVersion != 1 || n.votersOf() != "1" || n.lead == nil {
		t.Errorf("%+v", s)
	}
	data, err := n.files.readSnapshot(p)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := sentSnapshot(data); err != nil || got != p {
		t.Errorf("it was not made one that says where it ends: %+v, %v", got, err)
	}
	f := &files{write(), folder}
	if _, _, err := f.newestSnapshot(electorate{voters: newVoterSet([]Member{{Voter: voter(1)}})}); err != nil {
		t.Error(err)
	}
	several := &files{vfs.NewMemory(), folder}
	openFileJournal(t, several.fs.(*vfs.Memory))
	plain, err := buildSnapshot(position{term: 2}, 7, electorate{}, slices.Values([][]byte{[]byte("a")}), time.UnixMilli(8))
	if err == nil {
		err = several.writeSnapshot(p, plain)
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := several.newestSnapshot(electorate{voters: newVoterSet([]Member{{Voter: voter(1)}, {Voter: voter(2)}})}); err == nil || !strings.Contains(err.Error(), "was not written by Ottla") {
		t.Errorf("one of two voters takes it: %v", err)
	}
}
