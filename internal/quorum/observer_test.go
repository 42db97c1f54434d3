package quorum

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/vfs"
)

// watcher is a node without a vote: the test has it fetch from whom it likes.
type watcher struct {
	*Observer
	*node
	source *leaderOf
}

// leaderOf is a source that asks a node of a cluster.
type leaderOf struct {
	q    *Quorum
	spit func(*Tail) // changes answers
	part int         // bytes of a snapshot at a time
}

func (s *leaderOf) Fetch(_ context.Context, offset int64, lastEpoch int32) (Tail, error) {
	t, err := s.q.ReadTail(voter(9), offset, lastEpoch, 1<<20)
	if s.spit != nil {
		s.spit(&t)
	}
	return t, err
}

func (s *leaderOf) FetchSnapshot(_ context.Context, id SnapshotID, at int64) ([]byte, int64, error) {
	return s.q.ReadSnapshot(id, at, s.part)
}

func (c *cluster) watch(disk *vfs.Memory, from *node) *watcher {
	c.t.Helper()
	n := &node{c: c, id: 9, disk: disk}
	s := &leaderOf{q: from.Quorum, part: 50}
	v, err := newObserver(c.journal(c.t, disk), disk, folder, s, Options{
		OnCommit: n.commit, OnSnapshot: n.snapshot, Logger: slog.New(slog.DiscardHandler),
		OnCaughtUp: func() { n.log = append(n.log, "caught up") },
	})
	if err != nil {
		c.t.Fatal(err)
	}
	return &watcher{v, n, s}
}

// follow has the observer fetch until it has all.
func (w *watcher) follow() {
	w.c.t.Helper()
	for range 20 {
		if _, err := w.turn(); err != nil {
			w.c.t.Fatal(err)
		}
		w.source.q.finishSnapshot()
	}
}

// turn is the observer's; the embedded node has no loop.
func (w *watcher) turn() (bool, error) { return w.Observer.turn() }

func (w *watcher) has(want string) {
	w.c.t.Helper()
	if got := strings.Join(w.applied, " "); got != want {
		w.c.t.Errorf("the observer applied %q, want %q", got, want)
	}
}

func TestAnObserverFollowsWhateverLeads(t *testing.T) {
	c := newCluster(t, 3, Options{})
	leader := c.elect()
	leader.propose("a", "b")
	c.settle()
	w := c.watch(vfs.NewMemory(), leader)
	w.follow()
	w.has("a b")
	if fmt.Sprint(w.log) != "[caught up]" {
		t.Errorf("it told %v", w.log)
	}
	if o := leader.Status().Observers; len(o) != 1 || o[0].Voter != voter(9) || o[0].LogEndOffset != leader.Status().HighWatermark || o[0].LastCaughtUp.IsZero() {
		t.Errorf("observers: %+v", o)
	}

	c.cut[leader.id] = true
	leader.lead.Append(batch("never committed"))
	leader.turn()
	w.follow()
	w.has("a b") // what is not committed is given to nobody
	next := c.elect()
	next.propose("c")
	c.settle()
	w.source.q = next.Quorum
	w.follow()
	w.has("a b c")

	w = c.watch(w.disk.Crash(vfs.LoseUnsynced()), next) // it had synced all that it told
	if w.q.storage.endPosition().offset != next.Status().HighWatermark {
		t.Errorf("after a crash its log ends at %d of %d", w.q.storage.endPosition().offset, next.Status().HighWatermark)
	}
	w.has("") // nobody has said yet that this is the log
	w.follow()
	w.has("a b c")
}

// A node that was a voter before may have more than was committed; it takes that back before anybody hears of it.
func TestAnObserverTakesBackWhatWasNeverCommitted(t *testing.T) {
	c := newCluster(t, 3, Options{})
	old := c.elect()
	old.propose("a")
	c.settle()
	c.cut[old.id] = true
	old.lead.Append(batch("lost"))
	old.turn()
	next := c.elect()
	next.propose("b")
	c.settle()
	w := c.watch(old.disk.Crash(vfs.LoseUnsynced()), next)
	if w.q.storage.endPosition().offset <= 2 {
		t.Fatal("the test has lost its point: nothing uncommitted is on the disk")
	}
	w.follow()
	w.has("a b")
}

func TestAnObserverFarBehindStartsOverFromASnapshot(t *testing.T) {
	c := newCluster(t, 1, Options{SnapshotBytes: 300})
	leader := c.elect()
	w := c.watch(vfs.NewMemory(), leader)
	w.follow()
	var want []string
	for i := range 20 {
		want = append(want, fmt.Sprint("v", i))
		leader.propose(want[i])
		c.settle()
		for leader.snapshotting { // another goroutine writes it
			<-leader.wake
			c.settle()
		}
	}
	w.follow()
	w.has(strings.Join(want, " "))
	if !strings.Contains(fmt.Sprint(w.log), "snapshot") {
		t.Errorf("it told %v", w.log)
	}
	w = c.watch(w.disk.Crash(vfs.LoseUnsynced()), leader)
	w.follow()
	w.has(strings.Join(want, " "))
}

// What a leader sends is looked at before it is stored.
func TestAnObserverRefusesWhatIsNoLog(t *testing.T) {
	for name, spit := range map[string]func(*Tail){
		"a flipped bit":   func(t *Tail) { t.Batches[len(t.Batches)-1] ^= 1 },
		"half a batch":    func(t *Tail) { t.Batches = t.Batches[:len(t.Batches)-5] },
		"a gap":           func(t *Tail) { record.Batch(t.Batches).SetBaseOffset(77) },
		"noise":           func(t *Tail) { t.Batches = []byte(strings.Repeat("noise", 50)) },
		"a past epoch":    func(t *Tail) { record.Batch(t.Batches).SetLeaderEpoch(-3) },
		"no such snaphot": func(t *Tail) { t.Snapshot = &SnapshotID{1000, 1} },
	} {
		t.Run(name, func(t *testing.T) {
			c := newCluster(t, 1, Options{})
			leader := c.elect()
			w := c.watch(vfs.NewMemory(), leader)
			w.source.spit = func(t *Tail) {
				t.Batches = append([]byte(nil), t.Batches...)
				spit(t)
			}
			w.follow()
			w.has("")
			if at := w.q.storage.endPosition().offset; at != 0 {
				t.Errorf("its log ends at %d", at)
			}
		})
	}
}

// Committed records that the controllers have lost are not taken back in silence.
func TestAnObserverThatKnowsMoreThanTheLeaderStops(t *testing.T) {
	c := newCluster(t, 1, Options{})
	leader := c.elect()
	leader.propose("a")
	c.settle()
	w := c.watch(vfs.NewMemory(), leader)
	w.follow()
	other := newCluster(t, 1, Options{})
	w.source.q = other.elect().Quorum
	if _, err := w.turn(); err == nil || errors.Is(err, context.Canceled) {
		t.Errorf("it went on: %v", err)
	}
	w.has("a")
}
