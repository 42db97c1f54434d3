package quorum

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	pb "go.etcd.io/raft/v3/raftpb"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/vfs"
)

func TestSingleVoterLeadsAtOnce(t *testing.T) {
	c := newCluster(t, 1, Options{})
	c.settle()
	n := c.nodes[1]
	if n.lead == nil || n.lead.Epoch() != 1 {
		t.Fatalf("no leader without waiting; log %q", n.log)
	}
	if syncs := n.storage.journal.(*fileJournal).syncs; syncs != 1 {
		t.Errorf("%d syncs of the log, want 1", syncs)
	}
	if id, epoch := n.Leader(); id != 1 || epoch != 1 {
		t.Errorf("leader %d in epoch %d", id, epoch)
	}
	b, _ := n.storage.batch(1)
	if _, err := controlRecord(b, record.LeaderChange); err != nil || b.BaseOffset() != 0 || b.LeaderEpoch() != 1 {
		t.Errorf("the first batch: offset %d, epoch %d, %v", b.BaseOffset(), b.LeaderEpoch(), err)
	}
}

func TestAppendsInFlightShareASync(t *testing.T) {
	c := newCluster(t, 1, Options{})
	c.settle()
	n := c.nodes[1]
	j := n.storage.journal.(*fileJournal)
	before := j.syncs
	var outcomes []*string
	for i := range 100 {
		outcomes = append(outcomes, n.propose(fmt.Sprint("a", i), fmt.Sprint("b", i)))
	}
	c.settle()
	if got := j.syncs - before; got != 1 {
		t.Errorf("100 appends took %d syncs, want 1", got)
	}
	for _, o := range outcomes {
		if *o != "committed" {
			t.Fatalf("outcome %q", *o)
		}
	}
	if len(n.applied) != 200 || j.high != 201 || n.Status().HighWatermark != 201 {
		t.Errorf("%d values applied, high watermark %d", len(n.applied), j.high)
	}
}

func TestSingleVoterRestart(t *testing.T) {
	c := newCluster(t, 1, Options{})
	c.settle()
	c.nodes[1].propose("a")
	c.settle()
	lost := c.nodes[1].propose("b") // appended, never synced
	n := c.crash(1)
	c.settle()
	if n.lead == nil || n.lead.Epoch() != 2 || *lost != "" {
		t.Errorf("log %q, outcome %q", n.log, *lost)
	}
	c.agree("a")
	var loaded []int64
	if err := n.lead.Load(func(b record.Batch) error { loaded = append(loaded, b.BaseOffset()); return b.CheckCRC() }); err != nil {
		t.Fatal(err)
	}
	if want := []int64{0, 1, 2}; !slices.Equal(loaded, want) {
		t.Errorf("loaded batches at %v, want %v", loaded, want)
	}
}

func TestThreeNodesAgreeThroughACrash(t *testing.T) {
	threeNodesAgreeThroughACrash(t, newCluster(t, 3, Options{}))
}

func threeNodesAgreeThroughACrash(t *testing.T, c *cluster) {
	t.Helper()
	leader := c.elect()
	first := leader.propose("a", "b")
	c.settle()
	c.pass(1)
	if *first != "committed" {
		t.Fatalf("outcome %q", *first)
	}
	c.agree("a b")

	// The leader loses its power with a proposal that is on no disk; the others go on.
	lost := leader.propose("lost")
	old := leader.id
	crashed := leader.disk.Crash(vfs.LoseUnsynced())
	delete(c.nodes, old)
	next := c.elect()
	if next.lead.Epoch() <= leader.Quorum.mu.lead.epoch {
		t.Errorf("epoch %d after %d", next.lead.Epoch(), leader.lead.Epoch())
	}
	second := next.propose("c")
	c.settle()
	c.boot(old, crashed)
	c.pass(3)
	if *lost != "" || *second != "committed" {
		t.Errorf("outcomes %q, %q", *lost, *second)
	}
	c.agree("a b c")
	sameLogs(t, c)
}

// sameLogs checks that all nodes have the same bytes.
func sameLogs(t *testing.T, c *cluster) {
	t.Helper()
	var want string
	for id, n := range c.nodes {
		var all strings.Builder
		_, end := n.storage.bounds()
		base, _ := n.storage.bounds()
		for b, err := range batches(n.storage.journal, base.offset, end) {
			if err != nil {
				t.Fatal(err)
			}
			all.Write(b)
		}
		if want == "" {
			want = all.String()
		}
		if all.String() != want {
			t.Errorf("node %d has another log", id)
		}
	}
}

func TestVoteIsOnDiskBeforeItIsSent(t *testing.T) {
	c := newCluster(t, 3, Options{})
	leader := c.elect()
	for id := range int32(3) {
		n := c.nodes[id+1]
		before := n.mu.node.BasicStatus().HardState
		n = c.crash(n.id)
		after := n.mu.node.BasicStatus().HardState
		if after.GetTerm() != before.GetTerm() || after.GetVote() != before.GetVote() {
			t.Errorf("node %d: term %d, vote %d; before the crash %d, %d", n.id, after.GetTerm(), after.GetVote(), before.GetTerm(), before.GetVote())
		}
	}
	if got := c.nodes[leader.id].mu.node.BasicStatus().HardState; got.GetVote() != leader.self {
		t.Errorf("the leader voted for %d", got.GetVote())
	}
}

