package quorum

import (
	pb "go.etcd.io/raft/v3/raftpb"
)

// unwritten is from which entry on the log that raft has in mind may differ from the one on the disk, which the storage shows: what a
// leader sent in place of other entries, or the snapshot that it sent, is written in the next turn only. 0 stands for nothing.
type unwritten struct {
	taken   uint64 // by raft, since the last turn began
	writing uint64 // in this turn
}

// take notes a message that raft is about to be given.
func (u *unwritten) take(m *pb.Message) {
	var first uint64
	switch m.GetType() {
	case pb.MsgApp:
		if len(m.GetEntries()) == 0 {
			return
		}
		first = m.GetEntries()[0].GetIndex()
	case pb.MsgSnap:
		first = m.GetSnapshot().GetMetadata().GetIndex() + 1
	default:
		return
	}
	if u.taken == 0 || first < u.taken {
		u.taken = first
	}
}

// write begins to write all that was taken.
func (u *unwritten) write() { u.taken, u.writing = 0, u.taken }

// written ends that.
func (u *unwritten) written() { u.writing = 0 }

// shared is up to where both logs are the same, last being where the one on the disk ends.
func (u *unwritten) shared(last uint64) uint64 {
	for _, first := range []uint64{u.taken, u.writing} {
		if first > 0 {
			last = min(last, first-1)
		}
	}
	return last
}

// withinLog has a heartbeat commit no more than raft is sure to have: the end of the world, to raft, is a commit beyond the end of
// its log. The next heartbeat tells again. The caller holds the lock.
func (q *Quorum) withinLog(m *pb.Message) (*pb.Message, error) {
	if m.GetType() != pb.MsgHeartbeat {
		return m, nil
	}
	last, err := q.storage.LastIndex()
	if err != nil {
		return nil, err
	}
	shared := q.mu.unwritten.shared(last)
	if m.GetCommit() <= shared {
		return m, nil
	}
	return &pb.Message{Type: m.Type, To: m.To, From: m.From, Term: m.Term, Commit: &shared, Context: m.Context}, nil
}
