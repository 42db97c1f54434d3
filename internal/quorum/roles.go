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
			q.options.OnLeader(q.nodeID(status.Lead), int32(term))
		}
	}
	if lead != nil {
		q.mu.Lock()
		q.mu.lead, q.mu.next = lead, q.storage.endPosition().offset
		q.mu.Unlock()
		q.log.Info("leading the metadata quorum", "epoch", lead.epoch)
		q.tellCaughtUp(true)
		if q.options.OnLead != nil {
			q.options.OnLead(lead.epoch, lead)
		}
	}
}

// nodeID translates a raft id; -1 stands for nobody.
func (q *Quorum) nodeID(raftID uint64) int32 {
	if v, ok := q.voters[raftID]; ok {
		return v.NodeID
	}
	return noNode
}
