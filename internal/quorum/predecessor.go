package quorum

import (
	"time"

	pb "go.etcd.io/raft/v3/raftpb"
)

// predecessor is a leader that this node followed.
type predecessor struct {
	raftID uint64
	heard  time.Time
}

// heardLeader notes a message of the leader that this node follows. The caller holds the lock.
func (q *Quorum) heardLeader(m *pb.Message, now time.Time) {
	if from := m.GetFrom(); from != q.self && from == q.mu.node.BasicStatus().Lead {
		q.mu.predecessor = predecessor{from, now}
	}
}

// Predecessor returns the last leader that was another node, and when this node last heard of it; the zero time if it
// followed nobody since its start. A leader speaks every tick, so a node that has just taken over knows since when the one
// before is silent. Of other voters it knows nothing of the kind.
func (l *Leadership) Predecessor() (nodeID int32, heard time.Time) {
	q := l.q
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.mu.predecessor.raftID == 0 {
		return noNode, time.Time{}
	}
	return q.nodeID(q.mu.predecessor.raftID), q.mu.predecessor.heard
}