func TestCutOffLeaderIsOverruled(t *testing.T) {
	c := newCluster(t, 3, Options{})
	old := c.elect()
	epoch := old.lead.Epoch()
	c.cut[old.id] = true
	doomed := old.propose("never")
	c.settle() // on its own disk, and nowhere else
	c.elect().propose("a")
	c.pass(3 * electionTicks) // it notices that it hears from nobody
	if old.lead != nil || *doomed != "NOT_CONTROLLER" || !slices.Contains(old.log, fmt.Sprint("resign ", epoch)) {
		t.Errorf("cut off leader: log %q, outcome %q", old.log, *doomed)
	}
	c.cut[old.id] = false
	c.elect()
	c.pass(2 * electionTicks)
	c.agree("a")
	sameLogs(t, c)
}

func TestOldLeadershipRefuses(t *testing.T) {
	c := newCluster(t, 3, Options{})
	old := c.elect()
	lead := old.lead
	c.cut[old.id] = true
	c.pass(3 * electionTicks)
	if _, err := lead.Append(batch("x")); kafka.CodeOf(err) != kafka.NotController {
		t.Errorf("append: %v", err)
	}
	lead.Await(1_000, func(err error) {
		if kafka.CodeOf(err) != kafka.NotController {
			t.Errorf("await: %v", err)
		}
	})
	if err := lead.Load(func(record.Batch) error { return nil }); kafka.CodeOf(err) != kafka.NotController {
		t.Errorf("load: %v", err)
	}
}

func TestAppendNoticesANewTermBeforeTheLoopDoes(t *testing.T) {
	c := newCluster(t, 3, Options{})
	leader := c.elect()
	other := c.nodes[leader.id%3+1]
	term := uint64(leader.lead.Epoch()) + 1
	m := &pb.Message{Type: pb.MsgHeartbeat.Enum(), From: &other.self, To: &leader.self, Term: &term, Commit: new(uint64(0))}
	if err := leader.Step(m); err != nil {
		t.Fatal(err)
	}
	if _, err := leader.lead.Append(batch("x")); kafka.CodeOf(err) != kafka.NotController {
		t.Errorf("append: %v", err)
	}
}

func TestStatusShowsWhoIsBehind(t *testing.T) {
	c := newCluster(t, 3, Options{})
	leader := c.elect()
	c.pass(1)
	behind := leader.id%3 + 1
	c.cut[behind] = true
	leader.propose("a", "b", "c")
	c.settle()
	s := leader.Status()
	if s.LeaderID != leader.id || s.LeaderEpoch != leader.lead.Epoch() || len(s.Voters) != 3 {
		t.Fatalf("%+v", s)
	}
	for _, v := range s.Voters {
		want := s.HighWatermark
		if v.NodeID == behind {
			want -= 3
		}
		if v.LogEndOffset != want || v.LastFetch.IsZero() || v.LastCaughtUp.IsZero() {
			t.Errorf("%+v, want log end %d", v, want)
		}
	}
}

