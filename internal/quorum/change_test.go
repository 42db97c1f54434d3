package quorum

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/vfs"
)

func endpoints(id int32) []Endpoint {
	return []Endpoint{{"CONTROLLER", "localhost", uint16(9000 + id)}}
}

// newDynamic starts a quorum of one that was formatted as a dynamic one, and observers with empty disks.
func newDynamic(t *testing.T, size int32, o Options) *cluster {
	o.Dynamic = true
	c := newClusterOn(t, 0, o, func(t *testing.T, disk *vfs.Memory) journal { return openFileJournal(t, disk) })
	c.t = t
	disk := vfs.NewMemory()
	c.format(disk, 1)
	c.boot(1, disk)
	for id := int32(2); id <= size; id++ {
		c.boot(id, vfs.NewMemory())
	}
	c.pass(6)
	return c
}

// format writes the bootstrap snapshot of a dynamic quorum.
func (c *cluster) format(disk *vfs.Memory, voters ...int32) {
	var members []Member
	for _, id := range voters {
		members = append(members, Member{Voter: voter(id), Endpoints: endpoints(id), MaxKRaft: 1})
	}
	data, err := BootstrapSnapshot(members, time.Now())
	if err == nil {
		openFileJournal(c.t, disk)
		f := files{disk, folder}
		err = f.writeSnapshot(position{}, data)
	}
	if err != nil {
		c.t.Fatal(err)
	}
}

// fetchOnce does what the fetcher's goroutine does, once for each tick.
func (n *node) fetchOnce() {
	if n.options.Source == nil {
		return
	}
	if id, _ := n.Leader(); id >= 0 {
		n.ticks = 0
	} else {
		n.ticks++
	}
	n.mu.Lock()
	votes := n.votes()
	n.mu.Unlock()
	if n.c.cut[n.id] || votes && n.ticks < 2*electionTicks {
		return
	}
	f := fetcher{q: n.Quorum, source: n}
	f.turn(context.Background())
}

// Fetch asks whoever leads.
func (n *node) Fetch(_ context.Context, offset int64, lastEpoch int32) (Tail, error) {
	for _, other := range n.c.nodes {
		if other != n && !n.c.cut[other.id] {
			if t, err := other.ReadTail(n.options.Self, offset, lastEpoch, 1<<20); err == nil {
				return t, nil
			}
		}
	}
	return Tail{LeaderID: -1, Epoch: -1}, kafka.NotLeaderOrFollower
}

func (n *node) FetchSnapshot(_ context.Context, id SnapshotID, at int64) ([]byte, int64, error) {
	for _, other := range n.c.nodes {
		if part, size, err := other.ReadSnapshot(id, at, 1000); other != n && err == nil {
			return part, size, nil
		}
	}
	return nil, 0, kafka.SnapshotNotFound
}

// change does something to the voters and returns where its outcome will be.
func changed(f func(done func(error)) error) *string {
	outcome := new(string)
	done := func(err error) {
		*outcome = "done"
		if err != nil {
			*outcome = kafka.CodeOf(err).String()
		}
	}
	if err := f(done); err != nil {
		done(err)
	}
	return outcome
}

func (n *node) add(id int32) *string {
	return changed(func(done func(error)) error {
		return n.AddVoter(Member{Voter: voter(id), Endpoints: endpoints(id), MaxKRaft: 1}, done)
	})
}

func (n *node) remove(id int32) *string {
	return changed(func(done func(error)) error { return n.RemoveVoter(voter(id), done) })
}

// votersOf lists the ids of the voters as a node knows them.
func (n *node) votersOf() string {
	var ids []string
	for _, v := range n.Status().Voters {
		ids = append(ids, fmt.Sprint(v.NodeID))
	}
	return strings.Join(ids, " ")
}

// grow adds voters, one after the other.
func (c *cluster) grow(ids ...int32) {
	c.t.Helper()
	for _, id := range ids {
		outcome := c.elect().add(id)
		c.pass(2)
		if *outcome != "done" {
			c.t.Fatalf("adding %d: %q", id, *outcome)
		}
	}
}

