package quorum

import (
	"fmt"
	"math"
	"time"

	"go.etcd.io/raft/v3"
	pb "go.etcd.io/raft/v3/raftpb"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/record"
)

// Step takes a message from another voter. A message that makes no sense is refused with an error and changes
// nothing.
func (q *Quorum) Step(m *pb.Message) error {
	if err := q.check(m); err != nil {
		return fmt.Errorf("quorum: message from %d refused: %w", m.GetFrom(), err)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.mu.err != nil {
		return q.mu.err
	}
	q.heard(m, time.Now())
	err := q.mu.node.Step(m)
	q.poke()
	return err
}

// maxQuestionBytes bounds the name of a question to the leader, which its answer repeats (see askLeader).
const maxQuestionBytes = 64

// check looks at a message before raft trusts it.
func (q *Quorum) check(m *pb.Message) error {
	if _, known := q.voters[m.GetFrom()]; !known || m.GetTo() != q.self {
		return fmt.Errorf("from %d to %d; neither is a stranger's business", m.GetFrom(), m.GetTo())
	}
	if m.GetTerm() > math.MaxInt32 {
		return fmt.Errorf("term %d is no epoch", m.GetTerm())
	}
	if m.GetType() == pb.MsgProp {
		return fmt.Errorf("proposals are not forwarded")
	}
	if last, err := q.storage.LastIndex(); m.GetType() == pb.MsgHeartbeat && err == nil && m.GetCommit() > last {
		return kafka.Errorf(kafka.OffsetOutOfRange, "the leader knows that this node had the metadata log up to entry %d; it ends at entry %d: was its disk replaced?", m.GetCommit(), last)
	}
	if t := m.GetType(); t == pb.MsgReadIndex || t == pb.MsgReadIndexResp { // the entry is the question's name
		if n := len(m.GetEntries()); n != 1 || len(m.GetEntries()[0].GetData()) > maxQuestionBytes {
			return fmt.Errorf("%v with %d entries", t, n)
		}
		return nil
	}
	for _, e := range m.GetEntries() {
		b, rest, err := record.First(e.GetData())
		if err == nil && len(rest) == 0 {
			err = b.CheckCRC()
		}
		if err != nil || len(rest) > 0 || e.GetType() != pb.EntryNormal || uint64(b.LeaderEpoch()) != e.GetTerm() {
			return fmt.Errorf("entry %d of term %d is not one batch of that epoch (%v)", e.GetIndex(), e.GetTerm(), err)
		}
	}
	if s := m.GetSnapshot(); !raft.IsEmptySnap(s) {
		p, err := checkSnapshot(s.GetData())
		if err != nil {
			return err
		}
		if p.index != s.GetMetadata().GetIndex() || p.term != s.GetMetadata().GetTerm() {
			return fmt.Errorf("the snapshot ends at index %d, term %d", p.index, p.term)
		}
	}
	return nil
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
