package quorum

import (
	"cmp"
	"slices"
	"time"

	"go.etcd.io/raft/v3"
	pb "go.etcd.io/raft/v3/raftpb"
	"go.etcd.io/raft/v3/tracker"
)

// Status is what DescribeQuorum shows.
type Status struct {
	LeaderID      int32 // -1 if this node knows of none
	LeaderEpoch   int32
	HighWatermark int64 // everything below is committed, as far as this node knows
	KRaftVersion  int16 // finalised level of kraft.version
	// Voters are in order of node ids. What is known of the others is known on the leader alone.
	Voters []VoterStatus
	// Observers are the nodes without a vote that have fetched lately, in order of node ids; known on the leader alone.
	Observers []VoterStatus
}

// VoterStatus is one voter as the leader sees it.
type VoterStatus struct {
	Voter
	// Endpoints are a voter's listeners for controllers, as far as the voter set has them.
	Endpoints []Endpoint
	// LogEndOffset is how far its log is known to go on stable storage, -1 if it is not known.
	LogEndOffset int64
	// LastFetch is when the leader last heard from it; LastCaughtUp when it last had all of the leader's
	// log. The leader's own are the time of asking. Zero if never, or not known.
	LastFetch, LastCaughtUp time.Time
}

// follower is what the leader notes of another voter.
type follower struct {
	lastFetch, lastCaughtUp time.Time
}

// heard notes a follower's answer. The caller holds the lock.
func (q *Quorum) heard(m *pb.Message, now time.Time) {
	if m.GetType() != pb.MsgAppResp && m.GetType() != pb.MsgHeartbeatResp {
		return
	}
	f := q.mu.followers[m.GetFrom()]
	f.lastFetch = now
	last, _ := q.storage.LastIndex()
	q.mu.node.WithProgress(func(id uint64, _ raft.ProgressType, p tracker.Progress) {
		if id == m.GetFrom() && (p.Match >= last || (m.GetType() == pb.MsgAppResp && !m.GetReject() && m.GetIndex() >= last)) {
			f.lastCaughtUp = now
		}
	})
	q.mu.followers[m.GetFrom()] = f
}

// Leader returns the leader's node id, -1 if this node knows of none, and the epoch.
func (q *Quorum) Leader() (nodeID, epoch int32) {
	q.mu.Lock()
	defer q.mu.Unlock()
	status := q.mu.node.BasicStatus()
	return q.nodeID(status.Lead), int32(status.HardState.GetTerm())
}

// Voters returns who votes, as far as this node knows.
func (q *Quorum) Voters() VoterSet {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.mu.voting.voters
}

// Status describes the quorum as this node knows it.
func (q *Quorum) Status() Status {
	now := time.Now()
	q.mu.Lock()
	defer q.mu.Unlock()
	status := q.mu.node.Status()
	s := Status{LeaderID: q.nodeID(status.Lead), LeaderEpoch: int32(status.HardState.GetTerm()), HighWatermark: q.mu.committed, KRaftVersion: q.mu.voting.version}
	for _, m := range q.mu.voting.voters {
		id := m.RaftID()
		f := q.mu.followers[id]
		state := VoterStatus{Voter: m.Voter, Endpoints: m.Endpoints, LogEndOffset: -1, LastFetch: f.lastFetch, LastCaughtUp: f.lastCaughtUp}
		if p, ok := status.Progress[id]; ok {
			if at, known := q.storage.position(p.Match); known {
				state.LogEndOffset = at.offset
			}
		} else {
			state.LastFetch, state.LastCaughtUp = time.Time{}, time.Time{}
		}
		if id == q.self {
			state.LogEndOffset = q.storage.endPosition().offset
			if status.RaftState == raft.StateLeader {
				state.LastFetch, state.LastCaughtUp = now, now
			}
		}
		s.Voters = append(s.Voters, state)
	}
	if q.mu.lead != nil {
		for who, o := range q.mu.observers {
			if now.Sub(o.lastFetch) <= observerMemory && !q.mu.voting.voters.Has(who) {
				s.Observers = append(s.Observers, VoterStatus{Voter: who, LogEndOffset: o.end, LastFetch: o.lastFetch, LastCaughtUp: o.lastCaughtUp})
			}
		}
	}
	slices.SortFunc(s.Observers, func(a, b VoterStatus) int { return cmp.Compare(a.NodeID, b.NodeID) })
	return s
}
