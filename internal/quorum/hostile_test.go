package quorum

import (
	"testing"

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
