package quorum

import (
	"testing"
	"time"

	pb "go.etcd.io/raft/v3/raftpb"

	"github.com/ottla/ottla/internal/record"
)

// A snapshot counts in a message that brings one. In any other it is not looked at, and what is wrong with it harms nobody.
func TestSnapshotsInOtherMessagesAreNotRead(t *testing.T) {
	c := newCluster(t, 3, Options{})
	to := c.elect()
	var from *node
	for _, n := range c.nodes {
		if n != to {
			from = n
		}
	}
	b := record.NewBuilder(record.BatchOptions{Control: true})
	b.AddControl(0, record.KRaftVoters, []byte("no voters"))
	broken, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range []pb.MessageType{pb.MsgReadIndex, pb.MsgReadIndexResp, pb.MsgHeartbeat, pb.MsgApp, pb.MsgSnap, pb.MsgVoteResp} {
		m := &pb.Message{
			Type: kind.Enum(), From: &from.self, To: &to.self, Term: new(uint64(1)), Entries: []*pb.Entry{{Data: []byte("x")}},
			Snapshot: &pb.Snapshot{Data: broken, Metadata: &pb.SnapshotMetadata{Index: new(uint64(9)), Term: new(uint64(1))}},
		}
		if err := to.Step(m); err == nil && kind == pb.MsgSnap {
			t.Errorf("%v was taken", kind)
		}
	}
}

// entryOf is an entry that is one record.
func entryOf(t *testing.T, index, term uint64, offset int64) *pb.Entry {
	t.Helper()
	b := record.NewBuilder(record.BatchOptions{BaseOffset: offset, LeaderEpoch: int32(term)})
	b.Add(1, nil, []byte("x"))
	built, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	return newEntry(index, built)
}

// Each of these made raft panic, go back in time, or write what cannot be read.
func TestMessagesThatNoVoterSendsAreRefused(t *testing.T) {
	c := newCluster(t, 3, Options{})
	leader := c.elect()
	leader.propose("a")
	c.settle()
	follower := c.nodes[leader.id%3+1]
	term := leader.term()
	at := follower.storage.endPosition()
	entry := func(index, term uint64, offset int64) *pb.Entry { return entryOf(t, index, term, offset) }
	appends := func(entries ...*pb.Entry) *pb.Message {
		return &pb.Message{Type: pb.MsgApp.Enum(), From: &leader.self, Term: &term, Index: &at.index, LogTerm: &at.term, Entries: entries}
	}
	huge := position{index: 1<<64 - 1, term: term, offset: at.offset}
	snapshot, err := buildSnapshot(huge, 1, electorate{}, func(func([]byte) bool) {}, time.UnixMilli(1))
	if err != nil {
		t.Fatal(err)
	}
	for name, x := range map[string]struct {
		to *node
		m  *pb.Message
	}{
		"raft's own":            {follower, &pb.Message{Type: pb.MsgTransferLeader.Enum(), From: &leader.self, Term: &term}},
		"of term 0":             {follower, &pb.Message{Type: pb.MsgHeartbeat.Enum(), From: &leader.self}},
		"from itself":           {follower, &pb.Message{Type: pb.MsgVote.Enum(), From: &follower.self, Term: new(term + 1)}},
		"a question of a term":  {follower, &pb.Message{Type: pb.MsgReadIndex.Enum(), From: &leader.self, Term: &term, Entries: []*pb.Entry{{Data: []byte("q")}}}},
		"entries that go back":  {follower, appends(entry(1, term, at.offset))},
		"entries with a gap":    {follower, appends(entry(at.index+1, term, at.offset), entry(at.index+3, term, at.offset+1))},
		"offsets with a gap":    {follower, appends(entry(at.index+1, term, at.offset+5))},
		"of a later term":       {follower, appends(entry(at.index+1, term+1, at.offset))},
		"more than there is":    {leader, &pb.Message{Type: pb.MsgAppResp.Enum(), From: &follower.self, Term: &term, Index: new(uint64(1 << 40))}},
		"half a number":         {leader, &pb.Message{Type: pb.MsgHeartbeatResp.Enum(), From: &follower.self, Term: &term, Context: make([]byte, 7)}},
		"what nobody asked":     {leader, &pb.Message{Type: pb.MsgHeartbeatResp.Enum(), From: &follower.self, Term: &term, Context: []byte{255, 0, 0, 0, 0, 0, 0, 0}}},
		"a snapshot of no end":  {follower, &pb.Message{Type: pb.MsgSnap.Enum(), From: &leader.self, Term: &term, Snapshot: &pb.Snapshot{Data: snapshot, Metadata: &pb.SnapshotMetadata{Index: &huge.index, Term: &term}}}},
		"a snapshot without it": {follower, &pb.Message{Type: pb.MsgSnap.Enum(), From: &leader.self, Term: &term}},
	} {
		x.m.To = &x.to.self
		if err := x.to.Step(x.m); err == nil {
			t.Errorf("%s: %v was taken", name, x.m)
		}
	}
	leader.propose("b")
	c.settle()
	c.agree("a b")
}

