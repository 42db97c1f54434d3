package quorum

import (
	"errors"
	"fmt"
	"time"

	"go.etcd.io/raft/v3"
	pb "go.etcd.io/raft/v3/raftpb"
)

// Step takes a message from another voter. A message that makes no sense is refused with an error and changes
// nothing.
func (q *Quorum) Step(m *pb.Message) error { return q.step(m, true) }

// step takes a message; sent is false for what this node fetched.
func (q *Quorum) step(m *pb.Message, sent bool) error {
	if err := q.check(m); err != nil {
		return fmt.Errorf("quorum: message from %d refused: %w", m.GetFrom(), err)
	}
	m = q.withConf(m)
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.mu.err != nil {
		return q.mu.err
	}
	now := time.Now()
	switch m.GetType() {
	case pb.MsgApp, pb.MsgHeartbeat, pb.MsgSnap:
		if sent {
			q.mu.direct = m.GetFrom()
		}
	}
	if m.GetType() == pb.MsgTimeoutNow { // raft would pass it over as long as a change of the voters is not applied
		q.mu.order = m
		q.poke()
		return nil
	}
	if t := m.GetType(); t == pb.MsgVoteResp || t == pb.MsgPreVoteResp {
		if err := q.learnCommitted(m); err != nil {
			return err
		}
	}
	m, err := q.withinLog(m)
	if err != nil {
		return err
	}
	q.mu.unwritten.take(m)
	q.heard(m, now)
	err = q.mu.node.Step(m)
	q.heardLeader(m, now)
	q.poke()
	if errors.Is(err, raft.ErrStepPeerNotFound) {
		return nil // the answer of a voter that is none any more, or not yet
	}
	return err
}

// learnCommitted takes from the answer to a request for a vote how much of the log is committed. A leader whose vote was taken may be
// the only one who knows that, and have more in its log than those who are left: it would not vote for them, and they would ask for
// its vote for ever. The caller holds the lock.
func (q *Quorum) learnCommitted(m *pb.Message) error {
	status := q.mu.node.BasicStatus()
	at, here := q.storage.position(m.GetCommit())
	if !here || at.term != m.GetLogTerm() || at.index <= status.HardState.GetCommit() || status.Lead != 0 || status.RaftState == raft.StateLeader {
		return nil
	}
	beat := &pb.Message{Type: pb.MsgHeartbeat.Enum(), From: m.From, To: m.To, Term: new(status.HardState.GetTerm()), Commit: &at.index}
	if err := q.mu.node.Step(beat); err != nil {
		return err
	}
	q.poke()
	return q.mu.node.ForgetLeader()
}

// withConf has a snapshot bring the configuration that its own records name. A sender knows no better, and a receiver that is no
// voter there would be passed over. Of other messages, not all of which are checked for one, nobody reads it.
func (q *Quorum) withConf(m *pb.Message) *pb.Message {
	s := m.GetSnapshot()
	if m.GetType() != pb.MsgSnap || raft.IsEmptySnap(s) {
		return m
	}
	e, err := snapshotElectorate(s.GetData(), position{index: s.GetMetadata().GetIndex()}, electorate{voters: staticVoters(q.options.Voters)})
	if err != nil {
		panic("BUG: a snapshot that was checked cannot be read: " + err.Error())
	}
	return &pb.Message{
		Type: m.Type, To: m.To, From: m.From, Term: m.Term, LogTerm: m.LogTerm, Index: m.Index, Commit: m.Commit,
		Snapshot: &pb.Snapshot{Data: s.Data, Metadata: &pb.SnapshotMetadata{
			Index: s.Metadata.Index, Term: s.Metadata.Term, ConfState: confState(e.voters, q.self),
		}},
	}
}

// ReportUnreachable tells that a voter could not be reached: what was sent is sent again.
func (q *Quorum) ReportUnreachable(raftID uint64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.mu.node.ReportUnreachable(raftID)
	q.poke()
}

// ReportSnapshot tells how sending a message with a snapshot ended. The transport owes it one call for every
// MsgSnap; until then that follower gets nothing else.
func (q *Quorum) ReportSnapshot(raftID uint64, ok bool) {
	status := raft.SnapshotFailure
	if ok {
		status = raft.SnapshotFinish
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.mu.node.ReportSnapshot(raftID, status)
	q.poke()
}
