package quorum

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ottla/ottla/internal/commitlog"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/vfs"
)

var discard = slog.New(slog.DiscardHandler)

// openLogJournal opens a node's metadata log as Start does; it is closed with the test.
func openLogJournal(t *testing.T, disk *vfs.Memory) journal {
	t.Helper()
	dir, err := commitlog.Open(disk, "data", commitlog.Options{Logger: discard})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { dir.Close() })
	config := commitlog.DefaultConfig()
	log, err := dir.Create(Partition, kafka.OneUUID, config)
	if err == nil {
		err = disk.SyncDir("data")
	}
	if err != nil {
		t.Fatal(err)
	}
	return newLogJournal(log, config)
}

func TestThreeNodesOnCommitLogs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		threeNodesAgreeThroughACrash(t, newClusterOn(t, 3, Options{}, openLogJournal))
	})
}

func TestSnapshotsOnCommitLogs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClusterOn(t, 3, Options{SnapshotBytes: 1000}, openLogJournal)
		leader := c.elect()
		late := leader.id%3 + 1
		c.cut[late] = true
		all := c.fill(leader, 0, 50)
		c.cut[late] = false
		c.pass(2 * electionTicks)
		c.agree(all)
		c.crash(late)
		c.crash(leader.id)
		c.elect()
		c.pass(electionTicks)
		c.agree(all)
	})
}

// running is a started single voter.
type running struct {
	*Quorum
	dir     *commitlog.Dir
	lead    chan *Leadership
	applied []string
}

func startSingle(t *testing.T, fsys vfs.FS) *running {
	t.Helper()
	dir, err := commitlog.Open(fsys, "data", commitlog.Options{Logger: discard})
	if err != nil {
		t.Fatal(err)
	}
	self := Voter{NodeID: 1, DirectoryID: dir.ID()}
	r := &running{dir: dir, lead: make(chan *Leadership, 1)}
	r.Quorum, err = Start(dir, fsys, commitlog.DefaultConfig(), Options{
		Self: self, Voters: []Voter{self}, Logger: discard,
		OnLead: func(_ int32, l *Leadership) { r.lead <- l },
		OnCommit: func(b record.Batch) {
			for rec := range b.Records(1 << 20) {
				if !b.Attributes().Control() {
					r.applied = append(r.applied, string(rec.Value))
				}
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *running) stop() {
	r.Close()
	r.dir.Close()
}

// set appends a value and waits until it is committed.
func set(t *testing.T, l *Leadership, value string) {
	t.Helper()
	next, err := l.Append(batch(value))
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1) // what is already committed answers before Await returns
	l.Await(next, func(err error) { done <- err })
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

func TestStartAndPowerFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk := vfs.NewMemory()
		began := time.Now()
		r := startSingle(t, disk)
		lead := <-r.lead
		if took := time.Since(began); took > 0 {
			t.Errorf("a single voter waited %v to lead", took)
		}
		var want []string
		for seed := range uint64(10) {
			for i := range 5 {
				value := fmt.Sprintf("%d.%d", seed, i)
				set(t, lead, value)
				want = append(want, value)
			}
			if _, err := lead.Append(batch("in doubt")); err != nil {
				t.Fatal(err)
			}
			crashed := disk.Crash(vfs.KeepSome(seed, 7))
			r.stop()
			disk = crashed
			r = startSingle(t, disk)
			lead = <-r.lead
			var kept []string
			for _, v := range r.applied {
				if v != "in doubt" {
					kept = append(kept, v)
				}
			}
			if got := strings.Join(kept, " "); got != strings.Join(want, " ") {
				t.Fatalf("crash %d: committed %q, found %q", seed, want, got)
			}
		}
		r.stop()
	})
}

func TestStartRefusesAnotherDirectory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk := vfs.NewMemory()
		dir, err := commitlog.Open(disk, "data", commitlog.Options{Logger: discard})
		if err != nil {
			t.Fatal(err)
		}
		defer dir.Close()
		if _, err := Start(dir, disk, commitlog.DefaultConfig(), Options{Self: voter(1), Voters: []Voter{voter(1)}}); err == nil {
			t.Error("a voter of another directory started")
		}
	})
}

func TestFailedSyncStopsTheQuorum(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		faulty := vfs.Faulty(vfs.NewMemory())
		r := startSingle(t, faulty)
		lead := <-r.lead
		set(t, lead, "a")
		faulty.Add(vfs.Rule{Op: vfs.OpSync, Err: errors.New("disk gone")})
		next, err := lead.Append(batch("b"))
		if err != nil {
			t.Fatal(err)
		}
		done := make(chan error, 1) // what is already committed answers before Await returns
		lead.Await(next, func(err error) { done <- err })
		if err := <-done; kafka.CodeOf(err) != kafka.KafkaStorageError {
			t.Errorf("await: %v", err)
		}
		r.stop()
	})
}
