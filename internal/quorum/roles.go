package quorum

import (
	"go.etcd.io/raft/v3"

	"github.com/ottla/ottla/internal/kafka"
)

// roles tells who leads, and whether it is this node, if that has changed. A node leads once the first entry
// of its term is committed: then all before is, too.
func (q *Quorum) roles() {
	q.mu.Lock()
	status := q.mu.node.BasicStatus()
	term := status.HardState.GetTerm()
	resigned := q.mu.lead
	if resigned != nil && status.RaftState == raft.StateLeader && uint64(resigned.epoch) == term {
		resigned = nil
	}
	var lead *Leadership
	if (q.mu.lead == nil || resigned != nil) && status.RaftState == raft.StateLeader && q.last.term == term {
		lead = &Leadership{q: q, epoch: int32(term)}
	}
	q.mu.Unlock()

	if resigned != nil {
		q.resign(kafka.Errorf(kafka.NotController, "this node is no longer the active controller in epoch %d", resigned.epoch))
	}
	if status.Lead != q.leader || term != q.leaderTerm {
		q.leader, q.leaderTerm = status.Lead, term
		q.catchUp.asked = 0
		q.askLeader()
		if q.options.OnLeader != nil {
			leader, known := q.Node(status.Lead)
			if !known {
				leader = noNode
			}
			q.options.OnLeader(leader, int32(term))
		}
	}
	if lead != nil {
		q.mu.Lock()
		end := q.storage.endPosition()
		q.mu.lead, q.mu.next, q.mu.nextIndex = lead, end.offset, end.index+1
		q.mu.Unlock()
		q.log.Info("leading the metadata quorum", "epoch", lead.epoch)
		if err := q.writeVoters(lead); err != nil {
			q.log.Warn("the voters cannot be written into the metadata log", "error", err)
		}
		q.tellCaughtUp(true)
		if q.options.OnLead != nil {
			q.options.OnLead(lead.epoch, lead)
		}
	}
}

// nodeID translates a raft id; -1 stands for nobody. The caller holds the lock.
func (q *Quorum) nodeID(raftID uint64) int32 {
	if v, ok := q.voter(raftID); ok {
		return v.NodeID
	}
	return noNode
}

// Node returns the id of the node that has a name inside raft, if it is known.
func (q *Quorum) Node(raftID uint64) (id int32, known bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	v, known := q.voter(raftID)
	return v.NodeID, known
}
