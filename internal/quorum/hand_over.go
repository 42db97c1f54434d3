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
	to := q.successor(0)
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

// forgetting is who has lost its log, as was said in an epoch.
type forgetting struct {
	voter uint64
	epoch int32
}

// Forgotten tells that a voter refuses what a leader sends it because it has lost its log (OFFSET_OUT_OF_RANGE), as a static
// voter does whose disk was replaced. raft's leader never sends again what it knows a voter to have, so another one leads
// that knows nothing yet. What is committed stays: the successor has the whole log.
func (q *Quorum) Forgotten(raftID uint64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	to := q.successor(raftID)
	if to == 0 || q.mu.lead == nil || q.mu.err != nil {
		return
	}
	if q.mu.forgotten != (forgetting{raftID, q.mu.lead.epoch}) { // it refuses every heartbeat
		q.log.Warn("a controller has lost its metadata log; another one leads, which sends it anew", "lost", q.nodeID(raftID), "to", q.nodeID(to))
	}
	q.mu.forgotten = forgetting{raftID, q.mu.lead.epoch}
	q.mu.node.TransferLeader(to)
	q.poke()
}

// successor returns the voter of those heard of lately that has most of the log, other than except; 0 if there is none, or
// this node does not lead. The caller holds the lock.
func (q *Quorum) successor(except uint64) (id uint64) {
	if q.mu.node.BasicStatus().RaftState != raft.StateLeader {
		return 0
	}
	var most uint64
	q.mu.node.WithProgress(func(voter uint64, kind raft.ProgressType, p tracker.Progress) {
		if voter != q.self && voter != except && kind == raft.ProgressTypePeer && p.RecentActive && (id == 0 || p.Match > most) {
			id, most = voter, p.Match
		}
	})
	return id
}