// Between the moment when raft takes another leader's entries in the place of some that are there, or its snapshot, and the moment
// when that is written, the log on the disk is longer than raft's: a heartbeat that commits the rest made raft panic.
func TestHeartbeatWhileATailIsReplaced(t *testing.T) {
	for _, kind := range []pb.MessageType{pb.MsgApp, pb.MsgSnap} {
		c := newCluster(t, 3, Options{})
		leader := c.elect()
		follower := c.nodes[leader.id%3+1]
		other := c.nodes[follower.id%3+1]
		term := leader.term()
		at := follower.storage.endPosition()
		entry := func(index, term uint64, offset int64) *pb.Entry { return entryOf(t, index, term, offset) }
		send := func(from *node, m *pb.Message) {
			t.Helper()
			m.From, m.To = &from.self, &follower.self
			if err := follower.Step(m); err != nil {
				t.Fatal(err)
			}
		}
		turn := func() {
			t.Helper()
			for more := true; more; {
				var err error
				if more, err = follower.turn(); err != nil {
					t.Fatal(err)
				}
			}
		}
		send(leader, &pb.Message{
			Type: pb.MsgApp.Enum(), Term: &term, Index: &at.index, LogTerm: &at.term,
			Entries: []*pb.Entry{entry(at.index+1, term, at.offset), entry(at.index+2, term, at.offset+1), entry(at.index+3, term, at.offset+2)},
		})
		turn()
		next := term + 1
		if kind == pb.MsgApp {
			send(other, &pb.Message{Type: &kind, Term: &next, Index: &at.index, LogTerm: &at.term, Entries: []*pb.Entry{entry(at.index+1, next, at.offset)}})
		} else {
			p := position{index: at.index + 1, term: next, offset: at.offset + 1}
			data, err := buildSnapshot(p, 1, electorate{}, func(func([]byte) bool) {}, time.UnixMilli(1))
			if err != nil {
				t.Fatal(err)
			}
			send(other, &pb.Message{Type: &kind, Term: &next, Snapshot: &pb.Snapshot{Data: data, Metadata: &pb.SnapshotMetadata{Index: &p.index, Term: &p.term}}})
		}
		send(other, &pb.Message{Type: pb.MsgHeartbeat.Enum(), Term: &next, Commit: new(at.index + 3)})
		turn()
		send(other, &pb.Message{Type: pb.MsgHeartbeat.Enum(), Term: &next, Commit: new(at.index + 1)})
		turn()
		if status := follower.mu.node.BasicStatus(); status.HardState.GetCommit() != at.index+1 || follower.storage.endPosition().term != next {
			t.Errorf("%v: committed is entry %d of a log that ends at %+v; want entry %d of term %d", kind, status.HardState.GetCommit(), follower.storage.endPosition(), at.index+1, next)
		}
	}
}