func TestMessagesThatMakeNoSenseAreRefused(t *testing.T) {
	c := newCluster(t, 3, Options{})
	leader := c.elect()
	target := c.nodes[leader.id%3+1]
	good := func() *pb.Message {
		return &pb.Message{
			Type: pb.MsgApp.Enum(), From: &leader.self, To: &target.self, Term: new(uint64(1)), Index: new(uint64(1)), LogTerm: new(uint64(1)),
			Entries: []*pb.Entry{{Type: pb.EntryNormal.Enum(), Index: new(uint64(2)), Term: new(uint64(0)), Data: batch("x")}},
		}
	}
	for name, spoil := range map[string]func(m *pb.Message){
		"stranger":      func(m *pb.Message) { m.From = new(uint64(99)) },
		"wrong address": func(m *pb.Message) { m.To = &leader.self },
		"no batch":      func(m *pb.Message) { m.Entries[0].Data = []byte("hello") },
		"empty":         func(m *pb.Message) { m.Entries[0].Data = nil },
		"two batches":   func(m *pb.Message) { m.Entries[0].Data = append(batch("x"), batch("y")...) },
		"bad crc":       func(m *pb.Message) { m.Entries[0].Data[40] ^= 1 },
		"other epoch":   func(m *pb.Message) { m.Entries[0].Term = new(uint64(3)) },
		"huge term":     func(m *pb.Message) { m.Term = new(uint64(1 << 40)) },
		"proposal":      func(m *pb.Message) { m.Type = pb.MsgProp.Enum() },
		"bad snapshot": func(m *pb.Message) {
			m.Snapshot = &pb.Snapshot{Data: batch("x"), Metadata: &pb.SnapshotMetadata{Index: new(uint64(9)), Term: new(uint64(1))}}
		},
	} {
		m := good()
		spoil(m)
		if err := target.Step(m); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

func TestVoteOutlivesTheProcess(t *testing.T) {
	disk := vfs.NewMemory()
	openFileJournal(t, disk)
	f := &files{disk, folder}
	want := vote{LeaderID: noNode, LeaderEpoch: 5, VotedID: 3, VotedDirectoryID: voter(3).DirectoryID.String(), DataVersion: 1}
	if err := f.writeVote(want); err != nil {
		t.Fatal(err)
	}
	after := &files{disk.Crash(vfs.LoseUnsynced()), folder}
	if got, err := after.readVote(); err != nil || got != want {
		t.Errorf("%+v, %v", got, err)
	}
	content, _ := after.read(folder+"/"+stateFile, maxStateBytes)
	const text = `{"leaderId":-1,"leaderEpoch":5,"votedId":3,"votedDirectoryId":"AwAAAAAAAAAAAAAAAAAABw","data_version":1}`
	if string(content) != text {
		t.Errorf("%s\nwant %s", content, text)
	}
}

// TestVoteOfStaticQuorum: what Kafka writes with controller.quorum.voters, after it has adopted a directory.
func TestVoteOfStaticQuorum(t *testing.T) {
	for text, want := range map[string]vote{
		`{"clusterId":"","leaderId":1,"leaderEpoch":7,"votedId":-1,"appliedOffset":0,"currentVoters":[{"voterId":1}],"data_version":0}`: {LeaderID: 1, LeaderEpoch: 7, VotedID: noNode, VotedDirectoryID: kafka.ZeroUUID.String(), DataVersion: 1},
		`{"clusterId":"","leaderId":-1,"leaderEpoch":8,"votedId":1,"appliedOffset":0,"currentVoters":[{"voterId":1}],"data_version":0}`: {LeaderID: noNode, LeaderEpoch: 8, VotedID: 1, VotedDirectoryID: voter(1).DirectoryID.String(), DataVersion: 1},
		`{"clusterId":"","leaderId":-1,"leaderEpoch":9,"votedId":2,"appliedOffset":0,"currentVoters":[{"voterId":2}],"data_version":0}`: {LeaderID: noNode, LeaderEpoch: 9, VotedID: 2, VotedDirectoryID: kafka.ZeroUUID.String(), DataVersion: 1},
	} {
		disk := vfs.NewMemory()
		j := openFileJournal(t, disk)
		f := &files{disk, folder}
		if err := f.replace(folder+"/"+stateFile, []byte(text)); err != nil {
			t.Fatal(err)
		}
		q, err := open(j, disk, folder, Options{Self: voter(1), Voters: []Voter{voter(1)}, Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if q.vote != want {
			t.Errorf("%s is taken for %+v, want %+v", text, q.vote, want)
		}
	}
}

func TestRunningQuorum(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := openFileJournal(t, vfs.NewMemory())
		disk := vfs.NewMemory()
		if err := disk.MkdirAll(folder, 0o755); err != nil {
			t.Fatal(err)
		}
		var events []string
		leads := make(chan *Leadership, 1)
		q, err := open(j, disk, folder, Options{
			Self: voter(1), Voters: []Voter{voter(1)}, Logger: slog.New(slog.DiscardHandler),
			OnLead:   func(_ int32, l *Leadership) { leads <- l },
			OnLeader: func(id, epoch int32) { events = append(events, fmt.Sprintf("leader %d@%d", id, epoch)) },
			OnResign: func(epoch int32) { events = append(events, fmt.Sprint("resign ", epoch)) },
		})
		if err == nil {
			err = q.launch()
		}
		if err != nil {
			t.Fatal(err)
		}
		lead := <-leads
		next, err := lead.Append(batch("a"))
		if err != nil {
			t.Fatal(err)
		}
		done := make(chan error, 1)
		lead.Await(next, func(err error) { done <- err })
		if err := <-done; err != nil {
			t.Error(err)
		}
		lead.Await(next+1, func(err error) { done <- err })
		q.Close()
		if err := <-done; kafka.CodeOf(err) != kafka.NotController {
			t.Errorf("after Close: %v", err)
		}
		if got := strings.Join(events, ", "); got != "leader -1@1, leader 1@1, resign 1" && got != "leader 1@1, resign 1" {
			t.Error(got)
		}
	})
}

// failingJournal cannot write any more.
type failingJournal struct{ *fileJournal }

func (failingJournal) Write([]byte) error { return errors.New("disk gone") }

func TestFailedDiskStopsTheQuorum(t *testing.T) {
	c := newCluster(t, 1, Options{})
	c.settle()
	n := c.nodes[1]
	lead := n.lead
	var failure error
	n.options.OnFailure = func(err error) { failure = err }
	n.storage.journal = failingJournal{n.storage.journal.(*fileJournal)}
	outcome := n.propose("a")
	n.run() // ends by itself
	if *outcome != "KAFKA_STORAGE_ERROR" || failure == nil || n.lead != nil {
		t.Errorf("outcome %q, failure %v", *outcome, failure)
	}
	if _, err := lead.Append(batch("b")); kafka.CodeOf(err) != kafka.KafkaStorageError {
		t.Errorf("append: %v", err)
	}
}