func TestBootstrapSnapshotMakesADynamicQuorum(t *testing.T) {
	c := newDynamic(t, 1, Options{})
	n := c.elect()
	s := n.Status()
	if s.KRaftVersion != 1 || len(s.Voters) != 1 || s.Voters[0].Voter != voter(1) || !slices.Equal(s.Voters[0].Endpoints, endpoints(1)) {
		t.Errorf("status %+v", s)
	}
	// The leader has written them into the log, as Kafka does: from there observers have them.
	b, err := n.storage.batch(2)
	if err != nil {
		t.Fatal(err)
	}
	var kinds []record.ControlType
	for e, err := range controlRecords(b) {
		if err != nil {
			t.Fatal(err)
		}
		kinds = append(kinds, e.kind)
	}
	if want := []record.ControlType{record.KRaftVersion, record.KRaftVoters}; !slices.Equal(kinds, want) {
		t.Errorf("control records %v, want %v", kinds, want)
	}
	if end := n.storage.endPosition().offset; end != 3 {
		t.Errorf("the log ends at %d", end)
	}
	n = c.crash(1)
	c.settle()
	if end := n.storage.endPosition().offset; end != 4 || n.lead == nil { // one more LeaderChange, and no voters anew
		t.Errorf("after a restart the log ends at %d", end)
	}
}

func TestQuorumOfOneBecomesDynamic(t *testing.T) {
	c := newCluster(t, 1, Options{})
	c.settle()
	c.nodes[1].propose("a")
	c.settle()
	// The same disk, as of a lone node, with a listener for controllers.
	disk := c.nodes[1].disk.Crash(vfs.LoseUnsynced())
	n := &node{c: c, id: 1, disk: disk}
	q, err := open(c.journal(t, disk), disk, folder, Options{
		Logger: slog.New(slog.DiscardHandler),
		Self:   voter(1), Voters: []Voter{voter(1)}, Dynamic: true, Endpoints: endpoints(1), Transport: n, Source: n, OnCommit: n.commit,
	})
	if err != nil {
		t.Fatal(err)
	}
	n.Quorum = q
	if err := q.start(); err != nil {
		t.Fatal(err)
	}
	c.nodes[1] = n
	c.settle()
	if s := n.Status(); s.KRaftVersion != 1 || len(s.Voters) != 1 || len(s.Voters[0].Endpoints) != 1 {
		t.Errorf("status %+v", s)
	}
}

func TestGrowToFiveAndShrink(t *testing.T) {
	c := newDynamic(t, 5, Options{})
	c.elect().propose("a")
	c.pass(2)
	c.grow(2, 3)
	c.agree("a")
	second := c.crash(2)
	c.pass(3)
	if got := second.votersOf(); got != "1 2 3" {
		t.Errorf("after a crash node 2 has voters %q", got)
	}
	c.grow(4, 5)
	leader := c.elect()
	leader.propose("b")
	c.pass(3)
	c.agree("a b")
	for id, n := range c.nodes {
		if got := n.votersOf(); got != "1 2 3 4 5" {
			t.Errorf("node %d has voters %q", id, got)
		}
	}
	// Two of five may go.
	c.cut[4], c.cut[5] = true, true
	leader = c.elect()
	b := leader.propose("c")
	c.pass(3)
	if *b != "committed" {
		t.Errorf("without two of five: %q", *b)
	}
	c.cut = map[int32]bool{}
	c.pass(2 * electionTicks)
	for _, id := range []int32{5, 4, 3, 2} {
		leader = c.elect()
		outcome := leader.remove(id)
		c.pass(3)
		if *outcome != "done" {
			t.Fatalf("removing %d: %q", id, *outcome)
		}
	}
	leader = c.elect()
	leader.propose("d")
	c.pass(3)
	c.agree("a b c d") // those without a vote observe
	if got := leader.votersOf(); got != "1" || leader.id != 1 {
		t.Errorf("leader %d of voters %q", leader.id, got)
	}
	sameLogs(t, c)
}

