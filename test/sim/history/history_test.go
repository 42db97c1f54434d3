package history

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/ottla/ottla/internal/vfs"
)

// Each checker must see what it is there for, and nothing else.
func TestFaultsAreFound(t *testing.T) {
	p, now, id := Partition{"t", 1}, time.Unix(0, 0), [16]byte{1}
	for _, c := range []struct {
		name   string
		run    func() []string
		faults string // a part of the only fault; "" for none
	}{
		{"a read stays", func() []string {
			r := NewReads()
			r.Saw(p, 5, "x", now)
			r.Final(p, 5, "x", now)
			r.Final(p, 6, "y", now)
			return r.Faults()
		}, ""},
		{"a read changes", func() []string {
			r := NewReads()
			r.Saw(p, 5, "x", now)
			r.Saw(p, 5, "y", now)
			r.Final(p, 5, "x", now)
			return r.Faults()
		}, `offset 5 was read as "x"`},
		{"a read is gone", func() []string {
			r := NewReads()
			r.Saw(p, 5, "x", now)
			return r.Faults()
		}, "is gone"},
		{"leaders one after the other", func() []string {
			l := NewLeaders()
			l.Partition("n1", p, id, 1, 3, now)
			l.Partition("n2", p, id, 1, 3, now)
			l.Partition("n1", p, id, 2, 4, now)
			l.Partition("n2", p, [16]byte{2}, 2, 3, now)
			l.Partition("n1", p, id, -1, 5, now)
			l.Controller("n1", 1, 1, now)
			l.Controller("n2", 2, 2, now)
			l.Controller("n2", -1, 1, now)
			return l.Faults()
		}, ""},
		{"two leaders", func() []string {
			l := NewLeaders()
			l.Partition("n1", p, id, 1, 3, now)
			l.Partition("n2", p, id, 2, 3, now)
			return l.Faults()
		}, "two leaders of t-1 in epoch 3"},
		{"an epoch goes back", func() []string {
			l := NewLeaders()
			l.Partition("n1", p, id, 1, 3, now)
			l.Partition("n1", p, id, 1, 2, now)
			return l.Faults()
		}, "leader epoch 2"},
		{"two controllers", func() []string {
			l := NewLeaders()
			l.Controller("n1", 1, 3, now)
			l.Controller("n2", 2, 3, now)
			return l.Faults()
		}, "two controllers in epoch 3"},
		{"changes", func() []string {
			c := NewChanges()
			c.Ask("k", "1")
			c.Done("k")
			c.Ask("k", "2")
			c.Found("n1", map[string]string{"k": "2"})
			c.Found("n2", map[string]string{"k": "1"})
			return c.Faults()
		}, ""},
		{"a change is lost", func() []string {
			c := NewChanges()
			c.Ask("k", "1")
			c.Done("k")
			c.Found("n1", nil)
			return c.Faults()
		}, `k is ""`},
		{"a refused change is there", func() []string {
			c := NewChanges()
			c.Ask("k", "1")
			c.Refused("k")
			c.Found("n1", map[string]string{"k": "1"})
			return c.Faults()
		}, `k is "1"`},
		{"commits", func() []string {
			c := NewCommits()
			before := c.Least()
			c.Acknowledged(p, 5)
			c.Fetched(before, p, -1, now)
			c.Fetched(c.Least(), p, 6, now)
			return c.Faults()
		}, ""},
		{"a commit is lost", func() []string {
			c := NewCommits()
			c.Acknowledged(p, 5)
			c.Fetched(c.Least(), p, 4, now)
			return c.Faults()
		}, "committed is 4"},
	} {
		t.Run(c.name, func(t *testing.T) {
			all := c.run()
			if c.faults == "" && len(all) > 0 || c.faults != "" && (len(all) != 1 || !strings.Contains(all[0], c.faults)) {
				t.Errorf("faults %q, want %q", all, c.faults)
			}
		})
	}
}

// batchOf is a batch v2 without records, as far as the comparison looks at it.
func batchOf(base byte, epoch, crc byte) []byte {
	b := make([]byte, 61)
	b[7], b[11], b[15], b[16], b[20] = base, 49, epoch, 2, crc
	return b
}

func TestVotesAreCounted(t *testing.T) {
	for _, c := range []struct {
		written []Vote
		fine    bool
	}{
		{[]Vote{{3, 1}, {3, 1}, {}}, true},
		{[]Vote{{3, 1}, {5, 2}, {2, 1}}, true},
		{[]Vote{{3, 1}, {3, 2}, {2, 1}}, false},
		{[]Vote{{3, 1}, {}, {}}, false},
	} {
		v := NewVotes()
		v.Leads(1, 3, c.written, time.Unix(0, 0))
		if fine := len(v.Faults()) == 0; fine != c.fine {
			t.Errorf("%v: %v", c.written, v.Faults())
		}
	}
}

func TestReplicasAreCompared(t *testing.T) {
	write := func(content ...[]byte) vfs.FS {
		disk := vfs.NewMemory()
		disk.MkdirAll("/data/t-0", 0o755)
		f, err := disk.OpenFile("/data/t-0/00000000000000000000.log", os.O_RDWR|os.O_CREATE, 0o644)
		if err != nil {
			t.Fatal(err)
		}
		at := int64(0)
		for _, b := range content {
			f.WriteAt(b, at)
			at += int64(len(b))
		}
		return disk
	}
	none := func(string) bool { return false }
	long, short := write(batchOf(0, 1, 7), batchOf(1, 1, 8)), write(batchOf(0, 1, 7))
	if all := CompareReplicas(map[string]vfs.FS{"n1": long, "n2": short}, "/data", none, none); len(all) > 0 {
		t.Error(all)
	}
	if all := CompareReplicas(map[string]vfs.FS{"n1": long, "n2": short}, "/data", none, func(string) bool { return true }); len(all) != 1 {
		t.Error(all)
	}
	for name, other := range map[string]vfs.FS{"bytes": write(batchOf(0, 1, 9)), "epoch": write(batchOf(0, 2, 7))} {
		if all := CompareReplicas(map[string]vfs.FS{"n1": long, "n2": other}, "/data", none, none); len(all) != 1 {
			t.Errorf("%s: %v", name, all)
		}
	}
}
