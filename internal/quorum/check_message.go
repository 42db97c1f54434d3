package quorum

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"go.etcd.io/raft/v3"
	pb "go.etcd.io/raft/v3/raftpb"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/record"
)

// raft trusts what it is handed: a message that no voter of its own kind would send makes it panic, or go back in time. So every
// message is looked at first.

// maxQuestionBytes bounds the name of a question to the leader, which its answer repeats (see askLeader).
const maxQuestionBytes = 64

// questions is how many times this node, as the leader of a term, has asked in its heartbeats whether it still leads it.
type questions struct{ term, number uint64 }

// question is the number of the question that a heartbeat asks or answers, 0 if it does not.
func question(m *pb.Message) uint64 {
	if len(m.GetContext()) != 8 {
		return 0
	}
	return binary.LittleEndian.Uint64(m.GetContext())
}

// noteQuestions remembers what was asked: raft believes every number that it is answered. The caller holds the lock.
func (q *Quorum) noteQuestions(messages []*pb.Message) {
	for _, m := range messages {
		if m.GetType() != pb.MsgHeartbeat {
			continue
		}
		if m.GetTerm() != q.mu.asked.term {
			q.mu.asked = questions{term: m.GetTerm()}
		}
		q.mu.asked.number = max(q.mu.asked.number, question(m))
	}
}

// travels are the messages that voters send each other. All others are for raft's own use within a node.
var travels = map[pb.MessageType]bool{
	pb.MsgApp: true, pb.MsgAppResp: true, pb.MsgHeartbeat: true, pb.MsgHeartbeatResp: true, pb.MsgSnap: true,
	pb.MsgVote: true, pb.MsgVoteResp: true, pb.MsgPreVote: true, pb.MsgPreVoteResp: true,
	pb.MsgTimeoutNow: true, pb.MsgReadIndex: true, pb.MsgReadIndexResp: true,
}

// check looks at a message before raft trusts it.
func (q *Quorum) check(m *pb.Message) error {
	q.mu.Lock()
	_, known := q.voter(m.GetFrom())
	asked, term := q.mu.asked, q.mu.node.BasicStatus().HardState.GetTerm()
	q.mu.Unlock()
	switch {
	case m.GetTo() != q.self:
		return kafka.Errorf(kafka.InvalidVoterKey, "it is for another voter than this one, %s: its sender knows another directory id, as from before a disk was replaced", q.options.Self)
	case m.GetFrom() == q.self:
		return kafka.Errorf(kafka.InvalidVoterKey, "it says that it comes from this voter itself, %s", q.options.Self)
	case !known:
		return kafka.Errorf(kafka.InvalidVoterKey, "its sender is no voter that this one, %s, knows of", q.options.Self)
	}
	kind := m.GetType()
	if !travels[kind] {
		return fmt.Errorf("%v is not sent from node to node", kind)
	}
	if question := kind == pb.MsgReadIndex; question != (m.GetTerm() == 0) || m.GetTerm() > math.MaxInt32 {
		return fmt.Errorf("%v of term %d, which is no epoch", kind, m.GetTerm())
	}
	if n := len(m.GetContext()); (kind == pb.MsgHeartbeat || kind == pb.MsgHeartbeatResp) && n != 0 && n != 8 {
		return fmt.Errorf("%v with a context of %d bytes", kind, n)
	}
	last, err := q.storage.LastIndex()
	if err != nil {
		return err
	}
	switch kind {
	case pb.MsgHeartbeatResp:
		if asked.term != term {
			asked = questions{term: term}
		}
		if n := question(m); m.GetTerm() == term && n > asked.number {
			return fmt.Errorf("the answer to question %d; %d were asked in term %d", n, asked.number, term)
		}
	case pb.MsgHeartbeat:
		if m.GetCommit() > last {
			return kafka.Errorf(kafka.OffsetOutOfRange, "the leader knows that this node had the metadata log up to entry %d; it ends at entry %d: was its disk replaced?", m.GetCommit(), last)
		}
	case pb.MsgAppResp: // those of earlier terms raft passes over; this node's log may have been longer then
		if m.GetTerm() == term && !m.GetReject() && m.GetIndex() > last {
			return fmt.Errorf("it has entries up to %d of a log that ends at entry %d", m.GetIndex(), last)
		}
	case pb.MsgReadIndex, pb.MsgReadIndexResp: // the entry is the question's name
		if n := len(m.GetEntries()); n != 1 || len(m.GetEntries()[0].GetData()) > maxQuestionBytes {
			return fmt.Errorf("%v with %d entries", kind, n)
		}
	case pb.MsgApp:
		return q.checkEntries(m)
	case pb.MsgSnap:
		return checkSent(m.GetSnapshot(), m.GetTerm())
	}
	return nil
}

// checkEntries makes sure that entries can be written behind the one that the message names.
func (q *Quorum) checkEntries(m *pb.Message) error {
	at := position{index: m.GetIndex(), term: m.GetLogTerm(), offset: -1}
	if here, is := q.storage.position(at.index); is && here.term == at.term {
		at.offset = here.offset
	}
	for _, e := range m.GetEntries() {
		b, err := checkEntry(e)
		switch {
		case err != nil:
			return fmt.Errorf("entry %d of term %d is not one batch of that epoch (%v)", e.GetIndex(), e.GetTerm(), err)
		case e.GetIndex() != at.index+1 || e.GetTerm() < at.term || e.GetTerm() > m.GetTerm():
			return fmt.Errorf("entry %d of term %d does not follow entry %d of term %d in term %d", e.GetIndex(), e.GetTerm(), at.index, at.term, m.GetTerm())
		case at.offset >= 0 && b.BaseOffset() != at.offset:
			return fmt.Errorf("entry %d of term %d begins at offset %d; the log ends at %d", e.GetIndex(), e.GetTerm(), b.BaseOffset(), at.offset)
		}
		at = position{index: e.GetIndex(), term: e.GetTerm(), offset: b.LastOffset() + 1}
	}
	return nil
}

// checkEntry makes sure that an entry is one whole batch that can be applied.
func checkEntry(e *pb.Entry) (record.Batch, error) {
	data, err := entryBatch(e)
	if err != nil {
		return nil, err
	}
	b, rest, err := record.First(data)
	if err == nil {
		err = b.CheckCRC()
	}
	if err == nil {
		_, _, err = electorate{}.after(b)
	}
	switch {
	case err != nil:
		return nil, err
	case len(rest) > 0:
		return nil, fmt.Errorf("%d bytes after the batch", len(rest))
	case b.LeaderEpoch() < 0 || uint64(b.LeaderEpoch()) != e.GetTerm():
		return nil, fmt.Errorf("epoch %d", b.LeaderEpoch())
	case b.BaseOffset() < 0 || b.LastOffsetDelta() < 0 || b.LastOffset() == math.MaxInt64:
		return nil, fmt.Errorf("offsets %d to %d", b.BaseOffset(), b.LastOffset())
	}
	return b, nil
}

// checkSent makes sure that a snapshot that was sent in a term is one, and of where it says.
func checkSent(s *pb.Snapshot, term uint64) error {
	if raft.IsEmptySnap(s) {
		return errors.New("no snapshot where one should be")
	}
	p, err := sentSnapshot(s.GetData())
	if err != nil {
		return err
	}
	if p.index != s.GetMetadata().GetIndex() || p.term != s.GetMetadata().GetTerm() || p.term > term {
		return fmt.Errorf("the snapshot ends at index %d, term %d; it was sent in term %d", p.index, p.term, term)
	}
	_, err = snapshotElectorate(s.GetData(), p, electorate{})
	return err
}