func TestLeaderRemovesItself(t *testing.T) {
	c := newDynamic(t, 3, Options{})
	c.grow(2, 3)
	old := c.elect()
	epoch := old.lead.Epoch()
	outcome := old.remove(old.id)
	c.settle()
	if *outcome != "done" || old.lead != nil {
		t.Errorf("outcome %q, log %q", *outcome, old.log)
	}
	next := c.elect() // without a tick: the old leader has told it
	if next == old || next.lead.Epoch() != epoch+1 {
		t.Errorf("node %d leads in epoch %d, after node %d in %d", next.id, next.lead.Epoch(), old.id, epoch)
	}
	next.propose("a")
	c.pass(3)
	c.agree("a")
	if got := old.votersOf(); got != next.votersOf() || len(next.Status().Voters) != 2 {
		t.Errorf("voters %q and %q", got, next.votersOf())
	}
}

// TestLeaderDiesWhileItAddsAVoter: whoever leads next has either the old voters or the new ones, and the new one can be needed for
// its election before it knows that it has a vote.
func TestLeaderDiesWhileItAddsAVoter(t *testing.T) {
	c := newDynamic(t, 4, Options{})
	c.grow(2, 3)
	old := c.elect()
	c.pass(2)
	outcome := old.add(4)
	for range 3 { // the entry is on the others' disks, and they know that it is committed; node 4 does not
		c.cut[4] = true
		c.settle()
	}
	c.pass(1)
	if *outcome != "done" {
		t.Fatalf("outcome %q", *outcome)
	}
	delete(c.cut, 4)
	delete(c.nodes, old.id)
	next := c.elect()
	next.propose("a")
	c.pass(3)
	c.agree("a")
	if got := c.nodes[4].votersOf(); got != "1 2 3 4" {
		t.Errorf("node 4 has voters %q", got)
	}
}

func TestJoiningVoterNeedsASnapshot(t *testing.T) {
	c := newDynamic(t, 1, Options{SnapshotBytes: 1000})
	leader := c.elect()
	var want []string
	for i := range 50 {
		want = append(want, fmt.Sprintf("v%03d", i))
		leader.propose(want[i])
		c.settle()
		untilSnapshot(leader)
		c.settle()
	}
	if base, _ := leader.storage.bounds(); base.offset == 0 {
		t.Fatal("there is no snapshot")
	}
	c.boot(2, vfs.NewMemory())
	c.pass(4)
	c.grow(2)
	leader.propose("end")
	c.pass(2)
	c.agree(strings.Join(append(want, "end"), " "))
	n := c.crash(2)
	c.pass(3)
	if got := n.votersOf(); got != "1 2" {
		t.Errorf("voters %q after a restart from the snapshot", got)
	}
}

