package quorum

import (
	"time"

	"go.etcd.io/raft/v3"
	"go.etcd.io/raft/v3/tracker"
)

// handOverLimit bounds how long a leader that stops waits for another one. Without it the others need an election, which
// they hold at once when they see that this process has ended.
const handOverLimit = 500 * time.Millisecond

// handOver has the voter lead that has most of the log, if this node leads and another voter is heard of. What is
// committed stays; appends are refused from now on (REQUEST_TIMED_OUT, then NOT_CONTROLLER).
func (q *Quorum) handOver() {
	q.mu.Lock()
	to := q.successor()
	if to == 0 || q.mu.lead == nil || q.mu.err != nil {
		q.mu.Unlock()
		return
	}
	resigned := make(chan struct{})
	q.mu.resigned = resigned
	q.log.Info("handing over the metadata quorum", "epoch", q.mu.lead.epoch, "to", q.nodeID(to))
	q.mu.node.TransferLeader(to)
	q.mu.Unlock()
	q.poke()
	select {
	case <-resigned:
	case <-q.closed:
	case <-time.After(handOverLimit):
	}
}

// successor returns the voter of those heard of lately that has most of the log; 0 if there is none, or this node does not
// lead. The caller holds the lock.
func (q *Quorum) successor() (id uint64) {
	if q.mu.node.BasicStatus().RaftState != raft.StateLeader {
		return 0
	}
	var most uint64
	q.mu.node.WithProgress(func(voter uint64, kind raft.ProgressType, p tracker.Progress) {
		if voter != q.self && kind == raft.ProgressTypePeer && p.RecentActive && (id == 0 || p.Match > most) {
			id, most = voter, p.Match
		}
	})
	return id
}