// untilSnapshot waits for the goroutine that writes one.
func untilSnapshot(n *node) {
	for n.snapshotting {
		n.mu.Lock()
		done := n.mu.snapshot.done
		n.mu.Unlock()
		if done {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

func TestReplacedDiskIsAnotherVoter(t *testing.T) {
	c := newDynamic(t, 3, Options{})
	c.grow(2, 3)
	leader := c.elect()
	if leader.id != 1 {
		t.Fatal("node 1 should lead")
	}
	delete(c.nodes, 3)
	c.refused = func(_, _ *node, _ error) {}
	fresh := Voter{NodeID: 3, DirectoryID: kafka.UUID{0: 33, 15: 7}}
	n := c.bootAs(fresh, vfs.NewMemory())
	c.pass(3)
	m := Member{Voter: fresh, Endpoints: endpoints(3), MaxKRaft: 1}
	if got := *changed(func(done func(error)) error { return leader.AddVoter(m, done) }); got != "DUPLICATE_VOTER" {
		t.Errorf("adding it beside the old one: %q", got)
	}
	gone := leader.remove(3)
	c.pass(2)
	back := changed(func(done func(error)) error { return leader.AddVoter(m, done) })
	c.pass(2)
	leader.propose("a")
	c.pass(2)
	if *gone != "done" || *back != "done" {
		t.Errorf("removing: %q, adding: %q", *gone, *back)
	}
	c.agree("a")
	if s := n.Status(); !slices.ContainsFunc(s.Voters, func(v VoterStatus) bool { return v.Voter == fresh }) {
		t.Errorf("voters %+v", s.Voters)
	}
}

func TestChangesAreRefused(t *testing.T) {
	c := newDynamic(t, 4, Options{})
	leader := c.elect()
	f := func(what, want string, got *string) {
		t.Helper()
		if *got != want {
			t.Errorf("%s: %q, want %q", what, *got, want)
		}
	}
	f("removing the only voter", "VOTER_NOT_FOUND", leader.remove(1))
	f("removing a stranger", "VOTER_NOT_FOUND", leader.remove(9))
	f("adding one that never fetched", "REQUEST_TIMED_OUT", leader.add(9))
	f("adding a voter", "DUPLICATE_VOTER", leader.add(1))
	f("asking a follower", "NOT_LEADER_OR_FOLLOWER", c.nodes[2].add(3))
	first := leader.add(2)
	f("two at a time", "REQUEST_TIMED_OUT", leader.add(3))
	c.pass(2)
	f("adding", "done", first)
	f("no such kraft.version", "INVALID_REQUEST", changed(func(done func(error)) error {
		return leader.AddVoter(Member{Voter: voter(3), Endpoints: endpoints(3)}, done)
	}))
	moved := changed(func(done func(error)) error {
		return leader.UpdateVoter(Member{Voter: voter(2), Endpoints: endpoints(7), MaxKRaft: 1}, done)
	})
	c.pass(2)
	f("moving", "done", moved)
	if m, _ := c.nodes[3].Voters().Node(2); !slices.Equal(m.Endpoints, endpoints(7)) {
		t.Errorf("node 2 is reached at %v", m.Endpoints)
	}
	f("moving a stranger", "VOTER_NOT_FOUND", changed(func(done func(error)) error {
		return leader.UpdateVoter(Member{Voter: voter(3), Endpoints: endpoints(3), MaxKRaft: 1}, done)
	}))

	static := newCluster(t, 3, Options{}).elect()
	f("adding with kraft.version 0", "UNSUPPORTED_VERSION", static.add(9))
	f("removing with kraft.version 0", "UNSUPPORTED_VERSION", static.remove(1))
}

// TestVotedOutWhileAway: a voter that missed its removal learns of it when it is back.
func TestVotedOutWhileAway(t *testing.T) {
	c := newDynamic(t, 3, Options{})
	c.grow(2, 3)
	leader := c.elect()
	away := int32(3)
	if leader.id == 3 {
		away = 2
	}
	c.cut[away] = true
	c.pass(1)
	gone := leader.remove(away)
	c.pass(2)
	leader.propose("a")
	c.pass(2)
	epoch := leader.lead.Epoch()
	if *gone != "done" {
		t.Fatalf("outcome %q", *gone)
	}
	delete(c.cut, away)
	c.pass(5 * electionTicks)
	c.agree("a")
	if leader.lead == nil || leader.lead.Epoch() != epoch {
		t.Errorf("the one that was voted out has disturbed the others: %q", leader.log)
	}
	if got := c.nodes[away].votersOf(); got != leader.votersOf() {
		t.Errorf("voters %q, want %q", got, leader.votersOf())
	}
}

// TestTheLastVoterStartsAgain: who was told that a voter is removed may take its disk away at once.
func TestTheLastVoterStartsAgain(t *testing.T) {
	c := newDynamic(t, 2, Options{})
	c.grow(2)
	leader := c.elect()
	other := 3 - leader.id
	gone := leader.remove(other)
	c.settle()
	if *gone != "done" {
		t.Fatalf("outcome %q", *gone)
	}
	delete(c.nodes, other)
	n := c.crash(leader.id)
	c.settle()
	if n.lead == nil {
		t.Errorf("the only voter does not lead: it knows the voters %q", n.votersOf())
	}
}
